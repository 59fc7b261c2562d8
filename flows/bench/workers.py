"""``python -m flows.bench.workers``: swaps over several workers beside the schedule that none can beat.

Server, remote and workers run on this machine. So that workers do not compete for its processors, the stages wait
instead of work; handing over, pulling, DVC, pushing and replying are what they always are.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final, cast

import networkx as nx
import typer

from flows.bench.project import keep
from flows.bench.store import s3_server
from flows.bench.waiting import generate, ideal
from flows.children import Children
from flows.environment import prepare
from flows.pipeline import Pipeline
from flows.server import HOST, running_server
from flows.states import data_of
from stages.problems import Problem
from stages.program import tell

BUCKET: Final = "likeness-bench"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    swaps: Annotated[int, typer.Option(min=2, help="how many swaps, two to a pair")] = 8,
    workers: Annotated[int, typer.Option(min=1, help="how many workers, each with its clone and cache")] = 4,
    scale: Annotated[float, typer.Option(min=0.0, help="1: a training waits for two minutes, the others less")] = 1.0,
) -> None:
    """Print how long the run took, and how long it takes on workers that lose no time."""
    try:
        with tempfile.TemporaryDirectory(prefix="likeness-workers-", ignore_cleanup_errors=True) as folder:
            _measure(Path(folder), swaps, workers, scale)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def _measure(folder: Path, swaps: int, workers: int, scale: float) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "testing"
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    root = folder / "project"
    generate(root, swaps, scale)
    with ExitStack() as held:
        _with_remote(root, held.enter_context(s3_server(folder / "s3.log")))
        prepare(root)
        address = held.enter_context(running_server(_free_port()))
        os.environ["PREFECT_API_URL"] = address
        # Not before: Prefect reads its settings when it is imported.
        from flows.remote import pool
        from flows.reproduction import Row, reproduce

        pool.ensure()
        for number in range(workers):
            held.enter_context(_worker(root, folder / f"worker{number}"))
        begin = time.monotonic()
        state = reproduce(repository=str(root), remote="store", jobs=10 * workers, gpu_slots=workers, return_state=True)
        took = time.monotonic() - begin
        if not state.is_completed():
            raise Problem(str(state.message), where="the run", mend="see what its workers say above")
        rows = cast("list[Row]", data_of(state))
        _tell(Pipeline.load(root).graph, {row.address: row.seconds or 0.0 for row in rows}, workers, took)


def _tell(graph: nx.DiGraph[str], seconds: dict[str, float], workers: int, took: float) -> None:
    from prefect.client.orchestration import get_client

    least = ideal(graph, seconds, workers)
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.name in seconds]
    whole = {run.name: run.total_run_time.total_seconds() for run in runs}
    begun = [(run.start_time, run.expected_start_time) for run in runs]
    waited = [(start - asked).total_seconds() for start, asked in begun if start is not None and asked is not None]
    beside = [whole[name] - seconds[name] for name in whole]
    print(f"stages                                        {len(seconds)}, of {sum(seconds.values()):.0f} s together")
    print(f"workers                                       {workers}")
    print(f"a stage beside its own work, median           {statistics.median(beside):.1f} s: pull, push, reply")
    print(f"from an order to its run's begin, least       {min(waited):.1f} s")
    print(f"the ideal schedule of these stage times       {least:.0f} s")
    print(f"the run took                                  {took:.0f} s, {took / least:.2f} times the ideal")


def _with_remote(root: Path, endpoint: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")).close()
    keep(root, "begin", new=True)
    dvc = (sys.executable, "-m", "dvc")
    for command in (
        ("init", "--quiet"),
        ("remote", "add", "--quiet", "store", f"s3://{BUCKET}/dvc"),
        ("remote", "modify", "store", "endpointurl", endpoint),
    ):
        subprocess.run([*dvc, *command], cwd=root, check=True, capture_output=True)
    keep(root, "a remote")


@contextmanager
def _worker(root: Path, clone: Path) -> Iterator[None]:
    from flows.remote.orders import POOL

    subprocess.run(["git", "clone", "--quiet", str(root), str(clone)], check=True, capture_output=True)
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL, "--limit", "1"]
    environment = {"PREFECT_HOME": str(clone / ".prefect"), "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with _program([*command, "--name", clone.name], clone, clone.with_suffix(".log"), **environment):
        yield


@contextmanager
def _program(command: list[str], folder: Path, log: Path, **environment: str) -> Iterator[None]:
    """Run a program for as long as the block lasts; it does not outlive this process, however that ends."""
    children = Children()
    with log.open("wb") as output:
        children.start(command, cwd=folder, env={**os.environ, **environment}, output=output)
    try:
        yield
    finally:
        children.stop()


def _free_port() -> int:
    """Not Prefect's usual one: workers of another project may look for their server there."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    app(prog_name="python -m flows.bench.workers")
