"""Work that workers can load: what it does to a span is plain to see, and it fails when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.execution.engines import Engine
from stages.execution.work import Work
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


@dataclass(frozen=True)
class KilledOnce:
    """Another work, whose process is killed in the middle: with its second span, and only once.

    Attributes:
        work: that is done.
        marker: this file says that it has happened.
    """

    work: Work[Any, Any]
    marker: Path

    @property
    def reads(self) -> tuple[Path, ...]:
        return self.work.reads

    def begin(self) -> Callable[[Any], Any]:
        result_of, done = self.work.begin(), []

        def once(span: Any) -> Any:
            if done and not self.marker.exists():
                self.marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(span)
            return result_of(span)

        return once


class Deadly:
    """An engine in which one worker is killed in every work that it is given."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._markers: set[Path] = set()

    @property
    def killed(self) -> int:
        """In how many kinds of work; detection is given the same one twice."""
        return sum(marker.exists() for marker in self._markers)

    def map(self, work: Work[Any, Any], spans: Iterable[Any]) -> Iterator[Any]:
        marker = self._folder / f"{type(work).__name__}.killed"
        yield from self._engine.map(KilledOnce(work, marker), spans)
        self._markers.add(marker)
