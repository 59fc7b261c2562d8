"""Results by hash in a browser's way: over HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from flows.pages import files
from tests.flows.conftest import hashes

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


@pytest.fixture
def served(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The finished project, whose results are served."""
    monkeypatch.setenv(files.VARIABLE, "")  # so that it is put back afterwards
    files.serve_files(made, 0)
    return made


def md5_of(root: Path, path: str) -> str:
    """The hash of a file in a folder that a stage made."""
    listing = files.kept_at(files.cache_of(root), hashes(root)[str(Path(path).parent)])
    assert Path(path).name in listing.read_text()
    done = subprocess.run(["md5sum", path], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def test_a_result_is_served_by_its_hash_and_no_browser_keeps_it(served: Path) -> None:
    address = files.link(md5_of(served, DELIVERABLE), "deliverable.mp4")
    answer = httpx.get(address)
    assert answer.content == (served / DELIVERABLE).read_bytes()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in httpx.get(files.link(md5_of(served, DELIVERABLE), "x.html")).headers["content-security-policy"]
    assert httpx.get(address, headers={"Range": "bytes=1-2"}).content == answer.content[1:3]


def test_what_is_removed_from_the_cache_is_gone(served: Path) -> None:
    md5 = md5_of(served, DELIVERABLE)
    files.kept_at(files.cache_of(served), md5).unlink()
    assert httpx.get(files.link(md5, "deliverable.mp4")).status_code == 404


@pytest.mark.parametrize("path", ["", "params.yaml", "../../params.yaml/x", "..%2F..%2Fparams.yaml/x", f"{'0' * 32}/x"])
def test_nothing_else_is_served(served: Path, path: str) -> None:
    assert httpx.get(files.link("x", "y").removesuffix("x/y") + path).status_code == 404


def test_another_sites_page_does_not_reach_it(served: Path) -> None:
    address = files.link(md5_of(served, DELIVERABLE), "deliverable.mp4")
    assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 400


def test_as_a_program_it_refuses_a_port_that_is_in_use(served: Path) -> None:
    port = files.link("x", "y").split(":")[2].split("/")[0]
    command = [sys.executable, "-m", "flows.pages.files", "--port", port]
    done = subprocess.run(command, cwd=served, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "it can not be listened on" in done.stderr
    assert "Traceback" not in done.stderr
