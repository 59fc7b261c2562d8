"""The remote can not be reached, and later it can."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import boto3
import pytest

from flows.bench.kills import FLOW
from tests.flows.conftest import commit, dvc, hashes, run, wait_for

BUCKET = "likeness-faults"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(port: int, log: Path) -> Iterator[None]:
    """A server that speaks S3's protocol, with one bucket, for as long as the block lasts."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(lambda: server.poll() is not None or answers(port), 300)
        boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}").create_bucket(Bucket=BUCKET)
        yield
    finally:
        server.kill()
        server.wait()


def test_runs_go_on_without_it_and_what_could_not_be_pushed_is_pushed_later(
    project: Path, finished: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    port = free_port()
    dvc("remote", "add", "--quiet", "--default", "store", f"s3://{BUCKET}/dvc", cwd=project)
    dvc("remote", "modify", "store", "endpointurl", f"http://127.0.0.1:{port}", cwd=project)
    made = subprocess.run((*FLOW, "--pair", "ada-ben"), capture_output=True, text=True, timeout=600, check=False)
    assert made.returncode == 0, made.stderr
    commit(project, "made")

    push = (sys.executable, "-m", "dvc", "push")
    failed = subprocess.run(push, capture_output=True, text=True, timeout=600, check=False)
    assert failed.returncode != 0
    assert "Traceback" not in failed.stderr
    assert f"127.0.0.1:{port}" in failed.stderr
    assert hashes(project).items() <= hashes(finished).items()

    with serving(port, tmp_path / "moto.log"):
        dvc("push", "--quiet", cwd=project)
        clone = tmp_path / "clone"
        run("git", "clone", "--quiet", str(project), str(clone), cwd=tmp_path)
        dvc("pull", "--quiet", "training@ada-ben", cwd=clone)
    model = "data/training/ada-ben/model.txt"
    assert (clone / model).read_bytes() == (project / model).read_bytes()
    shutil.rmtree(clone)
