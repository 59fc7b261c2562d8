"""What the content gate looked at of a clip: so that what comes out can be held against what came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from stages.artifacts.files import REMAKE
from stages.atomic import whole_file
from stages.novelty import CELLS
from stages.problems import Problem


def place_of(clip: str) -> Path:
    """Where it lies what was looked at of a clip."""
    return Path("data/screening") / f"{clip}.safetensors"


@dataclass(frozen=True)
class LookedAt:
    """Frames that were looked at.

    Attributes:
        frames: (n,) int64, their numbers.
        scores: (n,) float32, 0 to 1, the network's probability of nudity.
        cells: (n, CELLS, CELLS, 3) uint8, the frames as :func:`stages.novelty.cells_of` has them.
    """

    frames: NDArray[np.int64]
    scores: NDArray[np.float32]
    cells: NDArray[np.uint8]

    @classmethod
    def of(cls, frames: Sequence[int], scores: Sequence[float], cells: Sequence[NDArray[np.uint8]]) -> Self:
        """From what was seen of each frame."""
        seen = np.stack(cells) if cells else np.empty((0, CELLS, CELLS, 3), np.uint8)
        return cls(np.array(frames, np.int64), np.array(scores, np.float32), seen)

    def told_by(self, below: float) -> dict[int, NDArray[np.uint8] | None]:
        """By a frame's number its cells, or None where its score is not below something: it was in doubt then, and
        nothing is told by being like it."""
        rows = zip(self.frames.tolist(), self.scores.tolist(), self.cells, strict=True)
        return {frame: cells if score < below else None for frame, score, cells in rows}

    def write(self, place: Path) -> None:
        """As one safetensors file.

        Raises:
            Problem: the disk is full or the file may not be written.
        """
        with whole_file(place) as scratch:
            scratch.write_bytes(save({"frames": self.frames, "scores": self.scores, "cells": self.cells}))

    @classmethod
    def of_clip(cls, clip: str) -> Self | None:
        """Of a clip of the project; None if that is not there.

        Raises:
            Problem: it is damaged.
        """
        place = place_of(clip)
        return cls.read(place) if place.is_file() else None

    @classmethod
    def read(cls, place: Path) -> Self:
        """Raises: Problem if it is missing or damaged."""
        try:
            stored = load(place.read_bytes())
            found = cls(stored["frames"], stored["scores"], stored["cells"])
        except (OSError, SafetensorError, KeyError) as error:
            raise Problem(f"it can not be read: {error}", where=place, mend=REMAKE) from error
        if found.cells.shape != (len(found.frames), CELLS, CELLS, 3) or found.scores.shape != found.frames.shape:
            raise Problem("it does not hold what was looked at", where=place, mend=REMAKE)
        return found
