"""Stages killed at a chosen point: real processes, real SIGKILL."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from stages.artifacts.files import sha256_of
from stages.artifacts.kept import KeptShards
from stages.execution import keeping

PROCESSES: Final = multiprocessing.get_context("forkserver")
"""Its children need not import what a test preloads."""


def killed(work: Callable[..., None], *arguments: Any) -> None:
    """Do some work in a process that a signal must end."""
    child = PROCESSES.Process(target=work, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def die_after(shards: int) -> None:
    """SIGKILL this process when the shard after so many whole ones is written, before it counts as whole."""
    keep = KeptShards.keep

    def keep_some(kept: KeptShards, rows: Sequence[tuple[Any, ...]]) -> None:
        if kept.count >= shards:
            os.kill(os.getpid(), signal.SIGKILL)
        keep(kept, rows)

    KeptShards.keep = keep_some  # type: ignore[method-assign]


def die_at_span(number: int) -> None:
    """SIGKILL this process when it has the result of a span, counted from 0, of those that it keeps."""
    results = itertools.count()
    save = keeping.save

    def save_some(arrays: dict[str, Any]) -> bytes:
        if next(results) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return save(arrays)

    keeping.save = save_some  # type: ignore[assignment]


def inodes(paths: Sequence[Path]) -> list[int]:
    """What tells a file from one with the same content that was made anew."""
    return [path.stat().st_ino for path in paths]


def contents(folder: Path) -> dict[str, str]:
    """A hash for each file."""
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
