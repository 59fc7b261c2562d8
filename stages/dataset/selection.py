"""Which faces go into a face set, and into which part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.decisions import Drop, at
from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.dataset.settings import FilterSettings, SplitSettings
from stages.problems import Problem

KEPT: Final = ""
HAND: Final = "by hand"
GUARD: Final = "next to a held-out block"
DUPLICATE: Final = "nearly the same as the one before"
CELLS: Final = 16
"""Faces are compared by the means of so many cells along each side: noise counts little, a lip or a lid does."""


def by_hand(table: pd.DataFrame, drops: Sequence[Drop], frames: int, clip: str) -> list[str]:
    """Why a person had each face of an alignment table dropped; empty where nobody did.

    Args:
        table: rows of :class:`stages.artifacts.alignments.Alignments`.
        drops: what was decided; where several are about a frame, the first is told.
        frames: how many the clip has.
        clip: its name, for messages.

    Raises:
        Problem: a range has no face of the person in it.
    """
    numbers = table["frame"].to_numpy()
    found = np.full(len(table), KEPT, dtype=object)
    for entry, drop in enumerate(drops):
        for span in drop.frames:
            inside = (numbers >= span.first) & (numbers <= span.last)
            if not inside.any() or span.last >= frames:
                raise Problem(
                    f"there is no face of the person in {span} to drop",
                    where=at(clip, "drop", entry),
                    mend=f"correct the numbers (the clip's frames go from 0 to {frames - 1}), or remove them",
                )
            found[inside & (found == KEPT)] = f"{HAND}: {drop.reason}" if drop.reason else HAND
    return [str(reason) for reason in found]


def reasons(table: pd.DataFrame, inside: NDArray[np.floating], settings: FilterSettings) -> list[str]:
    """Why each face of an alignment table is dropped; empty where it is kept.

    Args:
        table: rows of :class:`stages.artifacts.alignments.Alignments`.
        inside: of each, as :func:`shares_inside` has it.
        settings: the limits.
    """
    sharp_enough = settings.sharpness * float(table["sharpness"].median()) if len(table) else 0.0
    clear_enough = float(table["visible"].median()) - settings.covered if len(table) else 0.0
    checks = [
        ("landmarks are not sure", table["confidence"] < settings.confidence),
        ("cut by the frame's edge", pd.Series(inside, table.index) < settings.inside),
        ("covered", table["visible"] < clear_enough),
        ("blurred", table["sharpness"] < sharp_enough),
        ("too dark", table["exposure"] < settings.darkest),
        ("too bright", table["exposure"] > settings.brightest),
        ("turned too far", table["yaw"].abs() > settings.yaw),
    ]
    found = np.full(len(table), KEPT, dtype=object)
    for reason, failed in reversed(checks):  # the first that applies is told
        found[failed.to_numpy()] = reason
    return [str(reason) for reason in found]


def shares_inside(landmarks: NDArray[np.floating], width: int, height: int) -> NDArray[np.float64]:
    """Of each face, the share of its landmarks (n, 478, 2 or 3) that lie in a frame of this size, (n,)."""
    points = landmarks[:, :, :2]
    return np.asarray(((points >= 0) & (points <= (width, height))).all(axis=2).mean(axis=1), np.float64)


def parts(frames: NDArray[np.integer], settings: SplitSettings, shown: NDArray[np.integer] | None = None) -> list[str]:
    """The part of each face, by its frame: ``train``, ``held-out``, or empty for the guard between them.

    Held-out blocks are spread evenly over the frames that show the person: where a clip shows somebody else, that is no
    part of them, and what a filter or a hand leaves out moves none. Neighbouring frames are nearly the same picture: a
    held-out frame next to a training frame would measure memory, not skill. A share of 1 holds all out.

    Args:
        frames: (n,) frame numbers of the faces that are used, ascending.
        settings: the share, the blocks' length and the guard.
        shown: (m,) those of all faces of the person, ascending; ``frames`` if None.
    """
    if not len(frames):
        return []
    if settings.held_out >= 1:
        return [HELD_OUT] * len(frames)
    split = _split(frames, settings, np.unique(frames if shown is None else shown))
    if HELD_OUT not in split:  # whatever lay in the blocks was left out
        split = _split(frames, settings, np.unique(frames))
    return split


def _split(frames: NDArray[np.integer], settings: SplitSettings, shown: NDArray[np.integer]) -> list[str]:
    wanted = settings.held_out * len(shown)
    blocks = max(1, round(wanted / settings.block)) if wanted >= 1 else 0
    length = round(wanted / blocks) if blocks else 0
    split = np.full(len(frames), TRAIN, dtype=object)
    for block in range(blocks):
        start = round((block + 0.5) * len(shown) / blocks - length / 2)
        first, last = shown[start : start + length][[0, -1]].tolist()
        split[(frames >= first - settings.guard) & (frames <= last + settings.guard)] = KEPT
        split[(frames >= first) & (frames <= last)] = HELD_OUT
    return [str(part) for part in split]


class DuplicateFilter:
    """Tells faces that show nothing new after the last one that was kept.

    Args:
        difference: of any cell's mean, in code values 0..255, from which a face is new; 0 takes all.
    """

    def __init__(self, difference: float) -> None:
        self._difference = difference
        self._last: NDArray[np.float32] | None = None

    def is_new(self, crop: NDArray[np.uint8]) -> bool:
        """Whether a crop (s, s, 3) differs enough; if so, the next one is compared with it."""
        small = cv2.resize(crop, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float32)
        new = self._last is None or float(np.abs(small - self._last).max()) >= self._difference
        if new:
            self._last = small
        return new
