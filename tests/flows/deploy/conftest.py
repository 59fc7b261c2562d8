"""Deployments, workers and events of a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.events.filters import EventFilter, EventNameFilter

from tests.flows.conftest import REPOSITORY

WAIT = 300.0


@pytest.fixture
def deployable(project: Path) -> Path:
    """The project with the deployments of the repository."""
    shutil.copy(REPOSITORY / "prefect.yaml", project)
    return project


@contextmanager
def worker(folder: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the pool, as a user starts it; it is ended at the latest at the end of the block."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", "likeness"]
    environment = {**os.environ, "PREFECT_API_URL": address, "PREFECT_WORKER_QUERY_SECONDS": "1"}
    with (folder.parent / "worker.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def found_events(name: str, resource: str) -> list[dict[str, Any]]:
    """Payloads and related resources of the events of a name about a resource that the server has."""
    with get_client(sync_client=True) as client:
        asked = EventFilter(event=EventNameFilter(name=[name])).model_dump(mode="json", exclude_unset=True)
        told = client._client.post("/events/filter", json={"filter": asked, "limit": 50})
        told.raise_for_status()
    return [
        {"payload": event["payload"], "related": {each["prefect.resource.id"] for each in event["related"]}}
        for event in told.json()["events"]
        if event["resource"]["prefect.resource.id"] == resource
    ]


Inject = Callable[[str, str], None]
