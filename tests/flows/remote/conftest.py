"""Workers in clones of their own, each with its own DVC cache, and a remote that speaks S3's protocol."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import psutil
import pytest

from flows.bench.store import s3_server
from flows.children import Children
from flows.remote.orders import POOL
from tests.flows.conftest import commit, dvc, processes, run, wait_for

WAIT = 300.0
BUCKET = "likeness-workers"


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks S3's protocol."""
    log = tmp_path_factory.mktemp("moto") / "log"
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with s3_server(log) as address:
            yield address


@dataclass
class Worker:
    """One machine: a clone, its cache, and a worker that makes one stage at a time."""

    clone: Path
    # under a guard: it does not outlive tests that are killed
    children: Children = field(default_factory=Children)

    def start(self, server: str) -> None:
        """As a user starts it."""
        command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", POOL]
        environment = {
            **os.environ,
            "PREFECT_API_URL": server,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_HOME": str(self.clone / ".prefect"),
        }
        with self.log.open("ab") as output:
            self.children.start(
                [*command, "--limit", "1", "--name", self.clone.name], cwd=self.clone, env=environment, output=output
            )

    @property
    def log(self) -> Path:
        """What it says."""
        return self.clone.with_suffix(".txt")

    def power_off(self) -> None:
        """Kill all of it at once, and whatever was started meanwhile."""

        def is_dark() -> bool:
            running = processes(str(self.clone))
            for each in running:
                with suppress(psutil.NoSuchProcess):
                    for one in [*each.children(recursive=True), each]:
                        one.kill()
            return not running

        wait_for(is_dark, WAIT)
        self.children.stop()

    def made(self) -> set[str]:
        """The stages that it began."""
        file = self.clone / "began.txt"
        return set(file.read_text().split()) if file.exists() else set()


@dataclass
class Site:
    """A project where runs begin, with a remote named `store`, and the workers' clones of it."""

    project: Path
    server: str
    workers: list[Worker]

    def fault(self, address: str, shell: str) -> None:
        """Let a stage run a piece of shell before it works, wherever it is made."""
        for worker in self.workers:
            (worker.clone / "faults").mkdir(exist_ok=True)
            (worker.clone / "faults" / address).write_text(f"echo $DVC_STAGE >> began.txt\n{shell}\n")


@pytest.fixture
def site(project: Path, prefect: str, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Two workers, not started yet."""
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    bucket = f"{BUCKET}-{tmp_path.name.replace('_', '-').lower()}"[:60].rstrip("-")
    boto3.client("s3", endpoint_url=s3).create_bucket(Bucket=bucket)
    dvc("remote", "add", "--quiet", "store", f"s3://{bucket}/dvc", cwd=project)
    dvc("remote", "modify", "store", "endpointurl", s3, cwd=project)
    commit(project, "a remote")
    workers = []
    for name in ("first", "second"):
        clone = tmp_path / name
        run("git", "clone", "--quiet", str(project), str(clone), cwd=tmp_path)
        workers.append(Worker(clone))
    made = Site(project, prefect, workers)
    for address in STAGES:
        made.fault(address, "true")
    yield made
    for worker in workers:
        worker.power_off()


STAGES = (
    *(f"extraction@{each}" for each in ("ada", "ben", "cyd")),
    *(f"training@{each}" for each in ("ada-ben", "ada-cyd")),
    *(f"{kind}@{each}" for kind in ("encoding", "evaluation") for each in ("ada-on-ben", "ada-on-cyd")),
)
