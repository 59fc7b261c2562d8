"""Whether the performance was kept: landmarks of the finished face against the target's."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

OUTER_EYE_CORNERS: Final = (33, 263)
"""In the 478 landmarks: right, left."""


def landmark_error(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Normalised mean error of landmarks (NME).

    The mean distance in the picture of all landmarks, divided by the distance of the outer eye corners in
    ``expected`` (the inter-ocular distance of Sagonas et al. 2013, 300-W).

    Args:
        found, expected: (478, 2 or 3), pixels.

    Returns:
        0 for equal landmarks; 0.05 is five per cent of the distance between the eyes.
    """
    right, left = (expected[corner, :2] for corner in OUTER_EYE_CORNERS)
    between = max(float(np.linalg.norm(np.asarray(right) - np.asarray(left))), 1e-6)
    return float(np.linalg.norm(found[:, :2] - expected[:, :2], axis=1).mean() / between)
