"""Pictures in a pixel format that the lossless shards can hold: their own, or the same samples in another order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import av
import av.codec
import numpy as np

from stages.problems import Problem
from stages.video import NativeFrame, planes_of

REORDERED: Final = {
    **dict.fromkeys(("rgb24", "bgr24", "gbrp", "rgb0", "0rgb", "0bgr"), "bgr0"),
    **dict.fromkeys(("rgba", "argb", "abgr", "gbrap"), "bgra"),
    **dict.fromkeys(("uyvy422", "yuyv422", "yvyu422"), "yuv422p"),
    "nv12": "yuv420p",
}
"""Formats that FFV1 lacks -> one with the same samples in another order. Big-endian ones lose their ``be``."""


def holdable(pixel_format: str) -> str | None:
    """The format in which shards keep the samples of ``pixel_format``, None if there is none.

    Grey with alpha and floating point are left out: nothing after extraction could write into them.
    """
    wanted = REORDERED.get(pixel_format, pixel_format)
    wanted = f"{wanted[:-2]}le" if wanted.endswith("be") else wanted
    formats = {each.name for each in av.codec.Codec("ffv1", "w").video_formats or ()}
    return wanted if wanted in formats and not wanted.startswith("ya") and "f" not in wanted else None


def each_storable(frames: Iterator[NativeFrame], path: Path) -> Iterator[NativeFrame]:
    """The frames in a format that shards hold; most pass untouched.

    Raises:
        Problem: their format can only be converted, which would change samples.
    """
    checked = ""
    for frame in frames:
        own = frame.picture.format.name
        wanted = holdable(own)
        if wanted is None:
            raise Problem(
                f"frame {frame.number} has the pixel format {own}, which the frames can not keep without a loss",
                where=path,
                mend="convert the clip yourself, for instance: ffmpeg -i IN -pix_fmt gbrp16le -c:v ffv1 OUT.mkv",
            )
        if wanted == own:
            yield frame
            continue
        picture = _reordered(frame.picture, wanted)
        if checked != own and not _same(_reordered(picture, own), frame.picture):
            raise Problem(
                f"the pixel format {own} did not come through as {wanted} unharmed",
                where=path,
                mend="convert the clip yourself, for instance: ffmpeg -i IN -c:v ffv1 OUT.mkv",
            )
        checked = own
        yield replace(frame, picture=picture, facts=frame.facts.model_copy(update={"pixel_format": wanted}))


def _reordered(picture: av.VideoFrame, wanted: str) -> av.VideoFrame:
    made = picture.reformat(format=wanted)
    made.pts, made.time_base, made.duration = picture.pts, picture.time_base, picture.duration
    return made


def _same(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    """Whether two pictures have the same samples; the fourth component of rgb0 and its like is none."""
    if one.format.name in ("rgb0", "0rgb", "0bgr"):
        one, other = one.reformat(format="rgb24"), other.reformat(format="rgb24")
    return all(np.array_equal(a, b) for a, b in zip(planes_of(one), planes_of(other), strict=True))
