"""How well a mask fits the right one: overlap of the areas, and nearness of the edges."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

TOLERANCE: Final = 0.008
"""How far apart edges may lie and still count as met, as a share of the picture's diagonal (the benchmark's own)."""


def intersection_over_union(found: Mask, right: Mask) -> float:
    """The Jaccard index of two masks of one size: 1 for equal ones, 0 for ones apart; NaN if both are empty."""
    either = int((found | right).sum())
    return float((found & right).sum() / either) if either else float("nan")


def boundary_f(found: Mask, right: Mask) -> float:
    """The boundary measure F of DAVIS (Perazzi et al. 2016, section 4), 0..1.

    The harmonic mean of precision (which share of the found edge lies within the tolerance of the right one) and recall
    (which share of the right edge lies within it of the found one).

    Returns:
        1 for equal masks; NaN if neither has an edge.
    """
    reach = max(1.0, TOLERANCE * float(np.hypot(*right.shape)))
    edges = edge(found), edge(right)
    if not edges[0].any() and not edges[1].any():
        return float("nan")
    if not edges[0].any() or not edges[1].any():
        return 0.0
    precision = float((_distance_to(edges[1])[edges[0]] <= reach).mean())
    recall = float((_distance_to(edges[0])[edges[1]] <= reach).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def edge(mask: Mask) -> Mask:
    """The mask's own pixels that have a neighbour outside of it; the picture's border is no edge."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask & ~inner.astype(bool))


def _distance_to(line: Mask) -> NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
