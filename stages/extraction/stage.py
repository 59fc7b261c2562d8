"""Reads a clip's file; writes its frames (see docs/architecture.md, "frames")."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import av.container

from stages.artifacts.files import sha256_of
from stages.artifacts.frames import FrameWriter
from stages.atomic import whole_folder
from stages.consent import require_consent
from stages.extraction.sound import copy_sound, sound_facts
from stages.extraction.upright import CutFinder, each_upright
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params
from stages.video import NativeFrame, decode, open_clip


def place(clip: str) -> Path:
    """Where the frames of a clip lie."""
    return Path("data/extraction") / clip


def run(name: str, params: Params) -> None:
    """Take a clip apart into lossless frames, their exact times, its facts and its sound.

    Raises:
        Problem: no consent; the file is missing, unreadable, without pictures, interlaced, or changes its size.
    """
    clip = params.clip(name)
    require_consent(clip.identity, "training")
    with open_clip(clip.path) as container:
        expected = _frames_expected(container)
        audio = sound_facts(container)
    with whole_folder(place(name)) as folder:
        frames = each_upright(progress(decode(clip.path), total=expected, what=f"extraction {name}"))
        first = next(frames, None)
        if first is None:
            raise Problem("it has no frames", where=clip.path, mend="give a clip with pictures in it")
        facts = first.facts
        cuts = CutFinder(facts, params.extraction.cut_score)
        with FrameWriter(folder, facts, params.extraction.shard_frames) as writer:
            for frame in chain([first], frames):
                _check(frame, first, clip.path)
                shot = cuts.shot_of(frame)
                writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=shot)
            if audio:
                copy_sound(clip.path, folder)
            writer.close(audio=audio, source=str(clip.path), source_sha256=sha256_of(clip.path))


def _frames_expected(container: av.container.InputContainer) -> int | None:
    """How many frames the file says it has, for the bar; None if it does not say."""
    stream = container.streams.video[0]
    if stream.frames:
        return int(stream.frames)
    if container.duration and stream.average_rate:
        return round(container.duration / 1_000_000 * stream.average_rate)
    return None


def _check(frame: NativeFrame, first: NativeFrame, path: Path) -> None:
    """Refuse what can not be carried through unharmed."""
    if frame.picture.interlaced_frame:
        raise Problem(
            f"frame {frame.number} is interlaced",
            where=path,
            mend="deinterlace it first, for instance with ffmpeg's bwdif",
        )
    sizes = [(f.picture.width, f.picture.height, f.picture.format.name) for f in (frame, first)]
    if sizes[0] != sizes[1]:
        raise Problem(
            f"frame {frame.number} is {sizes[0]}, frame 0 is {sizes[1]}",
            where=path,
            mend="split the clip there",
        )
