"""A run of which one process is killed at a random moment, and the run after it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import psutil
import yaml

from flows.lineage.records import LOCK
from flows.lineage.trace import md5_of
from flows.pipeline import Pipeline, address_of, opened, stale_stages
from stages.problems import Problem

Victim = Literal["stage", "dvc", "flow", "server"]

MARKS: Final[Mapping[Victim, tuple[str, ...]]] = {
    "stage": ("-m stages.", "sh stages/"),
    "dvc": ("-m dvc ",),
    "flow": ("-m flows.reproduce",),
    "server": ("prefect_server.py server start",),
}
"""What stands in the command lines of each; of the guards before them, too, so the last process is taken."""

HANGS_AFTER: Final = 600.0
"""Seconds after which a run counts as one that hangs."""

POLL_SECONDS: Final = 0.05


@dataclass
class Outcome:
    """What became of one seed.

    Attributes:
        killed: whose process; None if the run had ended before.
        after: seconds from the first sight of such a process to the kill.
        status: exit status of the run, None if it hung.
        said: its last lines.
        runs: how many more it took until one ended well.
        mended: whether dvc.lock had to be taken back from git for it.
        faults: what is not as it must be; empty where all is.
    """

    seed: int
    remade: tuple[str, ...]
    victim: Victim
    killed: bool = False
    after: float = 0.0
    status: int | None = None
    said: str = ""
    runs: int = 0
    mended: bool = False
    faults: list[str] = field(default_factory=list)


def contents(root: Path, stages: Sequence[str]) -> dict[str, str]:
    """File -> md5 of all that some stages have written, as it lies there, and the hashes that dvc.lock has of them."""
    pipeline, found = Pipeline.load(root), {}
    for address in stages:
        for path, _ in pipeline.outputs(address):
            place = root / path
            for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
                if file.is_file():
                    found[file.relative_to(root).as_posix()] = md5_of(file)
    locked = yaml.load((root / LOCK).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["stages"]
    for address in stages:
        found |= {f"{address} {out['path']}": out["md5"] for out in locked.get(address, {}).get("outs", [])}
    return found


def forget(root: Path, stages: Sequence[str]) -> None:
    """Remove what some stages have written from the working tree and DVC's cache, as if they had never run here."""
    with opened(root) as repo:
        for stage in repo.index.stages:
            if address_of(stage) not in stages:
                continue
            for out in stage.outs:
                if out.use_cache and out.hash_info:
                    Path(repo.cache.local.oid_to_path(out.hash_info.value)).unlink(missing_ok=True)
        shutil.rmtree(repo.stage_cache.cache_dir, ignore_errors=True)
        places = [Path(out.fs_path) for stage in repo.index.stages if address_of(stage) in stages for out in stage.outs]
    for place in places:
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)


def half_written(root: Path) -> list[str]:
    """What only a killed process can have left in the artifacts' folders."""
    return sorted(path.relative_to(root).as_posix() for path in (root / "data").rglob(".*.part*"))


def killed_run(
    root: Path, command: Sequence[str], outcome: Outcome, chance: random.Random, seconds: float, log: Path
) -> None:
    """Start a run, kill the victim a while after it is first seen (a server: after it has work), and wait for the end.

    Args:
        root: the project's folder.
        command: of the run.
        outcome: to note in.
        chance: tells the moment.
        seconds: the longest while.
        log: takes what the run says.
    """
    wait = chance.uniform(0, seconds)
    with log.open("wb") as output:
        run = subprocess.Popen(command, cwd=root, stdout=output, stderr=subprocess.STDOUT)
        try:
            first = None
            end = time.monotonic() + HANGS_AFTER
            while run.poll() is None and time.monotonic() < end:
                victims = _victims(run, outcome.victim)
                now = time.monotonic()
                if first is None and (victims if outcome.victim != "server" else _victims(run, "dvc")):
                    first = now
                if first is not None and now - first >= wait and victims and not outcome.killed:
                    outcome.killed, outcome.after = _killed(chance.choice(victims)), now - first
                time.sleep(POLL_SECONDS)
            outcome.status = run.poll()
        finally:
            if run.poll() is None:
                outcome.faults.append(f"it still ran after {HANGS_AFTER:.0f} s")
                run.kill()
                run.wait()
    outcome.said = log.read_text(errors="replace").strip()


def brought_to_end(root: Path, command: Sequence[str], outcome: Outcome, most: int = 3) -> None:
    """Run again until a run ends well; more than once only where each failure says what to do.

    Where DVC was killed while it wrote dvc.lock, the failure must name that file, and it is taken back from git, as the
    flow's message and docs/faults.md say.
    """
    for _ in range(most):
        outcome.runs += 1
        try:
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=HANGS_AFTER, check=False)
        except subprocess.TimeoutExpired:
            outcome.faults.append("the run after it hangs")
            return
        if done.returncode == 0:
            return
        outcome.said = (done.stdout + done.stderr).strip()
        if cut_off(root):
            if LOCK not in outcome.said:
                outcome.faults.append(f"{LOCK} is cut off, and nothing says so: {outcome.said[-400:]}")
            subprocess.run(["git", "checkout", "--quiet", LOCK], cwd=root, check=True)
            outcome.mended = True
    outcome.faults.append(f"no run ends well any more: {outcome.said[-400:]}")


def cut_off(root: Path) -> bool:
    """Whether dvc.lock can not be read: DVC rewrites it in place."""
    try:
        Pipeline.load(root)
    except Problem as problem:
        return LOCK in str(problem)
    return False


def left_running(root: Path, before: Container[int] = (), seconds: float = 60.0) -> list[str]:
    """Command lines of the processes that still work in the project's folder after a while, but those of before."""
    end = time.monotonic() + seconds
    while (left := [line for pid, line in within(root) if pid not in before]) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    return left


def judged(root: Path, outcome: Outcome, wanted: Mapping[str, str], stages: Sequence[str]) -> None:
    """Compare what lies there now with an undisturbed run's."""
    found = contents(root, stages)
    other = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if other:
        outcome.faults.append(f"not the same bytes: {', '.join(other[:5])}")
    stale = {stage: reasons for stage, reasons in stale_stages(root, stages).items() if reasons != ["always changed"]}
    if stale:
        outcome.faults.append(f"still stale: {stale}")
    if left := half_written(root):
        outcome.faults.append(f"half-written: {', '.join(left)}")


def _victims(run: subprocess.Popen[bytes], victim: Victim) -> list[psutil.Process]:
    """The innermost processes of the kind among those that the run has started."""
    try:
        family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    found = [process for process in family if _is(process, MARKS[victim])]
    if victim == "flow":
        return found[:1]
    return [process for process in found if "guard.py" not in " ".join(_line(process))]


def _is(process: psutil.Process, marks: Sequence[str]) -> bool:
    line = " ".join(_line(process)) + " "
    return any(mark in line for mark in marks)


def _line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []


def _killed(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def within(root: Path) -> Iterator[tuple[int, str]]:
    """Number and command line of the processes that work in the project's folder, but this one and its own."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        try:
            if (
                process.pid not in own
                and process.status() != psutil.STATUS_ZOMBIE
                and Path(process.cwd()).is_relative_to(root)
            ):
                yield process.pid, " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue


FLOW: Final = (sys.executable, "-m", "flows.reproduce", "--retries", "0")
DVC: Final = (sys.executable, "-m", "dvc", "--wait-for-lock", "repro")
