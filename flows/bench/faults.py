"""``python -m flows.bench.faults``: processes of a run killed at random moments, and whether all ends as undisturbed.

A small project (seconds of the samples, the smallest training) is made whole once. Then, for each seed, some stages are
forgotten, with their results in DVC's cache; a run makes them again, and one process of it gets SIGKILL: a stage's,
DVC's, the flow's own, or Prefect's server. The run after it must end well, with the same bytes in every file and hash,
no process and nothing half-written left.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from flows.bench.kills import (
    DVC,
    FLOW,
    Outcome,
    Victim,
    brought_to_end,
    contents,
    forget,
    judged,
    killed_run,
    left_running,
    within,
)
from flows.bench.project import keep, small_project
from flows.environment import find_root, prepare
from flows.lineage.records import LOCK
from flows.pipeline import Pipeline, Selection, in_order
from flows.server import running_server
from stages import journal
from stages.problems import Problem
from stages.program import tell

SWAP: Final = "ada-on-ben"
VICTIMS: Final[tuple[Victim, ...]] = ("stage", "stage", "dvc", "dvc", "flow", "server")
MOST_REMADE: Final = 4
MOST_ATTEMPTS: Final = 4
"""A moment may come after the run's end; then another is taken, in half the time."""

SAMPLES: Final = ("rendering", "truth")
"""Stages whose results git has."""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seeds: Annotated[int, typer.Option(min=1, help="how many kills")] = 50,
    first: Annotated[int, typer.Option(min=0, help="the first seed")] = 0,
    seconds: Annotated[float, typer.Option(min=0.5, help="length of the clips")] = 2.0,
    folder: Annotated[Path | None, typer.Option(help="keep the small project there, or use the one that is")] = None,
) -> None:
    """Kill and run again, and print a line for each seed. 1 at the end if one did not end as an undisturbed run."""
    try:
        source = find_root()
        with tempfile.TemporaryDirectory(prefix="likeness-faults-") as passing:
            root = (folder or Path(passing)).resolve() / "project"
            failed = _all(source, root, range(first, first + seeds), seconds)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    raise typer.Exit(1 if failed else 0)


def _all(source: Path, root: Path, seeds: range, seconds: float) -> int:
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(source)  # the flows; the stages are the project's own, which come first
    if not root.exists():
        small_project(source, root, seconds)
    prepare(root)
    log = root.parent / "run.log"
    begin = time.monotonic()
    undisturbed = Outcome(-1, (), "stage")
    brought_to_end(root, (*DVC, f"evaluation@{SWAP}"), undisturbed, most=1)
    if undisturbed.faults:
        raise Problem(f"the undisturbed run failed: {undisturbed.said}", where=root, mend="mend what it says")
    keep(root, "all made")
    print(f"undisturbed: {time.monotonic() - begin:.0f} s\n", flush=True)
    pipeline = Pipeline.load(root)
    graph = pipeline.chosen(Selection(swaps=(SWAP,)))
    stages = [node for node in in_order(graph, list(graph)) if not node.startswith(SAMPLES)]
    wanted = contents(root, stages)
    times = {run.stage: run.seconds or 1.0 for run in journal.runs(root / journal.FILE)}
    print("| seed | made again | killed | after | ended with | runs to the end | same bytes, nothing left |")
    print("|---:|---|---|---:|---:|---:|---|", flush=True)
    outcomes = []
    with ExitStack() as lasting:
        server = lasting.enter_context(running_server())
        for seed in seeds:
            outcome = _one(root, stages, wanted, times, seed, server, log)
            outcomes.append(outcome)
            print(_row(outcome), flush=True)
            if outcome.faults:
                brought_to_end(root, (*DVC, f"evaluation@{SWAP}"), Outcome(seed, (), "dvc"))
    failed = sum(bool(outcome.faults) for outcome in outcomes)
    killed = sum(outcome.killed for outcome in outcomes)
    print(f"\n{len(outcomes)} runs, {killed} killed, {failed} did not end as an undisturbed one")
    return failed


def _one(
    root: Path, stages: list[str], wanted: dict[str, str], times: dict[str, float], seed: int, server: str, log: Path
) -> Outcome:
    chance = random.Random(seed)
    victim = chance.choice(VICTIMS)
    begin = chance.randrange(len(stages))
    remade = tuple(stages[begin : begin + chance.randint(1, MOST_REMADE)])
    outcome = Outcome(seed, remade, victim)
    by_flow = victim in ("flow", "server") or chance.random() < 0.5
    command = (*FLOW, "--swap", SWAP) if by_flow else (*DVC, f"evaluation@{SWAP}")
    # To kill a server, a run must have one of its own; starting it takes long, so the others share one.
    os.environ.pop("PREFECT_API_URL", None)
    if victim != "server":
        os.environ["PREFECT_API_URL"] = server
    before = {pid for pid, _ in within(root)}
    longest = sum(times.get(stage, 1.0) for stage in remade)
    for attempt in range(MOST_ATTEMPTS):
        forget(root, remade)
        killed_run(root, command, outcome, chance, longest / 2**attempt, log)
        if outcome.killed or outcome.faults:
            break
    outcome.faults += [f"still at work: {line[:120]}" for line in left_running(root, before)]
    if outcome.status and "Traceback" in outcome.said:
        outcome.faults.append(f"it ended in a traceback: {outcome.said[-300:]}")
    os.environ["PREFECT_API_URL"] = server
    brought_to_end(root, command, outcome)
    judged(root, outcome, wanted, stages)
    return outcome


def _row(outcome: Outcome) -> str:
    verdict = "; ".join(fault.replace("\n", " ").replace("|", "/") for fault in outcome.faults) or "yes"
    killed = f"{outcome.victim} | {outcome.after:.2f} s" if outcome.killed else "nothing: it ended before |"
    remade = ", ".join(outcome.remade)
    runs = f"{outcome.runs}, after `git checkout {LOCK}`" if outcome.mended else outcome.runs
    return f"| {outcome.seed} | {remade} | {killed} | {outcome.status} | {runs} | {verdict} |"


if __name__ == "__main__":
    app(prog_name="python -m flows.bench.faults")
