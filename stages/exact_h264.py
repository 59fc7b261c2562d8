"""H.264 of pictures that we drew ourselves, by the ffmpeg program: the same pictures give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ffmpeg


def exact_h264(
    path: Path,
    width: int,
    height: int,
    rate: int,
    crf: int,
    *,
    sound: Any = None,
    sound_options: Mapping[str, Any] | None = None,
) -> Any:
    """The ffmpeg-python node that encodes raw RGB pictures from standard input.

    To be run by :func:`stages.video.running_ffmpeg`.

    MP4, H.264 yuv420p, BT.709 limited range and tagged so. The way to yuv420p rounds exactly (``accurate_rnd``,
    ``bitexact``), whatever the processor's vector units are. x264 runs in one thread, since its rate control depends on
    their number. The index comes first in the file (``faststart``): a browser plays it while it loads.

    Args:
        path: of the file.
        width, height: of the pictures, even.
        rate: pictures a second.
        crf: x264's rate factor, 0..51.
        sound: an ffmpeg-python audio stream to go with the pictures.
        sound_options: ffmpeg's output options for it.
    """
    pictures = ffmpeg.input(
        "pipe:0", format="rawvideo", pixel_format="rgb24", video_size=(width, height), framerate=rate
    )
    exact = pictures.video.filter(
        "scale", in_range="pc", out_range="tv", out_color_matrix="bt709", flags="area+accurate_rnd+bitexact"
    )
    tagged = exact.filter("format", "yuv420p").filter(
        "setparams", range="tv", colorspace="bt709", color_primaries="bt709", color_trc="bt709"
    )
    options = {
        "c:v": "libx264",
        "crf": crf,
        "preset": "slow",
        "pix_fmt": "yuv420p",
        "fps_mode": "cfr",
        "threads": 1,
        "flags": "+bitexact",
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "format": "mp4",
    }
    streams = [tagged] if sound is None else [tagged, sound]
    return (
        ffmpeg.output(*streams, str(path), **options, **(sound_options or {}))
        .global_args("-nostdin", "-hide_banner", "-loglevel", "error")
        .overwrite_output()
    )
