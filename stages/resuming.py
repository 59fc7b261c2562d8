"""Where a stage keeps what is whole of its work while it runs, so that a killed run goes on from there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stages.execution.surroundings import surroundings
from stages.problems import Outage, Problem, told_as_problem

SCRATCH: Final = Path(".scratch")
"""Outside of DVC's outputs and of git."""


@contextmanager
def resumable(stage: str, name: str, *inputs: object, reads: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the folder of a stage's work on one clip or swap; with what a killed run left in it, if it was the same.

    The same is a run by the same code and package versions on equal inputs. The folder goes when the block ends well,
    and when it refuses its input, which another run would refuse too. After a kill or a full disk it stays for the
    next run, and goes then if that one's inputs are others.

    Args:
        stage, name: whose work.
        inputs: that the result depends on, as JSON can hold them; models of settings too.
        reads: files that the result depends on, by their content.

    Raises:
        Problem: the disk is full or the folder may not be written.
    """
    place = SCRATCH / stage / name
    around = surroundings(reads)
    words = json.dumps([inputs, around.code, around.versions, around.vector, around.files], default=_plain)
    folder = place / hashlib.sha256(words.encode()).hexdigest()[:24]
    with told_as_problem(place):
        for other in place.glob("*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except Problem as problem:
        # not of a full disk, a worker that was killed, a service that is out of order
        if not isinstance(problem.__cause__, OSError | BrokenExecutor) and not isinstance(problem, Outage):
            shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place, ignore_errors=True)


def _plain(value: object) -> object:
    """What JSON can not hold by itself: models of settings."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump is not None else str(value)
