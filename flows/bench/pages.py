"""``python -m flows.bench.pages``: what it costs that Prefect's pages show a run.

No stage runs: for each stage of this repository that has a result, the artifacts are made that a run would make, on a
Prefect server with a database of its own. Told is processor time, of the flow's process and of the server's.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil
import typer

from flows.environment import find_root, prepare
from flows.pipeline import Pipeline
from flows.server import running_server
from stages.problems import Problem
from stages.program import tell

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

UPDATES = 20


@dataclass
class Costs:
    """Rows of (what, how many, seconds of the flow's processor each, the server's each, seconds by the clock each)."""

    rows: list[tuple[str, int, float, float, float]] = field(default_factory=list)

    @contextmanager
    def of(self, what: str, count: int) -> Iterator[None]:
        """Measure the block, which does something so many times."""
        before = (time.process_time(), _server_seconds(), time.monotonic())
        yield
        after = (time.process_time(), _server_seconds(), time.monotonic())
        here, there, wall = ((late - early) / count for late, early in zip(after, before, strict=True))
        self.rows.append((what, count, here, there, wall))


def _server_seconds() -> float:
    """Processor time of our children: the server's."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)


@app.command()
def main() -> None:
    """Print the cost of each kind of artifact, on this repository's results."""
    try:
        root = find_root()
        with tempfile.TemporaryDirectory(prefix="likeness-pages-") as folder:
            # Before Prefect is imported, which reads its settings then; a used database would be slower.
            os.environ |= {"PREFECT_HOME": folder, "PREFECT_LOGGING_TO_API_ENABLED": "false"}
            os.environ.pop("PREFECT_API_URL", None)
            prepare(root)
            with running_server() as address:
                os.environ["PREFECT_API_URL"] = address
                costs = _measured(root)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    print("| | times | flow's processor | server's processor | by the clock |\n|---|---:|---:|---:|---:|")
    for what, count, here, there, wall in costs.rows:
        print(f"| {what} | {count} | {here:.2f} s | {there:.2f} s | {wall:.2f} s |")


def _measured(root: Path) -> Costs:
    """Make the artifacts in a flow.

    Raises:
        Problem: nothing is made yet.
    """
    from prefect import flow
    from prefect.artifacts import create_progress_artifact, update_progress_artifact

    from flows.pages import files
    from flows.pages.progress import shown
    from flows.reproduction import Row
    from flows.results import publish

    pipeline = Pipeline.load(root)
    made = [address for address in pipeline.graph if any(md5 for _, md5 in pipeline.outputs(address))]
    rows = [Row(address, "made") for address in made]
    deliverables = sum(address.startswith("encoding@") for address in made)
    if not deliverables:
        raise Problem("no deliverable is made yet", where=root, mend="run `dvc repro`")
    files.serve_files(root, 0)
    costs = Costs()

    def looked_at() -> None:
        with shown(made[0], root):
            pass
        with costs.of("progress and sheets of a stage", len(made)):
            for address in made:
                with shown(address, root):
                    pass
        with costs.of("a step of a bar, at most every 5 s", UPDATES):
            bar = create_progress_artifact(0.0, key="bar")
            assert isinstance(bar, UUID)
            for step in range(1, UPDATES):
                update_progress_artifact(bar, float(step))
        with costs.of("tables, links and lineage, a deliverable", deliverables):
            publish(pipeline, rows)

    run: Callable[[], None] = flow(name="pages")(looked_at)
    run()
    return costs


if __name__ == "__main__":
    app(prog_name="python -m flows.bench.pages")
