"""Reads a clip's file or pictures; writes its frames (see docs/architecture.md, "frames")."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import av.container

from stages.artifacts.files import sha256_of
from stages.artifacts.frames import FrameWriter
from stages.artifacts.kept import KeptShards
from stages.atomic import whole_folder
from stages.consent import consent_path, require_clip_consent
from stages.consent.evidence import require_agreed_footage
from stages.extraction.cuts import CutFinder
from stages.extraction.interlacing import Deinterlacer
from stages.extraction.reading import ClipReader
from stages.extraction.settings import ExtractionSettings
from stages.extraction.sound import copy_sound
from stages.extraction.storable import each_storable
from stages.extraction.surroundings import chapter_facts, further_facts, mark_facts, sound_facts
from stages.extraction.timecode import later
from stages.extraction.trimming import Trimmer
from stages.pictures import PictureSequence, open_footage, sha256_of_pictures
from stages.problems import Problem
from stages.progress import progress
from stages.resuming import resumable
from stages.settings import Clip, Params
from stages.turning import each_upright
from stages.video import NativeFrame, video_stream

log = logging.getLogger(__name__)


def place(clip: str) -> Path:
    """Where the frames of a clip lie."""
    return Path("data/extraction") / clip


def run(name: str, params: Params) -> None:
    """Take a clip apart into lossless frames, their exact times, its facts and its sound.

    Raises:
        Problem: no consent to this footage; the file is missing, unreadable, without pictures, damaged before its end,
            or has something that can not be carried unharmed.
    """
    clip = params.clip(name)
    record = require_clip_consent(name, params, "extraction")
    require_agreed_footage(record, name, clip, consent_path(clip.identity))  # before anything in it is looked at
    with open_footage(clip.path, clip.rate, clip.pictures) as container:
        sha256 = _hash_of(clip)
        with (
            resumable("extraction", name, clip, params.extraction, sha256) as kept,
            whole_folder(place(name)) as folder,
        ):
            facts = _frames(name, clip, sha256, container, folder, KeptShards(kept, "mkv"), params.extraction)
        for line in _aloud(facts):
            log.warning("%s: %s", name, line)


def _frames(
    name: str,
    clip: Clip,
    sha256: str,
    container: av.container.InputContainer,
    folder: Path,
    kept: KeptShards,
    settings: ExtractionSettings,
) -> dict[str, Any]:
    """The artifact into an existing folder; returns the facts beside the pictures' own.

    Frames in shards that a killed run left are read again, since what is said of a clip depends on all of them (cuts,
    fields, a broken end), but not coded again, which takes most of the time.
    """
    more = further_facts(container, clip.path)
    reader = ClipReader(container, clip.path, start=clip.start, end=clip.end)
    deinterlaced = Deinterlacer(clip.path, refuse=settings.interlaced == "refuse")
    trimmed = Trimmer(clip)
    read = progress(iter(reader), total=_frames_expected(container), what=f"extraction {name}")
    opening = list(islice(read, 1))
    if opening:
        marks = mark_facts(opening[0].picture)
        left_out = [*more.get("left_out", ()), *marks.get("left_out", ())]
        more |= marks | ({"left_out": left_out} if left_out else {})
    alike = _alike(chain(opening, read), clip.path)
    frames = each_upright(trimmed(deinterlaced(each_storable(alike, clip.path))), clip.path)
    first = next(frames, None)
    if first is None:
        raise _nothing(name, clip, reader, trimmed)
    cuts = CutFinder(first.facts, settings.cut_score)
    with FrameWriter(folder, first.facts, settings.shard_frames, kept) as writer:
        for frame in chain([first], frames):
            shot = cuts.shot_of(frame)
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=shot)
        span = trimmed.span if trimmed.wanted else None
        audio = sound_facts(container)
        if audio:
            copied = copy_sound(clip.path, folder, span=span, whole=reader.broken is None)
            empty = [number for number in range(len(audio)) if number not in copied]
            more |= {"empty_audio": [audio[number] for number in empty]} if empty else {}
            audio = [audio[number] for number in copied]
        if span is not None and "timecode" in more:
            more |= _moved_timecode(more, span.earlier, clip.every, Fraction(reader.facts.rate))
        chapters = chapter_facts(container, span)
        more |= {"chapters": chapters} if chapters else {}
        more |= {"broken_tail": reader.broken.facts()} if reader.broken else {}
        more |= {"headless": reader.headless} if reader.headless else {}
        more |= deinterlaced.facts() | trimmed.facts()
        if first.facts.pixel_format != reader.facts.pixel_format:
            more["pixel_format_of_clip"] = reader.facts.pixel_format
        told = {key: value for key, value in more.items() if value is not None}
        writer.close(audio=audio, source=str(clip.path), source_sha256=sha256, **told)
    return more


def _moved_timecode(facts: dict[str, Any], earlier: Fraction, every: int, rate: Fraction) -> dict[str, Any]:
    """The timecode of a part's first frame; None, and said to be left out, if its frames are not counted one by one."""
    with suppress(ValueError):
        if every == 1:
            return {"timecode": later(facts["timecode"], earlier, rate)}
    lost = {"kind": "timecode", "codec": facts["timecode"], "language": "und"}
    return {"timecode": None, "left_out": [*facts.get("left_out", ()), lost]}


def _aloud(facts: dict[str, Any]) -> Iterator[str]:
    """What was done to the footage or left out of it, a line each."""
    if broken := facts.get("broken_tail"):
        of = f" of {broken['expected']}" if broken["expected"] else ""
        yield f"its end is broken ({broken['why']}): the first {broken['kept']}{of} frames are whole and were kept"
    if headless := facts.get("headless"):
        yield f"its first {headless} pictures need others that are not in the file, and are left out"
    if interlaced := facts.get("deinterlaced"):
        yield f"{interlaced['frames']} interlaced frames were deinterlaced (bwdif, one frame for each)"
    for stream in facts.get("left_out", ()):
        yield f"a {stream['kind']} ({stream['codec']}) is left out"
    for track in facts.get("empty_audio", ()):
        yield f"an audio stream ({track['codec']}, {track['language']}) has no sound in it and is left out"


def _nothing(name: str, clip: Clip, reader: ClipReader, trimmed: Trimmer) -> Problem:
    """Why no frame was kept."""
    if trimmed.ended:
        return Problem(
            "no frame of the clip begins between its start and end",
            where=f"clips.{name}.start and end in params.yaml",
            mend="choose an earlier start or a later end",
        )
    if trimmed.seconds:
        return Problem(
            f"no frame of the clip lies between its start and end; it is {float(trimmed.seconds):g} s long",
            where=f"clips.{name}.start in params.yaml",
            mend="choose an earlier start",
        )
    why = f": {reader.broken.why}" if reader.broken else ""
    return Problem(f"it has no frames{why}", where=clip.path, mend="give a clip with pictures in it")


def _hash_of(clip: Clip) -> str:
    """SHA-256 of the file; of a folder, that of the pictures' own, a line each."""
    if clip.path.is_file():
        return sha256_of(clip.path)
    return sha256_of_pictures(PictureSequence.find(clip.path, clip.rate, clip.pictures).files)


def _frames_expected(container: av.container.InputContainer) -> int | None:
    """How many frames the file says it has, for the bar; None if it does not say."""
    stream = video_stream(container)
    if stream.frames:
        return int(stream.frames)
    if container.duration and stream.average_rate:
        return round(container.duration / 1_000_000 * stream.average_rate)
    return None


def _alike(frames: Iterator[NativeFrame], path: Path) -> Iterator[NativeFrame]:
    """The frames, all of one kind, each shown after the one before.

    Raises:
        Problem: they are not.
    """
    first = before = None
    for frame in frames:
        first = first or frame
        sizes = [(f.picture.width, f.picture.height, f.picture.format.name) for f in (frame, first)]
        if sizes[0] != sizes[1]:
            raise Problem(
                f"frame {frame.number} is {sizes[0]}, frame 0 is {sizes[1]}",
                where=path,
                mend="split the clip there",
            )
        if before is not None and frame.pts <= before.pts:
            raise Problem(
                f"frame {frame.number} is shown no later than the one before it",
                where=path,
                mend="give its pictures new times: ffmpeg -i IN -fps_mode cfr -c:v ffv1 OUT.mkv",
            )
        before = frame
        yield frame
