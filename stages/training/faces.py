"""The faces of one identity as training holds them: small, on the device where they fit, in a mapped file if not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.artifacts.face_set import HELD_OUT, TRAIN, FaceSet, clips_of
from stages.artifacts.files import SHARD_ROWS
from stages.problems import Problem
from stages.training.chart import PLACES
from stages.training.regions import eyes_map, mouth_map
from stages.training.roomy import roomy_array, share_of_free

CPU = torch.device("cpu")
PLANES = 6
"""Red, green, blue, mask, eyes, mouth."""


@dataclass(frozen=True)
class Faces:
    """Faces of one identity.

    Attributes:
        planes: (n, 6, p, p) uint8 0..255: red, green, blue, mask, eyes, mouth; wherever there is room for them.
        places: (n, 468, 2) float32, landmarks in the unit crop.
        pose: (n, 2) degrees of yaw and pitch.
        expression: (n, 3) opening of the mouth and of the lids, and gaze, as :mod:`stages.expression` has them.
        device: where :meth:`take` gives faces.
        mapped: bytes of the file on the disk that the planes were read into; 0 if they were read into memory.
    """

    planes: Tensor
    places: Tensor
    pose: NDArray[np.float32]
    expression: NDArray[np.float32]
    device: torch.device = CPU
    mapped: int = 0

    def __len__(self) -> int:
        return len(self.planes)

    def to(self, device: torch.device, room: int | None = None) -> Faces:
        """The same faces for a device; they lie there too if they take no more than ``room`` bytes of its memory.

        Args:
            device: where they will be needed.
            room: None for a share of what is free.
        """
        if device.type == "cpu":
            return Faces(self.planes.cpu(), self.places.cpu(), self.pose, self.expression, device, self.mapped)
        fits = self.planes.nbytes <= (room if room is not None else share_of_free(device))
        planes = self.planes.to(device) if fits else self.planes
        return Faces(planes, self.places.to(device), self.pose, self.expression, device, self.mapped)

    def take(self, indices: Tensor) -> Tensor:
        """Some faces' planes (k, 6, p, p) uint8 on :attr:`device`; indices (k,) int64."""
        return self.planes[indices.to(self.planes.device, non_blocking=True)].to(self.device)

    def places_of(self, indices: Tensor) -> Tensor:
        """The same faces' landmarks, (k, 468, 2) float32 on :attr:`device`."""
        return self.places[indices.to(self.places.device, non_blocking=True)].to(self.device)


@dataclass(frozen=True)
class SplitFaces:
    """The two parts of an identity's face sets, and the side of the crops that they were made of."""

    train: Faces
    held_out: Faces
    crop_size: int


def read_faces(folder: Path, size: int, scratch: Path | None = None, room: int | None = None) -> SplitFaces:
    """All face sets under an identity's folder, scaled to ``size`` pixels.

    Args:
        folder: of the identity's face sets.
        size: of the planes, pixels.
        scratch: where faces lie that do not fit in memory, in a file that vanishes with the process; None: in the
            system's folder for such files.
        room: the most bytes of memory that a part may take; None for a share of what is free.

    Raises:
        Problem: there is no face set, one has crops smaller than ``size`` or of another size than the others, a part
            has no face, or the disk has no room for what does not fit in memory.
    """
    sets = [FaceSet.read(clip) for clip in clips_of(folder)]
    if not sets:
        raise Problem("there is no face set", where=folder, mend="run `dvc repro` for its dataset stage")
    sizes = {_crop_size(some) for some in sets if len(some.index)}
    if len(sizes) != 1:
        raise Problem(
            f"its face sets have crops of {sorted(sizes) or 'no'} pixels",
            where=folder,
            mend="make all of an identity's face sets with the same dataset.size",
        )
    crop_size = sizes.pop()
    if crop_size < size:
        raise Problem(
            f"training keeps faces at {size} pixels, the face set has {crop_size}",
            where="training.presets: stored_size",
            mend=f"lower it to {crop_size}, or raise dataset.size",
        )
    train, held_out = (_gather(sets, split, size, folder, scratch, room) for split in (TRAIN, HELD_OUT))
    return SplitFaces(train, held_out, crop_size)


def _crop_size(some: FaceSet) -> int:
    return int(next(some.each_crop(some.index.head(1))).shape[0])


def _gather(
    sets: Iterable[FaceSet], split: str, size: int, folder: Path, scratch: Path | None, room: int | None
) -> Faces:
    parts = [(some, some.part(split)) for some in sets]
    count = sum(len(rows) for _, rows in parts)
    if not count:
        raise Problem(
            f"the {split} part has no face",
            where=folder,
            mend="add footage of this identity, or loosen the dataset's filters",
        )
    planes = roomy_array((count, PLANES, size, size), scratch, room)
    places = np.empty((count, PLACES, 2), np.float32)
    at = 0
    for some, rows in parts:
        for start in range(0, len(rows), SHARD_ROWS):
            here = rows.iloc[start : start + SHARD_ROWS]
            for crop, mask, landmarks in zip(
                some.each_crop(here), some.each_mask(here), some.landmarks(here), strict=True
            ):
                planes[at], places[at] = as_planes(crop, mask, landmarks, size), landmarks[:PLACES]
                at += 1
    index = pd.concat([rows for _, rows in parts])
    lids = index[["eye_open_left", "eye_open_right"]].mean(axis=1)
    expression = np.column_stack([index["mouth_open"], lids, index["gaze"]]).astype(np.float32)
    pose = index[["yaw", "pitch"]].to_numpy(np.float32)
    mapped = planes.nbytes if isinstance(planes, np.memmap) else 0
    return Faces(torch.from_numpy(planes), torch.from_numpy(places), pose, expression, mapped=mapped)


def as_planes(
    crop: NDArray[np.uint8], mask: NDArray[np.uint8], landmarks: NDArray[np.float32], size: int
) -> NDArray[np.uint8]:
    """One face as planes, (6, size, size) uint8.

    Args:
        crop: (s, s, 3) uint8 RGB.
        mask: (s, s) uint8.
        landmarks: (478, 2) in the unit crop.
        size: of the planes, at most s.
    """
    pictures = [*cv2.split(crop), mask]
    scaled = [cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack([*scaled, eyes_map(landmarks, size), mouth_map(landmarks, size)])
