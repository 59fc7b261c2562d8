"""The deliverable of a swap: the finished video and the facts that go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from stages.artifacts.files import missing, read_facts, write_facts
from stages.pictures import PictureSequence
from stages.turning import each_upright
from stages.video import NativeFrame, decode, decoded

NAMES: Final = ("deliverable.mp4", "deliverable.mov", "deliverable.mkv", "deliverable")
"""What the file is called, by its container; the last is a folder of pictures."""


@dataclass(frozen=True)
class Deliverable:
    """``video`` is the file that is handed over, or the folder of pictures."""

    video: Path
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Deliverable:
        """Raises: Problem if a part is missing or damaged."""
        video = next((path for name in NAMES if (path := folder / name).exists()), None)
        if video is None:
            raise missing(folder / NAMES[0])
        return cls(video, read_facts(folder / "facts.json"))

    def frames(self) -> Iterator[NativeFrame]:
        """The delivered frames in order, stood upright, one at a time.

        Raises:
            Problem: they can not be read.
        """
        if self.video.is_file():
            yield from each_upright(decode(self.video), self.video)
            return
        with PictureSequence.find(self.video, Fraction(self.facts["rate"])).open() as container:
            yield from decoded(container, self.video)

    @staticmethod
    def write_facts(folder: Path, facts: dict[str, Any]) -> None:
        """Beside the ``deliverable.*`` that the folder already holds."""
        write_facts(folder / "facts.json", facts)
