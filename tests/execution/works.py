"""Work that workers can load: what it does to a span is plain to see, and it fails when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stages.problems import Problem


@dataclass(frozen=True)
class Squares:
    """The square of a number, and which process made it.

    Attributes:
        folder: each begin leaves a file there, named for its process.
        seconds: that a span takes.
        deadly: the process that works on this span is killed, the first time only.
        forbidden: this span is refused.
    """

    folder: Path
    seconds: float = 0.0
    deadly: int | None = None
    forbidden: int | None = None

    @property
    def reads(self) -> tuple[Path, ...]:
        return (self.folder / "facts.json",)

    def begin(self) -> Callable[[int], tuple[int, int]]:
        (self.folder / f"{os.getpid()}.begun").touch()

        def square(span: int) -> tuple[int, int]:
            time.sleep(self.seconds)
            if span == self.deadly and not (self.folder / "died").exists():
                (self.folder / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if span == self.forbidden:
                raise Problem("it is forbidden", where=f"span {span}", mend="ask for another")
            return span * span, os.getpid()

        return square
