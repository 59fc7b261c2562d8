"""``python -m flows.reproduce --swap NAME``: bring results up to date on Prefect's embedded server, with no set-up."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.deadlines import check, parsed
from flows.environment import find_root, prepare
from flows.options import Clips, Pairs, Remote, Swaps, Timeouts
from flows.pipeline import Plan, Selection
from flows.server import start_server
from stages.problems import Problem
from stages.program import tell

FAILED = 1
"""Exit status when a stage failed or is still stale."""

INTERRUPTED = 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    swap: Swaps = None,
    pair: Pairs = None,
    clip: Clips = None,
    jobs: Annotated[int, typer.Option(min=1, help="at most so many stages at the same time")] = 2,
    gpu_slots: Annotated[int, typer.Option(min=1, help="at most so many trainings at the same time")] = 1,
    disk_slots: Annotated[int, typer.Option(min=1, help="at most so many that work on whole films")] = 2,
    retries: Annotated[int, typer.Option(min=0, help="tries more after a fault that can pass")] = 2,
    timeout: Timeouts = None,
    remote: Remote = None,
) -> None:
    """Bring the chosen results up to date; with nothing chosen, all of them.

    When a stage fails, all that does not depend on it still runs; the exit status is then not zero.
    """
    try:
        timeouts = parsed(timeout)
        root = find_root()
        prepare(root)
        selection = Selection(tuple(swap or ()), tuple(pair or ()), tuple(clip or ()))
        plan = Plan.make(root, selection) if remote is None else _planned(root, selection, remote)
        check(timeouts, list(plan.pipeline.graph))
        if not plan.stages:
            print(f"nothing to do: {len(plan.graph)} of {len(plan.graph)} stages are up to date")
            return
        start_server()
        # Not before this: Prefect reads its settings when it is imported.
        from flows.reproduction import reproduce

        state = reproduce(
            swaps=swap,
            pairs=pair,
            clips=clip,
            jobs=jobs,
            gpu_slots=gpu_slots,
            retries=retries,
            disk_slots=disk_slots,
            timeouts=timeouts,
            remote=remote,
            repository=str(root),
            return_state=True,
        )
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    except KeyboardInterrupt:
        print("error: interrupted; what was finished is kept, run again to go on", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if state.is_completed():
        print(state.message)
        return
    print(f"error: {state.message}", file=sys.stderr)
    raise typer.Exit(FAILED)


def _planned(root: Path, selection: Selection, remote: str) -> Plan:
    """The plan of a run by workers, which need a server that they can reach.

    Raises:
        Problem: none is named, or what :func:`flows.remote.planning.plan` finds.
    """
    if not os.environ.get("PREFECT_API_URL"):
        mend = "start one (`likeness serve`, or `prefect server start`), name it to the workers and here"
        raise Problem("workers need a Prefect server that they reach, too", where="PREFECT_API_URL", mend=mend)
    # Not at the top: it imports Prefect, which reads its settings then.
    from flows.remote import planning

    return planning.plan(root, selection, remote)


if __name__ == "__main__":
    app(prog_name="python -m flows.reproduce")
