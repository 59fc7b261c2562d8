"""Luma in pictures of any pixel format: seen on the raster, and changed in place."""

from __future__ import annotations

from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stages.problems import Problem
from stages.video import planes_of
from stages.watermark.pattern import Floats
from stages.watermark.raster import small

_WEIGHTS: Final = {"r": 0.2126, "g": 0.7152, "b": 0.0722}
"""Of luma in R, G and B (ITU-R BT.709); which matrix it is makes no difference to a mark that is in all three alike."""

_PACKED: Final = ("rgb24", "bgr24", "rgb0", "bgr0", "rgba", "bgra", "rgb48le", "rgba64le", "bgr48le", "bgra64le")


def depth_of(picture: av.VideoFrame) -> int:
    """Bits of a sample."""
    return int(picture.format.components[0].bits)


def brightness(picture: av.VideoFrame) -> Floats:
    """A picture's luma on the raster, (SIDE, SIDE) float32 in codes of 8 bits; of unusual formats by way of grey."""
    try:
        samples = _samples(picture)
    except Problem:
        picture = picture.reformat(format="gray")
        samples = _samples(picture)
    depth = depth_of(picture)
    if "" in samples:
        return small(samples[""], depth)
    return np.asarray(sum(_WEIGHTS[name] * small(plane, depth) for name, plane in samples.items()), np.float32)


def shift(picture: av.VideoFrame, more: NDArray[np.integer], less: NDArray[np.integer]) -> None:
    """Add to, and take from, the luma of a picture in place, within the range of its samples.

    Raises:
        Problem: of the pixel format it is not known which samples are luma.
    """
    depth = depth_of(picture)
    top = (1 << depth) - 1
    for plane in _samples(picture).values():
        changed = cv2.subtract(cv2.add(plane, more), less)
        plane[:] = changed if depth in (8, 16) else np.minimum(changed, top)


def _samples(picture: av.VideoFrame) -> dict[str, NDArray[Any]]:
    """Views of the samples to be marked: luma under "", or R, G and B under their letters.

    Raises:
        Problem: the pixel format is none of those in which frames are kept.
    """
    name = picture.format.name
    planes = planes_of(picture)
    if name.endswith("be") or name.startswith(("grayf", "gbrpf", "gbrapf")):
        raise _unknown(name)
    if (name.startswith(("yuv", "gray")) and len(planes) != 1) or name.startswith("gray"):
        return {"": planes[0]}
    if name.startswith("gbr"):
        return dict(zip("gbr", planes[:3], strict=True))
    if name in _PACKED:
        letters = name[:3]
        step = planes[0].shape[1] // picture.width
        return {letter: planes[0][:, place::step] for place, letter in enumerate(letters)}
    raise _unknown(name)


def _unknown(name: str) -> Problem:
    return Problem(
        f"frames of the pixel format {name} can not be marked",
        where="encoding.watermark in params.yaml",
        mend="convert the clip first: ffmpeg -i IN -pix_fmt yuv444p16le -c:v ffv1 -c:a copy OUT.mkv",
    )
