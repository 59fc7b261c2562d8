"""The look for our invisible mark, in whatever can be read as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av

from stages.pictures import PictureSequence
from stages.problems import Problem
from stages.progress import progress
from stages.turning import each_upright
from stages.video import NativeFrame, decode, decoded
from stages.watermark import Reading, read

_RATE: Final = Fraction(24)
"""Pictures a second of a folder, which says none; only the times that are told depend on it."""


@dataclass(frozen=True)
class MarkFinding:
    """What the look for the mark gave.

    Attributes:
        looked: whether there were pictures to look at.
        readings: the marks, the surest first; none if there is no mark that can be read.
        said: in words, what kept from looking, or from looking at all of it.
    """

    looked: bool
    readings: tuple[Reading, ...] = ()
    said: str = ""

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The numbers of the marks, in hexadecimal, each once."""
        return tuple(dict.fromkeys(identifier_text(each.identifier) for each in self.readings))


def identifier_text(identifier: int) -> str:
    """A mark's number as facts and the registry have it."""
    return f"{identifier:012x}"


def look_for_mark(path: Path, key: bytes | None) -> MarkFinding:
    """Read the marks of a video, a picture or a folder of pictures. What can not be read is a finding, no fault.

    Args:
        path: of any kind.
        key: with which it may be marked; None does not look.
    """
    if key is None:
        return MarkFinding(False, said="it was not looked for")
    frames = _Readable(path)
    readings = read(progress(frames, total=None, what="looking for the mark"), key)
    surest = sorted(readings, key=lambda reading: reading.false_alarm)
    return MarkFinding(frames.count > 0, tuple(surest), frames.said)


class _Readable:
    """The frames of a file for as long as they can be read.

    Attributes:
        count: how many there were.
        said: why there were no more, if that was not the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.count, self.said = 0, ""

    def __iter__(self) -> Iterator[NativeFrame]:
        try:
            for frame in _frames(self._path):
                yield frame
                self.count += 1
        except (Problem, av.FFmpegError, ValueError) as error:
            what = error.what if isinstance(error, Problem) else str(error)
            self.said = f"after {self.count} frames: {what}" if self.count else f"it holds no pictures ({what})"


def _frames(path: Path) -> Iterator[NativeFrame]:
    if path.is_dir():
        with PictureSequence.find(path, _RATE).open() as container:
            yield from decoded(container, path)
        return
    yield from each_upright(decode(path), path)
