"""Which frames are measured."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.face_set import HELD_OUT

OTHER = "other"
"""The split of a frame that the face set dropped, for instance as too blurred: it was neither trained on nor kept."""


SHORTEST_STRETCH: Final = 12
"""Frames; shorter runs tell nothing of time."""


def spread(count: int, wanted: int) -> NDArray[np.intp]:
    """At most ``wanted`` of ``count`` positions, evenly spread, first and last among them, ascending."""
    if wanted <= 0 or count == 0:
        return np.zeros(0, np.intp)
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(np.intp))


def chosen_stretches(faces: pd.DataFrame, wanted: int, length: int) -> list[list[int]]:
    """Frames in a row, for what only neighbours tell: flicker, trembling, lag.

    The clip's runs of faces without a gap or a cut are divided into stretches of ``length`` frames; of these ``wanted``
    are taken, evenly spread.

    Args:
        faces: columns ``frame`` (ascending, once each) and ``shot``.
        wanted: number of stretches at most.
        length: frames in a stretch; the last one of a run may be as short as :data:`SHORTEST_STRETCH`.

    Returns:
        the frames' numbers of each stretch, ascending.
    """
    frames, shots = faces["frame"].to_numpy(), faces["shot"].to_numpy()
    breaks = np.flatnonzero((np.diff(frames) != 1) | (np.diff(shots) != 0)) + 1
    least = min(length, SHORTEST_STRETCH)
    found = [
        part.tolist()
        for run in np.split(frames, breaks)
        for part in np.split(run, range(length, len(run), length))
        if len(part) >= least
    ]
    return [found[position] for position in spread(len(found), wanted)]


def with_split(faces: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """One face a frame, with the part of the face set that it belongs to.

    Args:
        faces: columns ``frame`` and ``face``, sorted; of a frame's faces the first is taken.
        splits: columns ``frame``, ``face``, ``split`` of the target clip's face set.

    Returns:
        rows of ``faces`` with the column ``split`` added (``train``, ``held-out`` or ``other``), by frame.
    """
    known = faces.merge(splits[["frame", "face", "split"]], on=["frame", "face"], how="left")
    known["split"] = known["split"].fillna(OTHER)
    return known.drop_duplicates("frame").reset_index(drop=True)


def chosen_faces(known: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """The faces to measure in full: half of them held-out ones as far as there are enough.

    Args:
        known: of :func:`with_split`.
        wanted: number of frames at most.

    Returns:
        rows of ``known``, by frame.
    """
    held_out = np.flatnonzero((known["split"] == HELD_OUT).to_numpy())
    rest = np.flatnonzero((known["split"] != HELD_OUT).to_numpy())
    of_held_out = min(len(held_out), max(wanted - wanted // 2, wanted - len(rest)))
    picked = [held_out[spread(len(held_out), of_held_out)], rest[spread(len(rest), wanted - of_held_out)]]
    return known.iloc[np.sort(np.concatenate(picked))].reset_index(drop=True)
