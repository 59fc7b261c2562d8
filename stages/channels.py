"""A frame's own channels, and what an RGB colour is in each: so that a region can be changed and nothing else.

A frame is never taken to RGB and back. Each channel (Y', Cb, Cr, or R', G', B') is an affine function of RGB code
values, so a layer is brought into the channel's own numbers, at the channel's own resolution, and blended there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stages.problems import Problem
from stages.video import VideoFacts, planes_of

Floats = NDArray[np.float32]

LUMA_OF_RED_AND_BLUE: Final = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""K_R and K_B by the number of the matrix (ITU-T H.273, table 4)."""

PACKED: Final = {
    **dict.fromkeys(("rgb24", "rgb0", "rgba", "rgb48le", "rgba64le"), "rgb"),
    **dict.fromkeys(("bgr24", "bgr0", "bgra"), "bgr"),
    **dict.fromkeys(("0rgb", "argb"), "argb"),
    **dict.fromkeys(("0bgr", "abgr"), "abgr"),
}
"""Order of the components of interleaved formats, up to the last colour."""


@dataclass(frozen=True)
class Channel:
    """One channel of a picture.

    Attributes:
        samples: (h, w) uint8 or uint16, a view: writing to it changes the picture.
        across, down: how many pixels a sample spans, 1 for luma.
        weights: (3,) float32, ``offset``: code value = weights . RGB + offset, RGB in 0..1.
        largest: code value.
    """

    samples: NDArray[Any]
    across: int
    down: int
    weights: Floats
    offset: float
    largest: int

    def part(self, box: tuple[int, int, int, int]) -> NDArray[Any]:
        """The samples of a box x0, y0, x1, y1 of pixels that starts on whole samples; a view."""
        x0, y0, x1, y1 = box
        return self.samples[y0 // self.down : -(-y1 // self.down), x0 // self.across : -(-x1 // self.across)]

    def values_of(self, rgb: Floats) -> Floats:
        """What a picture (h, w, 3) float32 0..1 is in this channel: (h/down, w/across) float32 code values."""
        return self.reduced(rgb @ self.weights + np.float32(self.offset))

    def reduced(self, values: Floats) -> Floats:
        """Values (h, w) a pixel as values a sample: means over the pixels that it spans (the filter swscale uses)."""
        if self.across == 1 and self.down == 1:
            return values
        height, width = values.shape
        size = (-(-width // self.across), -(-height // self.down))
        beyond = (size[1] * self.down - height, size[0] * self.across - width)
        if any(beyond):
            values = np.pad(values, ((0, beyond[0]), (0, beyond[1])), mode="edge")
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)

    def write(self, box: tuple[int, int, int, int], values: Floats, where: NDArray[np.bool_]) -> None:
        """Round ``values`` into the samples of a box, only ``where``."""
        part = self.part(box)
        rounded = np.clip(np.rint(values), 0, self.largest).astype(part.dtype)
        part[where] = rounded[where]


def channels(picture: av.VideoFrame, facts: VideoFacts) -> list[Channel]:
    """The colour channels of a picture, alpha left out.

    Raises:
        Problem: the pixel format is neither planar Y'CbCr, grey, nor RGB.
    """
    name = picture.format.name
    planes = planes_of(picture)
    bits = picture.format.components[0].bits
    if name in PACKED:
        return list(_packed(planes[0], name, bits, picture.width))
    if name.startswith(("gbrp", "gbrap")) and "f" not in name:
        return [_colour(plane, colour, bits) for plane, colour in zip(planes, (1, 2, 0), strict=False)]
    if name.startswith(("yuv", "gray")) and "f" not in name and len(planes) >= (1 if name.startswith("gray") else 3):
        # FFmpeg turns grey into RGB as of full range, whatever its range is said to be
        full = facts.full_range or name.startswith("gray")
        return list(_luma_and_chroma(planes[:3], picture, bits, facts.matrix_number, full))
    raise Problem(
        f"nothing can be written into the pixel format {name}",
        where="clips",
        mend="convert the clip to a planar format first: ffmpeg -i IN -pix_fmt yuv444p -crf 0 OUT.mkv",
    )


def opacity(picture: av.VideoFrame) -> Channel | None:
    """How opaque each pixel is, as a channel of weight 0; None where the pixel format does not say."""
    name = picture.format.name
    planes = planes_of(picture)
    largest = (1 << picture.format.components[-1].bits) - 1
    none = np.zeros(3, np.float32)
    if name in PACKED and "a" in name:
        components = planes[0].shape[1] // picture.width
        return Channel(planes[0][:, name.index("a") :: components], 1, 1, none, 0.0, largest)
    if name.startswith(("yuva", "gbrap")):
        return Channel(planes[3], 1, 1, none, 0.0, largest)
    return None


def _colour(samples: NDArray[Any], colour: int, bits: int) -> Channel:
    largest = (1 << bits) - 1
    weights = np.zeros(3, np.float32)
    weights[colour] = largest
    return Channel(samples, 1, 1, weights, 0.0, largest)


def _packed(plane: NDArray[Any], name: str, bits: int, width: int) -> Iterator[Channel]:
    components = plane.shape[1] // width
    for place, letter in enumerate(PACKED[name]):
        if letter != "a":
            yield _colour(plane[:, place::components], "rgb".index(letter), bits)


def _luma_and_chroma(
    planes: list[NDArray[Any]], picture: av.VideoFrame, bits: int, matrix: int, full: bool
) -> Iterator[Channel]:
    """Y', Cb and Cr by ITU-T H.273, equations 24 to 38 (limited range: 16..235 and 16..240 times 2^(bits - 8))."""
    red, blue = LUMA_OF_RED_AND_BLUE.get(matrix, LUMA_OF_RED_AND_BLUE[1])
    luma = np.array([red, 1.0 - red - blue, blue])
    largest, step = (1 << bits) - 1, 1 << (bits - 8)
    luma_scale, luma_offset = (largest, 0.0) if full else (219.0 * step, 16.0 * step)
    chroma_scale, chroma_offset = (largest if full else 224.0 * step), 128.0 * step
    blue_less_luma = (np.array([0.0, 0.0, 1.0]) - luma) / (2.0 * (1.0 - blue))
    red_less_luma = (np.array([1.0, 0.0, 0.0]) - luma) / (2.0 * (1.0 - red))
    rows = [
        (luma * luma_scale, luma_offset),
        (blue_less_luma * chroma_scale, chroma_offset),
        (red_less_luma * chroma_scale, chroma_offset),
    ]
    for plane, (weights, offset) in zip(planes, rows, strict=False):
        across, down = round(picture.width / plane.shape[1]), round(picture.height / plane.shape[0])
        yield Channel(plane, across, down, weights.astype(np.float32), float(offset), largest)
