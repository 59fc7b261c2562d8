"""This machine's own notes of when each stage ran here, how long it took and how it ended.

They tell how long a run will take and what failed last. No result depends on them, and a stage that can not write them
runs all the same.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from stages.problems import Problem

FILE: Final = Path(".scratch/journal.jsonl")
"""From the project's folder. A run leaves two lines, one when it begins and one when it has ended."""

LATEST_BYTES: Final = 4 << 20
"""So much of the file's end is read: more than ten thousand runs."""

LONGEST_FAULT: Final = 2000
SAME_SECONDS: Final = 1.0
"""Two processes of one number that began further apart than this are not the same one."""


@dataclass(frozen=True)
class Run:
    """One run of a stage.

    Attributes:
        stage: its address, ``training@ada-ben``.
        pid: of its process.
        began: when that was started, in seconds since 1970.
        seconds: from then to its end, None if no end was noted: it is under way, or it was killed.
        fault: why it failed; None if it did not.
    """

    stage: str
    pid: int
    began: float
    seconds: float | None = None
    fault: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether its process is still there."""
        if self.seconds is not None:
            return False
        try:
            return abs(psutil.Process(self.pid).create_time() - self.began) < SAME_SECONDS
        except psutil.NoSuchProcess:
            return False

    @property
    def went_well(self) -> bool:
        """Whether it came to its end and did not fail."""
        return self.seconds is not None and self.fault is None


@contextmanager
def noted(stage: str, name: str, file: Path = FILE) -> Iterator[None]:
    """Note that a stage runs in the block, in this process, and how the block ended.

    Args:
        stage: the stage's name.
        name: the item's; where DVC runs the stage, the address is the one that DVC gives it.
        file: the journal.
    """
    process = psutil.Process()
    run = Run(os.environ.get("DVC_STAGE") or f"{stage}@{name}", process.pid, process.create_time())
    _append(run, file)
    fault: str | None = "it was interrupted"
    try:
        yield
        fault = None
    except Problem as problem:
        fault = f"{problem.where}: {problem.what}"
        raise
    except Exception as error:
        fault = f"{type(error).__name__}: {error}"
        raise
    finally:
        seconds = round(time.time() - run.began, 3)
        _append(replace(run, seconds=seconds, fault=fault and fault[:LONGEST_FAULT]), file)


def runs(file: Path = FILE) -> list[Run]:
    """The latest runs, ordered by what was noted of each last. Lines that are cut off are left out."""
    if not file.is_file():
        return []
    with file.open("rb") as stream:
        start = max(0, stream.seek(0, os.SEEK_END) - LATEST_BYTES)
        stream.seek(start)
        lines = stream.read().splitlines()[1 if start else 0 :]
    found: dict[tuple[int, float, str], Run] = {}
    for line in lines:
        with suppress(ValueError, TypeError):
            run = Run(**json.loads(line))
            key = (run.pid, run.began, run.stage)
            found.pop(key, None)
            found[key] = run
    return list(found.values())


def _append(run: Run, file: Path) -> None:
    """One write at the file's end, so that lines of several processes do not mix."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({key: value for key, value in asdict(run).items() if value is not None}) + "\n"
        with file.open("ab", buffering=0) as stream:
            stream.write(line.encode())
