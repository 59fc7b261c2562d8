"""``python -m flows.serve``: a server, a worker and the schedules of prefect.yaml on one machine, until it is ended.

With ``--cron`` or ``--interval`` it serves one schedule of chosen results instead.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from flows.children import Children
from flows.deadlines import check, parsed
from flows.deploy import POOL, Notify, require_file
from flows.environment import find_root, prepare
from flows.options import Clips, Pairs, Swaps, Timeouts
from flows.pipeline import Pipeline, Selection
from flows.server import start_server
from stages.problems import Problem
from stages.program import tell

LONGEST_SECONDS = 366 * 86400
"""The longest time between two runs: with much longer ones no date can be told."""

_OF_ONE_SCHEDULE = ("jobs", "gpu_slots", "disk_slots", "retries", "timeout")
"""Options that the deployments of prefect.yaml have as parameters of their own."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    context: typer.Context,
    cron: Annotated[
        str | None, typer.Option(help='when to run, for instance "0 3 * * *": every night at three')
    ] = None,
    interval: Annotated[
        float | None, typer.Option(min=1, max=LONGEST_SECONDS, help="run every so many seconds")
    ] = None,
    swap: Swaps = None,
    pair: Pairs = None,
    clip: Clips = None,
    jobs: Annotated[int, typer.Option(min=1, help="at most so many stages at the same time")] = 2,
    gpu_slots: Annotated[int, typer.Option(min=1, help="at most so many trainings at the same time")] = 1,
    disk_slots: Annotated[int, typer.Option(min=1, help="at most so many that work on whole films")] = 2,
    retries: Annotated[int, typer.Option(min=0, help="tries more after a fault that can pass")] = 2,
    timeout: Timeouts = None,
    notify: Notify = None,
    limit: Annotated[int, typer.Option(min=1, help="of prefect.yaml at most so many runs at the same time")] = 1,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="the Prefect server's port; without it 4200 or a free one")
    ] = None,
) -> None:
    """Run flows on their schedules; what is up to date by then is skipped.

    Without --cron and --interval: the deployments of prefect.yaml, their schedules and a worker for them. With one of
    them: that one schedule, of what is chosen; runs follow one another, never two at once.

    It brings its own Prefect server, with its pages, unless PREFECT_API_URL names one. Ctrl-C or SIGTERM ends all.
    """
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    try:
        one = cron is not None or interval is not None
        if (cron is not None and interval is not None) or (not one and (swap or pair or clip)):
            raise Problem(
                "there must be one of --cron and --interval",
                where="flows.serve",
                mend='say when to run, for instance --cron "0 3 * * *"',
            )
        unheeded = [] if one else [name for name in _OF_ONE_SCHEDULE if _said(context, name)]
        if unheeded:
            raise Problem(
                "these belong to one schedule, and there is none",
                where=", ".join(f"--{name.replace('_', '-')}" for name in unheeded),
                mend="add --cron or --interval, or give them to the deployments in prefect.yaml, as their parameters",
            )
        timeouts = parsed(timeout)
        root = find_root()
        prepare(root)
        if not one:
            require_file(root)
        if cron is not None:
            check_cron(cron)
        # A wrong name or a broken pipeline is better told now than in the first run at three in the night.
        pipeline = Pipeline.load(root)
        pipeline.chosen(Selection(tuple(swap or ()), tuple(pair or ()), tuple(clip or ())))
        check(timeouts, list(pipeline.graph))
        address = start_server(port)
        print(f"Prefect's pages: {address.removesuffix('/api')}", flush=True)
        if not one:
            raise typer.Exit(_serve_deployments(root, notify, limit))
        if notify is not None:
            from flows import automations

            automations.ensure(notify)
        parameters = {
            "swaps": swap,
            "pairs": pair,
            "clips": clip,
            "jobs": jobs,
            "gpu_slots": gpu_slots,
            "retries": retries,
            "disk_slots": disk_slots,
            "timeouts": timeouts or None,
            "repository": str(root),
        }
        settings = json.dumps({"cron": cron, "interval": interval, "parameters": parameters})
        raise typer.Exit(_run([sys.executable, "-m", "flows.schedule", settings], Path.cwd()))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    except KeyboardInterrupt:
        print("ended, and with it any run that was under way; what was finished is kept")


def _said(context: typer.Context, name: str) -> bool:
    """Whether an option was given, be it as what it would be without."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def check_cron(cron: str) -> None:
    """Raises: Problem if Prefect does not take it for a schedule."""
    # Not before prepare(): Prefect reads its settings when it is imported.
    from prefect.client.schemas.schedules import CronSchedule

    try:
        CronSchedule(cron=cron)
    except ValidationError as error:
        raise Problem(
            f"'{cron}' is no schedule",
            where="flows.serve, --cron",
            mend='minute, hour, day, month, weekday, for instance "0 3 * * *"',
        ) from error


def _serve_deployments(root: Path, notify: str | None, limit: int) -> int:
    """Make the deployments, then work for them to the end."""
    named = [] if notify is None else ["--notify", notify]
    status = _run([sys.executable, "-m", "flows.deploy", *named], root)
    if status != 0:
        return status
    worker = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL]
    return _run([*worker, "--name", f"{POOL}-{os.getpid()}", "--limit", str(limit)], root)


def _run(command: list[str], folder: Path) -> int:
    """Run a program to its end, which is ours, and tell what it says."""
    children = Children()
    try:
        return children.run(command, cwd=folder, on_line=lambda line: print(line, flush=True))
    finally:
        children.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app(prog_name="python -m flows.serve")
