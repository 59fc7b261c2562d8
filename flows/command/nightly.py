"""``likeness nightly``: take in, train what is stale, deliver, evaluate, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.command.running import run_flow, seen_from_here
from flows.deadlines import check, parsed
from flows.options import Clips, Pairs, Swaps, Timeouts

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    inbox: Annotated[
        str | None, typer.Option(help="a folder, or a bucket (s3://bucket/folder), to take footage in from")
    ] = None,
    swap: Swaps = None,
    pair: Pairs = None,
    clip: Clips = None,
    settled: Annotated[float, typer.Option(min=0, help="as of `likeness ingest`")] = 30.0,
    jobs: Annotated[int, typer.Option(min=1, help="at most so many stages at the same time")] = 2,
    gpu_slots: Annotated[int, typer.Option(min=1, help="at most so many trainings at the same time")] = 1,
    retries: Annotated[int, typer.Option(min=0, help="tries more after a fault that can pass")] = 2,
    disk_slots: Annotated[int, typer.Option(min=1, help="at most so many that work on whole films")] = 2,
    timeout: Timeouts = None,
    within: Annotated[int, typer.Option(min=0, help="tell consents that end in so many days")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="for machines: all that came of it")] = False,
) -> None:
    """Take in what has arrived, train what is stale, deliver, evaluate and report; one message for all that broke."""

    def look(root: Path) -> None:
        from flows.pipeline import Pipeline, Selection

        pipeline = Pipeline.load(root)
        check(parsed(timeout), list(pipeline.graph))
        pipeline.chosen(Selection(tuple(swap or ()), tuple(pair or ()), tuple(clip or ())))

    def call(root: Path) -> Any:
        from flows.nightly import nightly

        return nightly(
            inbox=seen_from_here(inbox) if inbox else None,
            swaps=swap,
            pairs=pair,
            clips=clip,
            settled_seconds=settled,
            jobs=jobs,
            gpu_slots=gpu_slots,
            retries=retries,
            disk_slots=disk_slots,
            timeouts=parsed(timeout),
            expire_within_days=within,
            repository=str(root),
            return_state=True,
        )

    run_flow(call, look=look, as_json=as_json)


if __name__ == "__main__":
    app(prog_name="python -m flows.command.nightly")
