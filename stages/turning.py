"""Frames turned by multiples of 90 degrees, without changing a sample."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts, planes_of

_ACROSS_TO_DOWN = {
    "yuv422p": "yuv440p",
    "yuv422p10le": "yuv440p10le",
    "yuv422p12le": "yuv440p12le",
}
"""Chroma of half the width has half the height when it lies on its side, and no other sample is needed."""

_ON_ITS_SIDE = _ACROSS_TO_DOWN | {down: across for across, down in _ACROSS_TO_DOWN.items()}


def turned(facts: VideoFacts, degrees: int, where: str | Path) -> VideoFacts:
    """The facts of the frames after a clockwise turn by a multiple of 90 degrees; ``where`` is told of a fault.

    Raises:
        Problem: the pixel format can not lie on its side.
    """
    if degrees not in (90, 270):
        return facts.model_copy(update={"rotation": degrees})
    own = facts.pixel_format
    if own not in _ON_ITS_SIDE and own.startswith(("yuv411", "yuv410", "yuv422", "yuv440", "yuva422")):
        raise Problem(
            f"frames of the pixel format {own} can not be turned by {degrees} degrees without a conversion",
            where=where,
            mend="convert the clip first: ffmpeg -i IN -pix_fmt yuv444p16le -c:v ffv1 -c:a copy OUT.mkv",
        )
    numerator, denominator = facts.sample_aspect.split("/")
    return facts.model_copy(
        update={
            "width": facts.height,
            "height": facts.width,
            "pixel_format": _ON_ITS_SIDE.get(own, own),
            "sample_aspect": f"{denominator}/{numerator}",
            "rotation": degrees,
        }
    )


class Turner:
    """Turns frames clockwise by 90, 180 or 270 degrees: samples are moved, none is computed."""

    def __init__(self, facts: VideoFacts, degrees: int, where: str | Path) -> None:
        """Raises: Problem, told of ``where``, if the pixel format can not lie on its side."""
        self.facts = turned(facts, degrees, where)
        self._quarters = -degrees // 90

    def __call__(self, frame: NativeFrame) -> NativeFrame:
        """The turned frame; number and times are kept."""
        old, facts = frame.picture, self.facts
        new = av.VideoFrame(facts.width, facts.height, facts.pixel_format)
        for there, here in zip(planes_of(old), planes_of(new), strict=True):
            # Of a packed format a row holds a pixel's components one after the other.
            packed = there.shape[1] // old.width if len(old.planes) == 1 else 1
            pixels = there.reshape(there.shape[0], -1, packed)
            here[:] = np.rot90(pixels, self._quarters).reshape(here.shape)
        new.pts, new.time_base, new.duration = old.pts, old.time_base, old.duration
        return replace(frame, picture=new, facts=facts)


def each_upright(frames: Iterator[NativeFrame], path: Path) -> Iterator[NativeFrame]:
    """The frames turned as their display matrix asks; most clips need no turn and pass untouched.

    Raises:
        Problem: the matrix asks for something else than a turn by a multiple of 90 degrees, or changes.
    """
    turner: Turner | None = None
    degrees = None
    for frame in frames:
        asked = _asked(frame, path)
        if degrees is not None and asked != degrees:
            raise Problem(
                f"frame {frame.number} is turned by {asked} degrees, those before it by {degrees}",
                where=path,
                mend="split the clip there",
            )
        degrees = asked
        if degrees == 0:
            yield frame
            continue
        turner = turner or Turner(frame.facts, degrees, path)
        yield turner(frame)


def _asked(frame: NativeFrame, path: Path) -> int:
    """Degrees clockwise that stand a frame upright."""
    try:
        return turn_of(frame.picture)
    except ValueError as error:
        raise Problem(
            f"frame {frame.number} is to be shown {error}",
            where=path,
            mend="make its pictures so: ffmpeg -i IN -c:v ffv1 -c:a copy OUT.mkv",
        ) from None


def turn_of(picture: av.VideoFrame) -> int:
    """Degrees clockwise by which a picture's display matrix asks to turn it.

    Raises:
        ValueError: it asks for something else than a turn by a multiple of 90 degrees.
    """
    try:
        matrix: Any = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all kinds of side data, such as the Exif of TIFF, and then gives none
        if picture.rotation % 90:
            raise ValueError(_ODD_TURN) from None
        return int(-picture.rotation) % 360
    return 0 if matrix is None else clockwise(bytes(matrix))


_ODD_TURN = "turned or stretched by other than multiples of 90 degrees"


def clockwise(matrix: bytes) -> int:
    """Degrees clockwise that a display matrix asks for.

    Args:
        matrix: 3 x 3 numbers of 32 bits, 16.16 fixed point, by rows, that row vectors are multiplied with.

    Raises:
        ValueError: it asks for something else than a turn by a multiple of 90 degrees.
    """
    a, b, _, c, d = (value / 65536 for value in struct.unpack("=5i", matrix[:20]))
    turns = {(1, 0, 0, 1): 0, (0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}
    if (a, b, c, d) not in turns:
        mirrored = a * d - b * c < 0
        raise ValueError("mirrored" if mirrored else _ODD_TURN)
    return turns[a, b, c, d]
