"""The MP4 file: pictures handed to ffmpeg as they are made, the clip's own sound beside them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import IO

import av

from stages.encoding.h264 import Coding, coding_for, command
from stages.encoding.settings import EncodingSettings
from stages.video import NativeFrame, VideoFacts, facts_of, open_clip, running_ffmpeg


def write_video(
    path: Path,
    frames: Iterable[NativeFrame],
    facts: VideoFacts,
    audio: Path | None,
    last: tuple[int, int],
    settings: EncodingSettings,
) -> None:
    """Encode frames and copy sound into an MP4 file whose index comes first ("fast start").

    Args:
        path: of the file.
        frames: in presentation order; their ``pts`` go into the file as they are, so a variable rate stays variable.
        facts: of the frames.
        audio: a file whose audio streams are copied, packet for packet; None for silence.
        last: ``pts`` and ``duration`` of the last frame.
        settings: of the stage.

    Raises:
        Problem: ffmpeg refused, for instance because the sound can not lie in an MP4 file; with its own words.
    """
    coding = coding_for(facts, settings)
    mend = "if it names the sound, re-encode the clip's: ffmpeg -i IN -c:v copy -c:a aac OUT.mp4"
    node = command(path, facts, coding, audio, last, settings)
    with running_ffmpeg(node, path, mend=mend, where=audio) as pipe:
        _hand_over(pipe, frames, facts, coding)


def _hand_over(pipe: IO[bytes], frames: Iterable[NativeFrame], facts: VideoFacts, coding: Coding) -> None:
    """Raw pictures with their times as a NUT stream (the one open format that keeps any time base) into a pipe."""
    base = Fraction(facts.time_base)
    with av.open(pipe, "w", format="nut", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("rawvideo", rate=Fraction(facts.rate))
        stream.width, stream.height, stream.pix_fmt = facts.width, facts.height, coding.pixel_format
        stream.time_base = stream.codec_context.time_base = base
        for frame in frames:
            picture = _recoded(frame.picture, facts, coding)
            picture.pts, picture.time_base = frame.pts, base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _recoded(picture: av.VideoFrame, facts: VideoFacts, coding: Coding) -> av.VideoFrame:
    """The picture in the pixel format of ``coding``; itself if it already is."""
    if picture.format.name == coding.pixel_format:
        return picture
    matrix = facts.model_copy(update={"matrix": coding.matrix}).matrix_number
    rgb = not picture.format.name.startswith(("yuv", "gray"))
    full = 2 if facts.full_range else 1
    return picture.reformat(
        format=coding.pixel_format,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=2 if rgb else full,
        dst_color_range=2 if coding.range == "pc" else 1,
    )


def times_in(path: Path) -> list[Fraction]:
    """Presentation times in seconds of a file's pictures, in order, as a player sees them."""
    with open_clip(path) as container:
        stream = container.streams.video[0]
        base = stream.time_base or Fraction(1)
        return sorted(packet.pts * base for packet in container.demux(stream) if packet.pts is not None)


def facts_in(path: Path) -> VideoFacts:
    """What a file says of its pictures."""
    with open_clip(path) as container:
        return facts_of(container)
