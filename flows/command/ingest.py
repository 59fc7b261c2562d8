"""``likeness ingest``: take in what has arrived in a folder or bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.command.running import run_flow, seen_from_here
from flows.deadlines import check, parsed
from flows.options import Timeouts

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    inbox: Annotated[
        str, typer.Argument(help="a folder, or a bucket (s3://bucket/folder), with footage and consent records")
    ],
    settled: Annotated[
        float, typer.Option(min=0, help="seconds for which nobody must have written to a file; not in object stores")
    ] = 30.0,
    jobs: Annotated[int, typer.Option(min=1, help="at most so many stages at the same time")] = 2,
    gpu_slots: Annotated[int, typer.Option(min=1, help="at most so many trainings at the same time, of all runs")] = 1,
    retries: Annotated[int, typer.Option(min=0, help="tries more after a fault that can pass")] = 2,
    disk_slots: Annotated[int, typer.Option(min=1, help="at most so many that work on whole films")] = 2,
    timeout: Timeouts = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines: each file and each stage")] = False,
) -> None:
    """Take in new footage that is whole and agreed, up to the face set; what may not come in is named with the mend."""

    def look(root: Path) -> None:
        from flows.ingestion.inbox import Inbox
        from flows.pipeline import Pipeline

        check(parsed(timeout), list(Pipeline.load(root).graph))
        Inbox.open(seen_from_here(inbox), root)

    def call(root: Path) -> Any:
        from flows.ingest import ingest

        return ingest(
            inbox=seen_from_here(inbox),
            settled_seconds=settled,
            jobs=jobs,
            gpu_slots=gpu_slots,
            retries=retries,
            disk_slots=disk_slots,
            timeouts=parsed(timeout),
            repository=str(root),
            return_state=True,
        )

    run_flow(call, look=look, as_json=as_json)


if __name__ == "__main__":
    app(prog_name="python -m flows.command.ingest")
