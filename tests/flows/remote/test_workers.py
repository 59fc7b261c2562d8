"""A run whose stages are made by workers in clones of their own: what `dvc repro` makes, whoever is lost on the way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import yaml

from flows.remote import pool
from tests.flows.conftest import dvc, hashes, wait_for
from tests.flows.remote.conftest import STAGES, WAIT, Site
from tests.flows.test_reproduction import run_flow


def locked(root: Path) -> dict[str, object]:
    """What dvc.lock has of each stage."""
    content: dict[str, dict[str, object]] = yaml.safe_load((root / "dvc.lock").read_text())
    return content["stages"]


def test_two_workers_split_a_run_and_it_makes_what_dvc_makes(site: Site, finished: Path) -> None:
    for worker in site.workers:
        worker.start(site.server)
    state, rows = run_flow(remote="store", jobs=4)
    assert state.is_completed(), (state.message, *(worker.log.read_text() for worker in site.workers))
    assert {row.ending for row in rows.values()} == {"made"}
    assert locked(site.project) == locked(finished)
    first, second = (worker.made() for worker in site.workers)
    assert first | second == set(STAGES)
    assert first & second == set()
    assert first
    assert second

    # what was asked for lies here, and what it was made from need not
    for swap in ("ada-on-ben", "ada-on-cyd"):
        for file in (f"data/encoding/{swap}/deliverable.mp4", f"data/evaluation/{swap}/metrics.json"):
            assert (site.project / file).read_bytes() == (finished / file).read_bytes()
    assert not (site.project / "data" / "training").exists()

    state, rows = run_flow(remote="store", jobs=4)
    assert state.is_completed()
    assert {row.ending for row in rows.values()} == {"up to date"}
    dvc("pull", "--quiet", "--remote", "store", cwd=site.project)
    assert "up to date" in dvc("status", cwd=site.project)


def test_a_worker_that_is_killed_at_work_is_missed_and_its_stage_made_by_another(
    site: Site, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LOST_AFTER_SECONDS", 40.0)
    begun = tmp_path / "begun"
    site.fault(
        "training@ada-ben", f"test -e {begun} || {{ echo $PWD > {begun}.part; mv {begun}.part {begun}; sleep 900; }}"
    )
    for worker in site.workers:
        worker.start(site.server)
    killed = []

    def kill() -> None:
        wait_for(begun.exists, WAIT)
        at_work = Path(begun.read_text().strip())
        killed.extend(worker for worker in site.workers if worker.clone == at_work)
        killed[0].power_off()

    killer = threading.Thread(target=kill)
    killer.start()
    state, rows = run_flow(remote="store", jobs=4)
    killer.join()
    assert state.is_completed(), (state.message, *(worker.log.read_text() for worker in site.workers))
    assert len(killed) == 1
    assert locked(site.project) == locked(finished)
    assert hashes(site.project) == hashes(finished)
    assert {row.ending for row in rows.values()} == {"made"}
    other = next(worker for worker in site.workers if worker not in killed)
    assert "training@ada-ben" in other.made()
