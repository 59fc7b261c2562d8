"""``python -m flows.serve --cron "0 3 * * *"``: bring results up to date on a schedule, until it is ended."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from flows.children import Children
from flows.environment import find_root, prepare
from flows.options import Clips, Pairs, Swaps
from flows.pipeline import Pipeline, Selection
from flows.server import start_server
from stages.problems import Problem
from stages.program import tell

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    cron: Annotated[
        str | None, typer.Option(help='when to run, for instance "0 3 * * *": every night at three')
    ] = None,
    interval: Annotated[float | None, typer.Option(min=1, help="run every so many seconds")] = None,
    swap: Swaps = None,
    pair: Pairs = None,
    clip: Clips = None,
    jobs: Annotated[int, typer.Option(min=1, help="at most so many stages at the same time")] = 2,
    gpu_slots: Annotated[int, typer.Option(min=1, help="at most so many trainings at the same time")] = 1,
    retries: Annotated[int, typer.Option(min=0, help="tries more after a fault that can pass")] = 2,
    port: Annotated[int | None, typer.Option(help="the Prefect server's port; without it 4200 or a free one")] = None,
) -> None:
    """Run the flow on a schedule; what is up to date by then is skipped. Runs follow one another, never two at once.

    It brings its own Prefect server, with its pages, unless PREFECT_API_URL names one. Ctrl-C or SIGTERM ends all.
    """
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    try:
        if (cron is None) == (interval is None):
            raise Problem(
                "there must be one of --cron and --interval",
                where="flows.serve",
                mend='say when to run, for instance --cron "0 3 * * *"',
            )
        root = find_root()
        prepare(root)
        if cron is not None:
            check_cron(cron)
        # A wrong name or a broken pipeline is better told now than in the first run at three in the night.
        Pipeline.load(root).chosen(Selection(tuple(swap or ()), tuple(pair or ()), tuple(clip or ())))
        address = start_server(port)
        print(f"Prefect's pages: {address.removesuffix('/api')}", flush=True)
        parameters = {
            "swaps": swap,
            "pairs": pair,
            "clips": clip,
            "jobs": jobs,
            "gpu_slots": gpu_slots,
            "retries": retries,
            "repository": str(root),
        }
        settings = json.dumps({"cron": cron, "interval": interval, "parameters": parameters})
        raise typer.Exit(_run([sys.executable, "-m", "flows.schedule", settings]))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    except KeyboardInterrupt:
        print("ended, and with it any run that was under way; what was finished is kept")


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


def _run(command: list[str]) -> int:
    """Run the scheduler to its end, which is ours, and tell what it says."""
    children = Children()
    try:
        return children.run(command, cwd=Path.cwd(), on_line=lambda line: print(line, flush=True))
    finally:
        children.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    app(prog_name="python -m flows.serve")
