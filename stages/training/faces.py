"""The faces of one identity as training holds them: small, in memory, on the device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.artifacts.face_set import HELD_OUT, TRAIN, FaceSet, clips_of
from stages.problems import Problem
from stages.training.regions import eyes_map, mouth_map

PLANES = 6
"""Red, green, blue, mask, eyes, mouth."""


@dataclass(frozen=True)
class Faces:
    """Faces of one identity.

    Attributes:
        planes: (n, 6, p, p) uint8 0..255: red, green, blue, mask, eyes, mouth.
        yaw, pitch: (n,) degrees.
    """

    planes: Tensor
    yaw: NDArray[np.float32]
    pitch: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.planes)

    def to(self, device: torch.device) -> Faces:
        """The same faces on a device."""
        return Faces(self.planes.to(device), self.yaw, self.pitch)


@dataclass(frozen=True)
class SplitFaces:
    """The two parts of an identity's face sets, and the side of the crops that they were made of."""

    train: Faces
    held_out: Faces
    crop_size: int


def read_faces(folder: Path, size: int) -> SplitFaces:
    """All face sets under an identity's folder, scaled to ``size`` pixels.

    Raises:
        Problem: there is no face set, one has crops smaller than ``size`` or of another size than the others, or a
            part has no face.
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
    train, held_out = (_gather(sets, split, size, folder) for split in (TRAIN, HELD_OUT))
    return SplitFaces(train, held_out, crop_size)


def _crop_size(some: FaceSet) -> int:
    return int(next(some.each_crop(some.index.head(1))).shape[0])


def _gather(sets: Iterable[FaceSet], split: str, size: int, folder: Path) -> Faces:
    planes: list[NDArray[np.uint8]] = []
    yaw: list[NDArray[np.float32]] = []
    pitch: list[NDArray[np.float32]] = []
    for some in sets:
        rows = some.part(split)
        for crop, mask, points in zip(some.each_crop(rows), some.each_mask(rows), rows["landmarks"], strict=True):
            planes.append(as_planes(crop, mask, np.asarray(points, np.float32).reshape(-1, 2), size))
        yaw.append(rows["yaw"].to_numpy(np.float32))
        pitch.append(rows["pitch"].to_numpy(np.float32))
    if not planes:
        raise Problem(
            f"the {split} part has no face",
            where=folder,
            mend="add footage of this identity, or loosen the dataset's filters",
        )
    return Faces(torch.from_numpy(np.stack(planes)), np.concatenate(yaw), np.concatenate(pitch))


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
