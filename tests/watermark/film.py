"""Small films to mark, and what may happen to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from stages.video import NativeFrame, VideoFacts, planes_of

Grey = NDArray[np.uint8]


def pictures(width: int = 480, height: int = 270, count: int = 12, *, first: int = 0) -> Iterator[Grey]:
    """A portrait (NASA, public domain) over which a camera pans, (height, width) uint8."""
    portrait = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    scale = 1.2 * max(width, height) / 512
    for number in range(first, first + count):
        matrix = np.array([[scale, 0.0, -10 - number], [0.0, scale, -5 - number / 2]])
        yield np.asarray(cv2.warpAffine(portrait, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def lawn(width: int = 480, height: int = 270, count: int = 50) -> Iterator[Grey]:
    """Grass that fills the picture (Brodatz texture) under a camera that pans slowly, (height, width) uint8."""
    grass = skimage.data.grass()
    for number in range(count):
        matrix = np.array([[1.4, 0.0, -20 - number / 2], [0.0, 1.4, -20 - number / 4]])
        yield np.asarray(cv2.warpAffine(grass, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def frames(shown: Iterable[Grey], pixel_format: str = "gray", *, rate: int = 25) -> Iterator[NativeFrame]:
    """Grey pictures as frames of any pixel format."""
    for number, grey in enumerate(shown):
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(grey), format="gray")
        if pixel_format != "gray":
            picture = picture.reformat(format=pixel_format)
        facts = VideoFacts(
            width=picture.width,
            height=picture.height,
            pixel_format=pixel_format,
            time_base=f"1/{rate}",
            rate=f"{rate}/1",
        )
        yield NativeFrame(number, number, 1, picture, facts)


def compressed(shown: Iterable[Grey], quality: int) -> Iterator[Grey]:
    """Each picture through JPEG, which loses much as video encoders do."""
    for grey in shown:
        _, coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
        yield np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def luma(frame: NativeFrame) -> Grey:
    """The first plane, (h, w)."""
    return np.asarray(planes_of(frame.picture)[0])
