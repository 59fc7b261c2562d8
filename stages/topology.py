"""Names of the places in the 478 landmarks (MediaPipe's face mesh numbering; left and right are the person's own)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats

RIGHT_EYE_CORNERS: Final = (33, 133)
"""Outer, inner."""
LEFT_EYE_CORNERS: Final = (263, 362)
RIGHT_EYE_LIDS: Final = ((159, 145), (158, 153), (160, 144))
"""Pairs of upper and lower lid."""
LEFT_EYE_LIDS: Final = ((386, 374), (385, 380), (387, 373))
RIGHT_EYE: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""The outline of what the lids leave open, closed, from the outer corner along the lower lid and back."""
LEFT_EYE: Final = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
MOUTH_CORNERS: Final = (61, 291)
"""Right, left."""
INNER_LIPS: Final = ((13, 14), (82, 87), (312, 317))
"""Pairs of upper and lower inner lip."""
NOSE_TIP: Final = 4
NOSE_BRIDGE: Final = 168
"""Between the eyes."""
NOSE_BASE: Final = 2
"""Where the nose meets the upper lip."""
FOREHEAD: Final = 10
CHIN: Final = 152

OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
               149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
"""The outline of the face, closed, from the top of the forehead over the person's left side to the chin and back."""

UPPER_OVAL: Final = (54, 103, 67, 109, 10, 338, 297, 332, 284)
"""The part of the outline that runs over the forehead, from the person's right to the left."""

RIGID: Final = (33, 133, 263, 362, 168, 6, 197, 195, 5, 4, 2, 98, 327, 129, 358, 10, 109, 338, 67, 297, 54, 284, 127,
                356, 234, 454, 151, 9, 8, 143, 372)  # fmt: skip
"""Places that neither the jaw, the lips, the lids nor the brows move: eye corners, nose, forehead, temples."""


def five_points(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """The five points that a recogniser is aligned by, in the order of a detector's.

    Args:
        landmarks: (..., 478, 2 or 3).

    Returns:
        (..., 5, 2) float32: right eye, left eye (between their corners), nose tip, right and left corner of the mouth.
    """
    flat = landmarks[..., :2]
    right = flat[..., RIGHT_EYE_CORNERS, :].mean(axis=-2)
    left = flat[..., LEFT_EYE_CORNERS, :].mean(axis=-2)
    points = [
        right,
        left,
        flat[..., NOSE_TIP, :],
        flat[..., MOUTH_CORNERS[0], :],
        flat[..., MOUTH_CORNERS[1], :],
    ]
    return np.stack(points, axis=-2).astype(np.float32)


_IRIS_MIRROR: Final = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)
"""Of the irises' places 468 to 477 (each: middle, then four about it), which the canonical face does not have."""


def mirror_of(canonical: Floats) -> NDArray[np.intp]:
    """Which place of a face a mirror shows where another one was.

    Args:
        canonical: (468, 3) a face that is its own mirror image in x, see :func:`stages.packs.canonical.read_canonical`.

    Returns:
        (478,) numbers of places; taken twice they are every place itself.
    """
    mirrored = canonical * np.array([-1.0, 1.0, 1.0])
    nearest = np.argmin(np.square(canonical[None] - mirrored[:, None]).sum(axis=-1), axis=1)
    return np.concatenate([nearest, np.array(_IRIS_MIRROR, nearest.dtype)])
