"""What passes before a face and stays the target's, as alignment has seen it (:mod:`stages.visible_face`)."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import pandas as pd

from stages.artifacts.visibility import unpacked
from stages.compositing.masks import Mask

_SURELY_HIDDEN: Final = 0.35
_SURELY_SEEN: Final = 0.65
"""How surely the network must see what is before a face for it to stay, or the face for it to be replaced; in between
the edge is soft. An edge of the network is wider than that of a thing: this is about as wide as a pixel of its crop."""

_SPECK: Final = 0.0015
"""Share of the crop up to which something alone is no thing before a face but a doubt: a mole, a tooth, a highlight."""

_RIM: Final = 1.0 / 64.0
"""How far a speck's soft rim reaches, in parts of the crop's side."""


def visible_of(faces: pd.DataFrame, row: int) -> Mask:
    """How surely each pixel of a face's crop shows the face, (s, s) float32 in 0..1.

    Args:
        faces: a table of faces, as :func:`stages.compositing.faces.faces_to_place` makes it.
        row: of the face.
    """
    return unpacked(faces["seen"].iloc[row])


def kept_free(visible: Mask, size: int) -> Mask:
    """Where a face may be replaced: 0 on what passes before it, 1 on the face, with an edge as soft as a thing's own.

    Args:
        visible: (s, s) float32, how surely the face is seen.
        size: side of the result in pixels.

    Returns:
        (size, size) float32 in [0, 1].
    """
    finer = cv2.resize(_without_specks(visible), (size, size), interpolation=cv2.INTER_LINEAR)
    share = np.clip((finer - _SURELY_HIDDEN) / (_SURELY_SEEN - _SURELY_HIDDEN), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _without_specks(visible: Mask) -> Mask:
    """The same with whatever is hidden alone, in a speck, seen."""
    hidden = (visible < 0.5).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(hidden, connectivity=8)
    small = [one for one in range(1, count) if statistics[one, cv2.CC_STAT_AREA] < _SPECK * visible.size]
    if not small:
        return visible
    speck = np.isin(labels, small)
    # its soft rim with it, but nothing of its neighbours
    reach = 2 * round(_RIM * len(visible)) + 1
    rim = cv2.dilate(speck.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return np.where(rim & ((labels == 0) | speck), np.maximum(visible, np.float32(_SURELY_SEEN)), visible)
