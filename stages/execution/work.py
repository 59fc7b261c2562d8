"""The unit of frame-wise work: a span of a clip's frames, and what is done to each span alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from stages.artifacts.frames import Frames

Span = TypeVar("Span")
Result = TypeVar("Result")
SpanIn = TypeVar("SpanIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)

FRAMES: Final = 32
"""In a span: about a second of work, beside which handing it over takes nothing."""


class Work(Protocol[SpanIn, ResultOut]):
    """What is done to every span, told by paths and settings alone, so that it can be pickled and begun anywhere.

    The result of a span depends on the work and the span only, never on the spans before it or on who does it.
    """

    @property
    def reads(self) -> tuple[Path, ...]:
        """The small files that tell which artifacts are read; another machine must have the same."""
        ...

    def begin(self) -> Callable[[SpanIn], ResultOut]:
        """Open what all spans need, networks and tables, and give what turns a span into its result.

        Raises:
            Problem: something is missing or damaged.
        """
        ...


def spans_of(frames: Frames, numbers: Sequence[int], length: int = FRAMES) -> list[list[int]]:
    """Frame numbers, ascending, cut into spans of at most ``length``, none of which needs two shards."""
    shards = frames.index["shard"].to_numpy()
    spans: list[list[int]] = []
    for number in numbers:
        if not spans or len(spans[-1]) == length or shards[spans[-1][-1]] != shards[number]:
            spans.append([])
        spans[-1].append(number)
    return spans


def tables_of(folder: Path) -> tuple[Path, ...]:
    """The index and the facts of an artifact in shards: they are small, and others where its shards are."""
    return folder / "index.parquet", folder / "facts.json"


def do(run: str, work: Work[Span, Result], span: Span) -> Result:
    """A span's result, in a process that gets many of them; the work is begun once a run.

    Args:
        run: tells this run from others, whose artifacts may have been others at the same paths.
        work, span: as said.
    """
    if run not in _begun:
        _begun.clear()  # an earlier run's networks
        _begun[run] = work.begin()
    result: Result = _begun[run](span)
    return result


_begun: dict[str, Callable[[Any], Any]] = {}
"""What the run at hand has opened in this process."""
