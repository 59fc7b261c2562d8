"""What frames are measured with, and the rows that come of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stages.artifacts.swap_model import SwapModel
from stages.evaluation.likeness import Likeness
from stages.evaluation.performance import Performance
from stages.evaluation.views import Mask, Picture, View
from stages.geometry import Floats
from stages.packs import Landmarker

Row = dict[str, float | int | str]


@dataclass(frozen=True)
class Converts:
    """The converted crops (r, r, 3) uint8 RGB and masks (r, r) uint8 of the frames that are measured in full."""

    crops: list[Picture]
    masks: list[NDArray[np.uint8]]


@dataclass(frozen=True)
class Instruments:
    """What frames are measured with.

    Attributes:
        likeness: tells whom a face looks like.
        second: tells it, too, by a recogniser that no loss can learn through; None if there is none.
        landmarker, canonical: tell what it does.
        model: the swap model.
        wrong: a session on the target's own network.
        still: one face of the source and its mask, of the model's output size.
        threads: of programs, on the CPU.
    """

    likeness: Likeness
    landmarker: Landmarker
    canonical: Floats
    model: SwapModel
    wrong: ort.InferenceSession
    still: tuple[Picture, Mask]
    threads: int
    second: Likeness | None = None

    def performance(self, view: View, picture: Picture) -> Performance:
        """What the face of a view does in one version of its frame, in square pixels."""
        square = view.shape.picture(picture)
        height, width = square.shape[:2]
        found, _ = self.landmarker.refine(square, view.shape.points(view.landmarks)[None])
        return Performance.of(found[0], self.canonical, width, height)
