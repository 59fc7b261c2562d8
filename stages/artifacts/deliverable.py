"""The deliverable of a swap: the finished video and the facts that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.artifacts.files import missing, read_facts, write_facts


@dataclass(frozen=True)
class Deliverable:
    """``video`` is the file that is handed over."""

    video: Path
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Deliverable:
        """Raises: Problem if a part is missing or damaged."""
        video = folder / "deliverable.mp4"
        if not video.is_file():
            raise missing(video)
        return cls(video, read_facts(folder / "facts.json"))

    @staticmethod
    def write_facts(folder: Path, facts: dict[str, Any]) -> None:
        """Beside the ``deliverable.mp4`` that the folder already holds."""
        write_facts(folder / "facts.json", facts)
