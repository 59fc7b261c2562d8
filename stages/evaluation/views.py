"""All pictures of one frame side by side: target, finished, delivered, truth, and the converted crop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.artifacts.truth import Truth
from stages.fidelity import face_labels, face_mask_in_crop, hull
from stages.pixel_shape import PixelShape
from stages.problems import Problem
from stages.video import NativeFrame

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class View:
    """One measured frame.

    Attributes:
        number: of the frame.
        seconds: its presentation time.
        shot: it belongs to.
        split: of its face: train, held-out or other.
        full: whether all is measured on it, or only what needs its neighbours.
        stretch: of frames in a row that it belongs to, -1 if none.
        transform: (2, 3), frame pixels to the unit crop.
        landmarks: (478, 3) float32 of the target's face, frame pixels.
        target, finished: native frames; their planes are compared bit for bit.
        untouched: (h, w, 3) uint8 RGB of the target.
        delivered: (h, w, 3) uint8 RGB from the deliverable.
        truth: (h, w, 3) uint8 RGB of the right answer, None if nobody knows it.
        truth_face: (h, w) bool, where the truth shows face; None if it does not say.
    """

    number: int
    seconds: float
    shot: int
    split: str
    full: bool
    stretch: int
    transform: NDArray[np.float64]
    landmarks: NDArray[np.float32]
    target: NativeFrame
    finished: NativeFrame
    untouched: Picture
    delivered: Picture
    truth: Picture | None
    truth_face: Mask | None

    @property
    def shape(self) -> PixelShape:
        """That of the frame's pixels."""
        return PixelShape.of(self.target.facts)

    def crop_of(self, picture: Picture, size: int) -> Picture:
        """The aligned crop of a frame, (size, size, 3)."""
        return geometry.crop(picture, self.transform, size)

    def face_mask(self) -> Mask:
        """Where fidelity is measured, (h, w) bool: the hull of the target's landmarks, less what is no face in truth.

        Neither the decoder's mask nor a setting of compositing moves it: a smaller mask can not better a figure.
        """
        height, width = self.delivered.shape[:2]
        mask = hull(self.landmarks[:, :2], width, height)
        return mask if self.truth_face is None else mask & self.truth_face

    def face_mask_in_crop(self, size: int) -> Mask:
        """The same in the aligned crop, (size, size) bool."""
        return face_mask_in_crop(self.landmarks[:, :2], self.transform, self.truth_face, size)


def views(
    faces: pd.DataFrame, target: Frames, finished: Frames, deliverable: Deliverable, truth: Truth | None
) -> Iterator[View]:
    """A view per row of ``faces``, one at a time.

    Args:
        faces: columns ``frame`` (ascending, once each), ``shot``, ``split``, ``full``, ``stretch``, ``transform``,
            ``landmarks``.
        target, finished: frames of the same clip.
        deliverable: that was encoded.
        truth: the right answer, frame by frame the same performance; None if nobody knows it.

    Raises:
        Problem: the deliverable or the truth is shorter than the clip.
    """
    numbers = [int(number) for number in faces["frame"]]
    base = Fraction(target.facts.time_base)
    shown = _chosen(deliverable.frames(), numbers, deliverable.video)
    right = _chosen(truth.frames(), numbers, truth.folder) if truth else None
    labels, of_face = (None, ()) if truth is None else _labels(truth, numbers)
    rows = zip(faces.to_dict("records"), target.pick(numbers), finished.pick(numbers), strict=True)
    for row, old, new in rows:
        parts = None if labels is None else np.isin(next(labels).planes()[0], of_face)
        yield View(
            number=old.number,
            seconds=float(old.pts * base),
            shot=int(row["shot"]),
            split=str(row["split"]),
            full=bool(row["full"]),
            stretch=int(row["stretch"]),
            transform=geometry.as_matrix(np.asarray(row["transform"], np.float64)),
            landmarks=np.asarray(row["landmarks"], np.float32).reshape(-1, 3),
            target=old,
            finished=new,
            untouched=old.rgb(),
            delivered=next(shown).lit_as(old.facts).rgb(),
            truth=next(right).rgb() if right else None,
            truth_face=parts,
        )


def _labels(truth: Truth, numbers: Sequence[int]) -> tuple[Iterator[NativeFrame] | None, tuple[int, ...]]:
    """The truth's part labels of the wanted frames, and which labels are face."""
    face = face_labels(truth.facts)
    if not face:
        return None, ()
    return _chosen(truth.parts(), numbers, truth.folder), face


def _chosen(frames: Iterable[NativeFrame], numbers: Sequence[int], where: Path) -> Iterator[NativeFrame]:
    """The frames with these ascending numbers.

    Raises:
        Problem: there are fewer frames.
    """
    wanted = iter(numbers)
    number = next(wanted, None)
    for frame in frames:
        if number is None:
            return
        if frame.number == number:
            yield frame
            number = next(wanted, None)
    if number is not None:
        raise Problem(
            f"it has no frame {number}, but the clip has",
            where=where,
            mend="run `dvc repro`: it belongs to another clip",
        )
