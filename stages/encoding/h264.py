"""What the encoder is told: pixel format, colour facts and the ffmpeg command, as pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import ffmpeg

from stages.encoding.settings import EncodingSettings
from stages.video import UNKNOWN, VideoFacts

DISCLOSURE: Final = "AI-modified: face replaced (Likeness)"
"""The comment that every deliverable carries, for people and machines: it is not unaltered footage."""

ENCODABLE: Final = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
"""The planar formats that libx264 takes."""


@dataclass(frozen=True)
class Coding:
    """How pictures go into the encoder: their pixel format, and the matrix and range that they are then in."""

    pixel_format: str
    matrix: str
    range: str


def coding_for(facts: VideoFacts, settings: EncodingSettings) -> Coding:
    """The coding that keeps most of the clip's pictures, as far as H.264 and the settings let it.

    What libx264 can not take becomes 4:2:0 with 8 or 10 bits. Chroma of half the size can not fill an odd width or
    height: such clips are encoded 4:4:4 rather than cropped. RGB is given the matrix that players guess by height.
    """
    own = facts.pixel_format
    deep = av.VideoFormat(facts.pixel_format, 16, 16).components[0].bits > 8
    chosen = own if own in ENCODABLE else ("yuv420p10le" if deep else "yuv420p")
    if settings.pixel_format == "yuv420p":
        chosen = "yuv420p"
    if facts.width % 2 or facts.height % 2:
        chosen = chosen.replace("420", "444").replace("422", "444")
    if not own.startswith("yuv"):
        return Coding(chosen, "bt709" if facts.height >= 720 else "smpte170m", "tv")
    return Coding(chosen, facts.matrix, "pc" if facts.full_range else facts.range)


def command(
    out: Path, facts: VideoFacts, coding: Coding, audio: Path | None, last: tuple[int, int], settings: EncodingSettings
) -> Any:
    """The ffmpeg command that encodes a NUT stream of raw pictures from its standard input into an MP4 file.

    Times are handed through untouched (``copyts``, ``passthrough``, the stream's own time base); sound is copied;
    colours are declared, not converted. ``bitexact`` and a fixed number of threads give the same bytes every time.

    Args:
        out: the file to write.
        facts, coding: of the pictures.
        audio: a file whose audio streams are copied, None for silence.
        last: presentation time and duration of the last picture, which a raw stream does not say.
        settings: of the stage.

    Returns:
        an ffmpeg-python node, to be compiled or run.
    """
    base = Fraction(facts.time_base)
    pts, duration = last
    ending = f"setts=pts=PTS:dts=DTS:duration=if(eq(PTS\\,{pts})\\,{duration}\\,DURATION)" if duration else "null"
    pictures = ffmpeg.input("pipe:0", format="nut", copyts=None)
    declared = {"range": coding.range, "colorspace": coding.matrix, "color_primaries": facts.primaries}
    declared["color_trc"] = facts.transfer
    known = {key: value for key, value in declared.items() if value != UNKNOWN}
    video = pictures.video.filter("setsar", facts.sample_aspect)
    if known:
        video = video.filter("setparams", **known)
    streams = [video] if audio is None else [video, ffmpeg.input(str(audio)).audio]
    return (
        ffmpeg.output(
            *streams,
            str(out),
            **{
                "c:v": "libx264",
                "crf": f"{settings.crf:g}",
                "preset": settings.preset,
                "pix_fmt": coding.pixel_format,
                "g": max(1, round(settings.keyframe_seconds * Fraction(facts.rate))),
                "threads:v": settings.threads,
                "fps_mode": "passthrough",
                "enc_time_base": f"{base.numerator}:{base.denominator}",
                "video_track_timescale": base.denominator,
                "bsf:v": ending,
                "c:a": "copy",
                "map_metadata": -1,
                "metadata": f"comment={DISCLOSURE}",
                "movflags": "+faststart",
                "fflags": "+bitexact",
                "flags:v": "+bitexact",
                "format": "mp4",
            },
        )
        .global_args("-nostdin", "-hide_banner", "-loglevel", "error")
        .overwrite_output()
    )
