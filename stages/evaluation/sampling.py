"""Which frames are measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.face_set import HELD_OUT

OTHER = "other"
"""The split of a frame that the face set dropped, for instance as too blurred: it was neither trained on nor kept."""


def spread(count: int, wanted: int) -> NDArray[np.intp]:
    """At most ``wanted`` of ``count`` positions, evenly spread, first and last among them, ascending."""
    if wanted <= 0 or count == 0:
        return np.zeros(0, np.intp)
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(np.intp))


def chosen_faces(faces: pd.DataFrame, splits: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """The faces to measure: one a frame, half of them held-out ones as far as there are enough.

    Args:
        faces: columns ``frame`` and ``face``, sorted; of a frame's faces the first is taken.
        splits: columns ``frame``, ``face``, ``split`` of the target clip's face set.
        wanted: number of frames at most.

    Returns:
        rows of ``faces`` with the column ``split`` added (``train``, ``held-out`` or ``other``), by frame.
    """
    known = faces.merge(splits[["frame", "face", "split"]], on=["frame", "face"], how="left")
    known["split"] = known["split"].fillna(OTHER)
    known = known.drop_duplicates("frame").reset_index(drop=True)
    held_out = np.flatnonzero((known["split"] == HELD_OUT).to_numpy())
    rest = np.flatnonzero((known["split"] != HELD_OUT).to_numpy())
    of_held_out = min(len(held_out), max(wanted - wanted // 2, wanted - len(rest)))
    picked = [held_out[spread(len(held_out), of_held_out)], rest[spread(len(rest), wanted - of_held_out)]]
    return known.iloc[np.sort(np.concatenate(picked))].reset_index(drop=True)
