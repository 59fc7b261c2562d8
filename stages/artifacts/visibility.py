"""Which pixels of an aligned crop show the face, as alignment stores it of each face: a PNG of some ten kilobytes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE: Final = 128
"""Side of the crop that is looked at, pixels."""

FINE: Final = 2 * SIZE
"""Side of the picture that is stored, pixels: rims of glasses, gaps between fingers."""

_BITS: Final = 255


def packed(visible: NDArray[np.float32]) -> bytes:
    """How surely each pixel shows the face, (s, s) float32 in 0..1, in steps of 1/255."""
    values = np.rint(np.clip(visible, 0.0, 1.0) * _BITS).astype(np.uint8)
    done, data = cv2.imencode(".png", values)
    assert done
    return data.tobytes()


def unpacked(data: bytes) -> NDArray[np.float32]:
    """What :func:`packed` was given, in its steps.

    Raises:
        ValueError: it is no such picture.
    """
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if values is None:
        raise ValueError("no picture of what is seen of a face")
    return values.astype(np.float32) / np.float32(_BITS)


ALL_SEEN: Final = packed(np.ones((SIZE, SIZE), np.float32))
"""Of a face before which nothing passes."""
