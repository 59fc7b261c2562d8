"""Whether a written file is what was to be written: nothing else would tell if ffmpeg dropped or moved something."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

from stages.artifacts.frames import Frames
from stages.encoding.codecs import CODECS, CodecName
from stages.encoding.coding import Coding
from stages.encoding.command import Surroundings, bibliographic
from stages.encoding.container import times_in
from stages.light import Light
from stages.packets import tracks_in
from stages.pictures import PictureSequence
from stages.problems import Problem
from stages.turning import turn_of, turned
from stages.video import UNKNOWN, VideoFacts, facts_of, open_clip, timecode_of, video_stream

MILLISECOND: Final = Fraction(1, 1000)
"""Matroska's times of sound, and all containers' chapters, are whole milliseconds."""

HALF_A_SAMPLE: Final = Fraction(1, 90000)
"""Seconds, at 45 kHz: by so much a time may be rounded to a whole sample."""

_READ_AS: Final = {"gray": ("yuv420p",), "gray10le": ("yuv420p10le",)}
"""FFmpeg reads grey H.264 as colour without any."""


def check_file(
    video: Path, container: str, codec: CodecName, finished: Frames, coding: Coding, beside: Surroundings
) -> VideoFacts:
    """Compare a written file with what it was made from.

    Args:
        video: the file.
        container, codec: of what kind it is.
        finished: the frames that are in it.
        coding: how they were coded.
        beside: the sound, chapters, light and turn that must be in it.

    Returns:
        what the file says of its pictures.

    Raises:
        Problem: it has other times, sizes, colours, light, sound, languages or chapters.
    """
    _check_times(video, finished)
    asked = finished.facts
    coded = turned(asked, (360 - beside.turn) % 360, finished.folder)
    with open_clip(video) as opened:
        written = facts_of(opened)
        languages = [stream.language or "und" for stream in opened.streams.audio]
        chapters = [
            (Fraction(each["start"] * (each["time_base"] or 1)), Fraction(each["end"] * (each["time_base"] or 1)))
            for each in opened.chapters()
        ]
        first = next(opened.decode(video_stream(opened, video)))
        turn, light = turn_of(first), Light.of(first)
        timecode = timecode_of(opened)
    _same(video, "size", f"{written.width} x {written.height}", f"{coded.width} x {coded.height}")
    if written.pixel_format not in _READ_AS.get(coding.pixel_format, ()):
        _same(video, "pixel format", written.pixel_format, coding.pixel_format)
    _same(video, "shape of pixels", written.sample_aspect, coded.sample_aspect)
    _same(video, "turn", str(turn), str(beside.turn))
    for name, wanted in (
        ("primaries", asked.primaries),
        ("transfer", asked.transfer),
        ("matrix", coding.matrix),
    ):
        if wanted not in (UNKNOWN, "gbr"):
            _same(video, name, getattr(written, name), wanted)
    if coding.matrix != "gbr" and coding.pixel_format.startswith("yuv"):
        _same(video, "range", "pc" if written.full_range else "tv", "pc" if coding.range == "pc" else "tv")
    if beside.timecode:
        _same(video, "timecode", timecode or "missing", beside.timecode)
    if CODECS[codec].light and not light.is_near(beside.light):
        raise _lost(video, f"its light is {light.facts()}, not the clip's {beside.light.facts()}")
    if beside.audio is not None:
        _check_sound(video, container, beside, languages)
    wanted_chapters = [(Fraction(each["start"]), Fraction(each["end"])) for each in beside.chapters]
    close = len(chapters) == len(wanted_chapters) and all(
        abs(a - b) <= MILLISECOND for a, b in zip(_flat(chapters), _flat(wanted_chapters), strict=True)
    )
    if not close:
        raise _lost(video, f"it has {len(chapters)} of {len(wanted_chapters)} chapters, or at other times")
    return written


def check_pictures(folder: Path, rate: Fraction, finished: Frames, coding: Coding) -> VideoFacts:
    """Compare written pictures with what they were made from: count, size and pixel format.

    Raises:
        Problem: they differ.
    """
    found = PictureSequence.find(folder, rate)
    _same(folder, "number of pictures", str(len(found.files)), str(len(finished)))
    with found.open() as opened:
        written = facts_of(opened)
    asked = finished.facts
    _same(folder, "size", f"{written.width} x {written.height}", f"{asked.width} x {asked.height}")
    # Which byte of a sample comes first is a matter of the file: DPX says it, and is read either way.
    _same(folder, "pixel format", _without_order(written.pixel_format), _without_order(coding.pixel_format))
    return written


def left_out(codec: CodecName, written: VideoFacts, asked: VideoFacts, beside: Surroundings) -> list[str]:
    """What the clip says and the deliverable does not, by the names that it has in ``facts.json``.

    A file is refused if it lacks anything but its light; pictures can say little.

    Args:
        codec: that was chosen.
        written: what the deliverable says of its pictures.
        asked: what the clip says.
        beside: the same of what lies beside them.
    """
    names = [] if CODECS[codec].light else sorted(beside.light.facts())
    if CODECS[codec].containers:
        return names
    told = [
        name
        for name in ("primaries", "transfer", "sample_aspect")
        if getattr(asked, name) not in (UNKNOWN, getattr(written, name))
    ]
    more = {"chapters": beside.chapters, "timecode": beside.timecode, "language": beside.language}
    return names + told + [name for name, value in more.items() if value]


def steady_rate(finished: Frames) -> Fraction:
    """Pictures a second, if all are shown equally long: a folder of pictures says no times.

    Raises:
        Problem: they are not.
    """
    base, near = Fraction(finished.facts.time_base), Fraction(finished.facts.rate)
    times = [int(pts) for pts in finished.index["pts"]]
    gaps = {after - before for before, after in pairwise(times)}
    if not gaps:
        return near
    if len(gaps) == 1:
        return 1 / (gaps.pop() * base)
    # Times in milliseconds are rounded: 42, 41, 42 is a steady 24 a second. What two roundings may add is one unit.
    if any(abs((time - times[0]) * base - number / near) > base for number, time in enumerate(times)):
        raise Problem(
            "the clip's frames are not shown equally long, which a folder of pictures can not say",
            where="encoding.codec in params.yaml",
            mend="choose ffv1 or prores, which keep times",
        )
    return near


def _check_times(video: Path, finished: Frames) -> None:
    """Every picture must be shown when the clip showed it."""
    wanted = [int(pts) * Fraction(finished.facts.time_base) for pts in finished.index["pts"]]
    found = times_in(video)
    if found != wanted:
        wrong = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), len(found))
        raise Problem(
            f"it has {len(found)} pictures for {len(wanted)} frames, the first wrong time at frame {wrong}",
            where=video,
            mend="the system's ffmpeg may be too old: put version 5.1 or later first in PATH, or remove it; or choose "
            "another encoding.container",
        )


def _check_sound(video: Path, container: str, beside: Surroundings, languages: Sequence[str]) -> None:
    assert beside.audio is not None
    originals, copies = tracks_in(beside.audio), tracks_in(video)
    rounded = container == "mkv" or beside.audio.suffix == ".mka"
    tolerance = MILLISECOND if rounded else HALF_A_SAMPLE
    if len(originals) != len(copies):
        raise _lost(video, f"it has {len(copies)} of {len(originals)} audio tracks")
    for number, (copy, original) in enumerate(zip(copies, originals, strict=True)):
        if said := copy.differs_from(original, tolerance):
            raise _lost(video, f"audio track {number}: {said}")
    wanted = [track.get("language", "und") for track in beside.tracks]
    if wanted and [bibliographic(each) for each in languages] != [bibliographic(each) for each in wanted]:
        raise _lost(video, f"its audio tracks have the languages {', '.join(languages)}, not {', '.join(wanted)}")


def _same(video: Path, what: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise _lost(video, f"its {what} is {found}, not the clip's {wanted}")


def _lost(video: Path, what: str) -> Problem:
    return Problem(what, where=video, mend="choose another encoding.container or encoding.codec, which can hold it")


def _without_order(pixel_format: str) -> str:
    """The name of a pixel format without the order of bytes."""
    return pixel_format.removesuffix("le").removesuffix("be")


def _flat(pairs: Sequence[tuple[Fraction, Fraction]]) -> list[Fraction]:
    return [each for pair in pairs for each in pair]
