"""Pictures as the bytes of a PNG or JPEG file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.problems import Problem


def png(picture: NDArray[np.uint8] | NDArray[np.uint16], where: str | Path) -> bytes:
    """A picture as PNG.

    Args:
        picture: (h, w, 3) RGB or (h, w) grey, uint8 or uint16.
        where: the bytes are meant for, for the message.

    Raises:
        Problem: it can not be written as PNG: it is empty or too large.
    """
    return _coded(".png", picture, where)


def jpeg(picture: NDArray[np.uint8], where: str | Path, *, quality: int) -> bytes:
    """A picture (h, w, 3) uint8 RGB as JPEG.

    Args:
        picture: with sides of at most 65,500 pixels.
        where: the bytes are meant for, for the message.
        quality: 0..100, as libjpeg counts.

    Raises:
        Problem: it can not be written as JPEG: it is empty or too large.
    """
    return _coded(".jpg", picture, where, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _coded(ending: str, picture: NDArray[Any], where: str | Path, options: Sequence[int] = ()) -> bytes:
    bgr = np.ascontiguousarray(picture[..., ::-1] if picture.ndim == 3 else picture)
    try:
        done, coded = cv2.imencode(ending, bgr, options)
    except cv2.error:
        done = False
    if not done:
        height, width = picture.shape[:2]
        raise Problem(
            f"a picture of {width} x {height} pixels can not be written as {ending[1:].upper()}",
            where=where,
            mend="ask for a smaller picture, or fewer in one",
        )
    return coded.tobytes()
