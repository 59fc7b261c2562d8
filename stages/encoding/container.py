"""The deliverable's file: pictures handed to ffmpeg as they are made, the clip's own sound beside them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
import pandas as pd

from stages.disclosure import in_words
from stages.encoding.codecs import CODECS
from stages.encoding.coding import Coding
from stages.encoding.command import Surroundings, command
from stages.encoding.hardware import Chosen
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.turning import Turner
from stages.video import NativeFrame, VideoFacts, facts_of, open_clip, running_ffmpeg

NAME = "deliverable"

_CHAPTER_BASE = Fraction(1, 1_000_000)
"""Seconds in which chapters' times are handed to ffmpeg, which keeps them in milliseconds at the finest; Matroska has
theirs in nanoseconds, and two of them have no common measure that ffmpeg can hold."""


def container_for(settings: EncodingSettings, facts: VideoFacts, times: pd.Series) -> str:
    """Where the pictures go: ``mp4``, ``mov``, ``mkv`` or ``pictures``.

    Args:
        settings: of the stage.
        facts: of the frames.
        times: presentation times of all frames, in their time base.

    Raises:
        Problem: Matroska is asked for and can not hold the times, which it keeps in whole milliseconds.
    """
    held = CODECS[settings.codec].containers
    if not held:
        return "pictures"
    chosen = held[0] if settings.container == "auto" else settings.container
    if chosen == "mkv" and any((int(pts) * Fraction(facts.time_base) * 1000).denominator != 1 for pts in times):
        if settings.container == "auto":
            return next(other for other in held if other != "mkv")
        raise Problem(
            "mkv keeps times in whole milliseconds, which the clip's are not",
            where="encoding.container in params.yaml",
            mend=f"choose {' or '.join(other for other in held if other != 'mkv')}",
        )
    return chosen


def write_video(
    folder: Path,
    container: str,
    frames: Iterable[NativeFrame],
    facts: VideoFacts,
    coding: Coding,
    beside: Surroundings,
    last: tuple[int, int],
    settings: EncodingSettings,
    hardware: Chosen | None = None,
) -> Path:
    """Encode frames and copy sound into ``deliverable.<container>``, or a folder ``deliverable`` of pictures.

    The sound lies beside pictures as ``sound.*``, the disclosure among them as ``disclosure.txt``.

    Args:
        folder: that gets it.
        container: as :func:`container_for` says.
        frames: in presentation order; their ``pts`` go into the file as they are, so a variable rate stays variable.
        facts: of the frames.
        coding: how they are coded.
        beside: sound, chapters and the turn that is to be marked; pictures are turned back by it here.
        last: ``pts`` and ``duration`` of the last frame.
        settings: of the stage.
        hardware: that encodes; None for the CPU.

    Returns:
        the file or the folder.

    Raises:
        Problem: ffmpeg refused, for instance because the sound can not lie in such a file; with its own words.
    """
    out = folder / (NAME if container == "pictures" else f"{NAME}.{container}")
    names = out
    if container == "pictures":
        out.mkdir()
        names = out / f"%06d.{settings.codec}"
        if beside.audio is not None:
            shutil.copy(beside.audio, folder / f"sound{beside.audio.suffix}")
    if beside.turn:
        turner = Turner(facts, 360 - beside.turn, "encoding.rotation in params.yaml")
        frames, facts = (turner(frame) for frame in frames), turner.facts
    node = command(names, container, facts, coding, beside, last, settings, hardware)
    with running_ffmpeg(node, out, mend=_mend(container, settings, beside), where=beside.audio) as pipe:
        _hand_over(pipe, frames, facts, coding, beside)
    if container == "pictures":  # which hold no comment of their own
        (out / "disclosure.txt").write_text(in_words(beside.tags))
    return out


def _mend(container: str, settings: EncodingSettings, beside: Surroundings) -> str:
    """What to do if ffmpeg refuses; most often it is the sound that a container can not hold."""
    others = [other for other in CODECS[settings.codec].containers if other != container]
    anew = "re-encode the clip's: ffmpeg -i IN -c:v copy -c:a aac OUT.mp4"
    if beside.audio is None or not others:
        return anew
    return f"if it names the sound, set encoding.container: {' or '.join(others)}, or {anew}"


def _hand_over(
    pipe: IO[bytes], frames: Iterable[NativeFrame], facts: VideoFacts, coding: Coding, beside: Surroundings
) -> None:
    """Raw pictures with their times as a NUT stream (the one open format that keeps any time base) into a pipe."""
    base = Fraction(facts.time_base)
    with av.open(pipe, "w", format="nut", options={"fflags": "+bitexact"}) as container:
        if beside.chapters:
            container.set_chapters(list(_numbered(beside.chapters)))
        stream = container.add_stream("rawvideo", rate=Fraction(facts.rate))
        stream.width, stream.height, stream.pix_fmt = facts.width, facts.height, coding.pixel_format
        stream.time_base = stream.codec_context.time_base = base
        for frame in frames:
            picture = _recoded(frame.picture, facts, coding)
            picture.pts, picture.time_base = frame.pts, base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _numbered(chapters: Iterable[dict[str, str]]) -> Iterator[Any]:
    """Chapters as PyAV takes them."""
    for number, chapter in enumerate(chapters):
        yield {
            "id": number,
            "start": round(Fraction(chapter["start"]) / _CHAPTER_BASE),
            "end": round(Fraction(chapter["end"]) / _CHAPTER_BASE),
            "time_base": _CHAPTER_BASE,
            "metadata": {"title": chapter["title"]},
        }


def _recoded(picture: av.VideoFrame, facts: VideoFacts, coding: Coding) -> av.VideoFrame:
    """The picture in the pixel format and range of ``coding``; itself if it already is."""
    narrowed = facts.full_range and coding.range == "tv" and picture.format.name.startswith("yuv")
    if picture.format.name == coding.pixel_format and not narrowed:
        return picture
    said = facts.matrix if coding.matrix == "gbr" else coding.matrix
    matrix = facts.model_copy(update={"matrix": said}).matrix_number
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
