"""One Prefect task for one DVC stage: ``dvc --wait-for-lock repro -s STAGE`` in a process group of its own."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from flows import books, damage, deadlines, disk, events, gpu
from flows.children import Children, Overdue
from flows.pages.progress import shown
from flows.pipeline import opened
from stages.artifacts.files import REMAKE
from stages.problems import BAD_INPUT

BACK_OFF_SECONDS = 5.0
"""Before a stage is tried again; twice as long before every further try."""

MOST_LINES = 12
"""At most this many lines of a stage's last words go into the message of its failure."""

EXIT_STATUS = re.compile(r"exited with (-?\d+)$")
MISSING = re.compile(r"\[Errno 2\] No such file or directory: '(?P<path>[^']+)'")
BUSY = re.compile(r"unable to acquire lock|is busy, it is being blocked by", re.IGNORECASE)
CUT_OFF = re.compile(r"Unable to read RWLock-file")
BUSY_SECONDS = 5.0
ADVICE = re.compile(
    r"^(Generating|Updating) lock file|^To track the changes with git|^\tgit add |^To enable auto staging"
    r"|^\tdvc config core.autostage|^Use `dvc push`"
)
"""What DVC says to someone at a terminal after every stage."""

PROBLEM = re.compile(r"^error: ")

Outcome = Literal["made", "taken from the cache", "unchanged"]


@dataclass
class Workshop:
    """What the tasks of one run share.

    Attributes:
        root: the repository's folder.
        jobs: how many stages may run at the same time.
        gpu_slots: how many of them may use the GPU.
        gpu_locks: the folder of the lock files behind these slots.
        disk_slots: how many of them may work on whole films.
        hours: own deadlines by kind of stage.
    """

    root: Path
    jobs: int
    gpu_slots: int
    gpu_locks: Path = field(default_factory=gpu.lock_folder)
    disk_slots: int = 2
    hours: Mapping[str, float] = field(default_factory=dict)
    children: Children = field(default_factory=Children)

    def __post_init__(self) -> None:
        self.room = threading.BoundedSemaphore(self.jobs)


@dataclass(frozen=True)
class Done:
    """How a stage ended that ended well, and after how many seconds."""

    outcome: Outcome
    seconds: float


class StageFailed(Exception):
    """A stage, or DVC itself, ended with an error.

    Attributes:
        address: the stage.
        reason: what it said last.
        may_pass: whether trying again can help: it can not where the stage refused its input.
    """

    def __init__(self, address: str, reason: str, *, may_pass: bool) -> None:
        self.address = address
        self.reason = reason
        self.may_pass = may_pass
        super().__init__(f"{address}: {reason}")


def may_pass(_task: object, _run: object, state: Any) -> bool:
    """Prefect's question whether to try a task again."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, StageFailed) and error.may_pass


@task(
    task_run_name="{address}",
    cache_policy=NO_CACHE,  # DVC is the only one that says what is up to date
    persist_result=False,
    retry_condition_fn=may_pass,
)
def make_stage(address: str, workshop: Workshop) -> Done:
    """Reproduce one stage, whose upstream stages are up to date.

    Raises:
        StageFailed: it ended with an error.
        Stopped: the run was stopped.
    """
    logger = get_run_logger()
    with ExitStack() as held:
        kind, stopped = deadlines.kind_of(address), workshop.children.stopped
        if kind in gpu.STAGES:
            held.enter_context(gpu.gpu_slot(workshop.gpu_slots, workshop.gpu_locks, stopped))
        if kind in disk.STAGES:
            held.enter_context(disk.disk_slot(workshop.disk_slots, workshop.gpu_locks, stopped))
        held.enter_context(workshop.room)
        seconds = deadlines.seconds_of(address, workshop.hours)
        try:
            with shown(address, workshop.root) as hear:
                return reproduce_stage(address, workshop.root, workshop.children, logger, seconds=seconds, watch=hear)
        except StageFailed as failed:
            raise _looked_into(failed, workshop.root) from None


def _looked_into(failed: StageFailed, root: Path) -> StageFailed:
    """The failure, with what was found out and done about a damaged result that the stage could not read."""
    if REMAKE not in failed.reason:
        return failed
    with opened(root) as repo:
        gone = damage.removed(repo, failed.reason)
    if not gone:
        return failed
    told = f"{', '.join(gone)}: not as recorded any more, and removed now, from DVC's cache, too: run again"
    return StageFailed(failed.address, f"{failed.reason}\n  {told}", may_pass=False)


def reproduce_stage(
    address: str,
    root: Path,
    children: Children,
    logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
    *,
    seconds: float | None = None,
    watch: Callable[[str], None] = lambda line: None,
) -> Done:
    """Run DVC on one stage and tell its output line by line.

    Args:
        address: the stage.
        root: the repository's folder.
        children: what it becomes one of.
        logger: gets the lines.
        seconds: it may take so long, None for ever.
        watch: gets the lines, too.

    Raises:
        StageFailed: it ended with an error, or was ended because it took too long.
        Stopped: the run was stopped.
        Problem: DVC can not open the repository.
    """
    # Both flags are needed: -s, because DVC wants write locks on what is upstream even where that is up to date.
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", address]
    with opened(root):  # tidies what a try before this one, which was killed, may have left
        pass
    begin = time.monotonic()
    while True:
        lines: list[str] = []

        def on_line(line: str, lines: list[str] = lines) -> None:
            if not ADVICE.search(line):
                lines.append(line)
                logger.info(line)
                events.hear(address, line)
                watch(line)

        try:
            status = children.run(command, cwd=root, on_line=on_line, env=environment(), seconds=seconds)
        except Overdue as overdue:
            # What hung, a network drive or a driver, may not hang again; what is merely slow needs a longer deadline.
            reason = f"{overdue}, and was ended\n  mend: if it was at work, give it longer (timeouts, --timeout)"
            raise StageFailed(address, reason, may_pass=True) from None
        if status == 0:
            return Done(_outcome(lines), time.monotonic() - begin)
        errors = [line for line in lines if line.startswith("ERROR: ")]
        if not any(BUSY.search(line) or CUT_OFF.search(line) for line in errors):
            raise failure(address, status, lines)
        # --wait-for-lock is not about this lock. Nobody waits for another while at work, so the waiting ends.
        logger.info("another process works on what %s needs or makes; looking again soon", address)
        children.stopped.wait(BUSY_SECONDS)
        books.tidy(root / ".dvc" / "tmp")


def environment() -> dict[str, str]:
    """The environment of a stage: ``python`` in its command is the Python that runs this."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    # A bar of fixed width, in whole lines: nobody looks at it in a terminal.
    return {**os.environ, "PATH": os.pathsep.join(folders), "PYTHONUNBUFFERED": "1"}


def failure(address: str, status: int, lines: list[str]) -> StageFailed:
    """What a stage's failure means, from DVC's exit status and the last lines of both.

    DVC itself ends with 255 or 1 whatever the stage's own exit status was, and only says that in its message.
    """
    told = next((match for line in reversed(lines) if (match := EXIT_STATUS.search(line))), None)
    if told is not None:
        own = int(told[1])
        words = [line for line in lines if not line.startswith(("ERROR: ", "Running stage ", "> "))]
        start = max((n for n, line in enumerate(words) if PROBLEM.match(line)), default=0)
        words = words[start:][-MOST_LINES:] or [f"it ended with exit status {own}"]
        return StageFailed(address, PROBLEM.sub("", "\n".join(words)), may_pass=own != BAD_INPUT)
    words = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = "\n".join((words or lines)[-MOST_LINES:]) or f"dvc ended with exit status {status}"
    missing = MISSING.search(reason)
    if missing is not None:
        reason = f"{missing['path']}: it is not there\n  mend: put the file in its place, or `dvc pull` it"
    killed = status > 128 and not words
    return StageFailed(address, reason, may_pass=killed)


def _outcome(lines: list[str]) -> Outcome:
    if any(line.startswith("Running stage ") for line in lines):
        return "made"
    return "unchanged" if any("didn't change" in line for line in lines) else "taken from the cache"
