"""A real Dask cluster: a scheduler and two workers, started as the documentation says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from stages.execution.engines import Engine, opened
from stages.execution.settings import ExecutionSettings
from tests.compositing.conftest import make_scene
from tests.conftest import REPOSITORY

__all__ = ["make_scene"]


def start(*command: str, folder: Path, log: Path, project: Path = REPOSITORY) -> subprocess.Popen[bytes]:
    """A program of Dask's in a folder, with the project on its path."""
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(project)},
            stdout=said,
            stderr=said,
        )


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler without workers."""
    folder = tmp_path_factory.mktemp("scheduler")
    known = folder / "scheduler.json"
    command = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(known)]
    process = start(*command, folder=folder, log=folder / "log")
    try:
        while not (known.exists() and known.stat().st_size):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield json.loads(known.read_text())["address"]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def cluster(scheduler: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, each a process with a nanny that starts it again if it dies."""
    folder = tmp_path_factory.mktemp("workers")
    (folder / "data").mkdir()
    for networks in ("packs", "visibility"):
        (folder / "data" / networks).symlink_to(REPOSITORY / "data" / networks)
    command = ["worker", scheduler, "--nthreads", "1", "--nworkers", "2", "--no-dashboard", "--host", "127.0.0.1"]
    process = start(*command, folder=folder, log=folder / "log")
    try:
        with Client(scheduler, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=300)
        yield scheduler
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def threads() -> Iterator[Engine]:
    """Two threads of this process."""
    with opened(ExecutionSettings(engine="threads", workers=2)) as engine:
        yield engine


@pytest.fixture(scope="session")
def processes() -> Iterator[Engine]:
    """Two processes of this machine."""
    with opened(ExecutionSettings(engine="processes", workers=2)) as engine:
        yield engine


@pytest.fixture(scope="session")
def dask(cluster: str) -> Iterator[Engine]:
    """The cluster as an engine."""
    with opened(ExecutionSettings(engine="dask", address=cluster)) as engine:
        yield engine
