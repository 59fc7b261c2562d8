"""Runs whose artifacts are looked at: by the API, and in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.pages import files
from tests.browser import chromium

WAIT = 300.0

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Prefect's pages ask a service on the internet what to count."""

BAR = """\
import pathlib, sys, time
from stages.progress import bar
with bar(total=10, what="training ada-ben", unit="it") as shown:
    shown.set_postfix_str("ada 0.250, ben 0.125")
    shown.update(4)
    while not pathlib.Path("go").exists():
        shown.refresh()
        time.sleep(0.2)
    if pathlib.Path("go").read_text() != "well":
        sys.exit(2)
    shown.update(6)
"""
"""A bar that stands at 40 % until the file ``go`` is there."""


def bar_until_told(project: Path) -> str:
    """Shell that shows the bar."""
    (project / "bar.py").write_text(BAR)
    return f'"{sys.executable}" bar.py\n'


@contextmanager
def reproducing(project: Path, address: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run as a user starts it, on a server that is there already; it is ended at the latest with the block."""
    command = [sys.executable, "-m", "flows.reproduce", "--retries", "0", *arguments]
    environment = {**os.environ, "PREFECT_API_URL": address}
    with (project.parent / "output.txt").open("w") as output:
        process = subprocess.Popen(
            command, cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(WAIT)


def latest(address: str, key: str) -> dict[str, Any] | None:
    """The newest artifact of a key that the server has."""
    # /artifacts/<key>/latest would give the id of a collection, which is no artifact's
    asked = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC", "limit": 1}
    found: list[dict[str, Any]] = httpx.post(f"{address}/artifacts/filter", json=asked, timeout=WAIT).json()
    return found[0] if found else None


@pytest.fixture
def linked(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, whose results are served."""
    monkeypatch.setenv(files.VARIABLE, "")  # so that it is put back afterwards
    files.serve_files(project, 0)
    return project


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with chromium(ALONE) as running:
        yield running
