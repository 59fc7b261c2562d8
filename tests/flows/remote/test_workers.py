"""A run whose stages are made by workers in clones of their own: what `dvc repro` makes, whoever is lost on the way."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import stage
from flows.remote import pool
from tests.flows.conftest import dvc, run, wait_for
from tests.flows.remote.conftest import WAIT, Site
from tests.flows.test_reproduction import run_flow

SWAP = "ada-on-ben"
LOST = "extraction@cyd"
WANTED: dict[str, Any] = {"swaps": [SWAP], "clips": ["cyd"], "remote": "store"}
RESULTS = (
    f"data/encoding/{SWAP}/deliverable.mp4",
    f"data/evaluation/{SWAP}/metrics.json",
    "data/extraction/cyd/frames.txt",
)


def locked(root: Path) -> dict[str, object]:
    """What dvc.lock has of each stage."""
    content: dict[str, dict[str, object]] = yaml.safe_load((root / "dvc.lock").read_text())
    return content["stages"]


def test_two_workers_split_a_run_and_one_is_killed_at_work(
    site: Site, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # with beats each 30 s; one that was lost for nothing on a machine that is busy is made again
    monkeypatch.setattr(pool, "LOST_AFTER_SECONDS", 40.0)
    monkeypatch.setattr(stage, "BACK_OFF_SECONDS", 0)
    begun = tmp_path / "begun"
    # nothing waits for this one, so the other worker makes all else before the loss is noticed
    site.fault(LOST, f"test -e {begun} || {{ echo $PWD > {begun}.part; mv {begun}.part {begun}; sleep 900; }}")
    for worker in site.workers:
        worker.start(site.server)
    killed = []

    def kill() -> None:
        wait_for(begun.exists, WAIT)
        killed.extend(worker for worker in site.workers if worker.clone == Path(begun.read_text().strip()))
        killed[0].power_off()

    killer = threading.Thread(target=kill)
    killer.start()
    state, rows = run_flow(**WANTED, jobs=4, retries=9)
    killer.join()
    assert state.is_completed(), (state.message, *(worker.log.read_text() for worker in site.workers))
    expected = {address: entry for address, entry in locked(finished).items() if address in rows}
    assert locked(site.project) == expected
    [lost] = killed
    [other] = [worker for worker in site.workers if worker is not lost]
    assert lost.made() | other.made() == set(rows)
    assert LOST in lost.made() & other.made()
    # what was asked for lies here, and what it was made from need not
    for file in RESULTS:
        assert (site.project / file).read_bytes() == (finished / file).read_bytes()
    assert not (site.project / "data" / "training").exists()
    assert not (site.project / "data" / "extraction" / "ben").exists()
    _, rows = run_flow(**WANTED)
    assert {row.ending for row in rows.values()} == {"up to date"}

    # a run that was killed, or another clone, finds what was made; no worker is there any more
    other.power_off()
    clone = tmp_path / "later"
    run("git", "clone", "--quiet", str(site.project), str(clone), cwd=tmp_path)
    state, rows = run_flow(**WANTED, jobs=4, repository=str(clone))
    assert state.is_completed(), state.message
    assert locked(clone) == expected
    dvc("pull", "--quiet", "--remote", "store", "--with-deps", f"evaluation@{SWAP}", cwd=clone)
    assert "up to date" in dvc("status", "--with-deps", f"evaluation@{SWAP}", cwd=clone)
    shutil.rmtree(clone)
