"""A night with a broken clip: its own swap is not made, all else is, and one message tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client

from flows.nightly import nightly
from tests.flows.conftest import hashes
from tests.flows.upkeep.conftest import flow_run, lay_footage, lay_record
from tests.records import put_record


def add_broken_swap(project: Path) -> None:
    """A third person, whose clip can not be extracted, and a swap onto it."""
    raw = yaml.safe_load((project / "params.yaml").read_text())
    raw["training"]["seed"] = 2  # so there is something to make of the other swap
    raw["identities"]["cyd"] = {}
    raw["clips"]["cyd"] = {"identity": "cyd", "path": "footage/cyd.txt"}
    raw["pairs"]["ada-cyd"] = {"a": "ada", "b": "cyd"}
    raw["swaps"]["ada-on-cyd"] = {"pair": "ada-cyd", "source": "ada", "target": "cyd", "clip": "cyd", "truth": "none"}
    (project / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    (project / "footage" / "cyd.txt").write_text("cyd\n")
    put_record(project / "data" / "consent", "cyd")
    (project / "faults").mkdir()
    (project / "faults" / "extraction@cyd").write_text("echo 'error: footage/cyd.txt: no film' >&2; exit 2\n")


@pytest.mark.usefixtures("prefect")
def test_a_broken_clip_stops_its_own_swap_only(made: Path, inbox: Path) -> None:
    add_broken_swap(made)
    before = hashes(made)
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"], term={"given": "2020-01-01", "expires": "2999-12-31"})
    lay_footage(inbox, "fay-1")

    state, night = flow_run(nightly, inbox=str(inbox), jobs=1)

    endings = {row.address: row.ending for row in night.rows}
    assert endings["dataset@eve-1"] == "made"
    assert endings["encoding@ada-on-ben"] == "made"
    assert endings["extraction@cyd"] == "failed"
    assert endings["encoding@ada-on-cyd"] == "not run"
    assert hashes(made)["data/encoding/ada-on-ben"] != before["data/encoding/ada-on-ben"]
    assert state.is_failed()
    assert state.message.count("footage/cyd.txt: no film") == 1
    assert state.message.count("there is no consent record beside it that names the clip 'fay-1'") == 1
    assert "encoding@ada-on-cyd" in state.message
    assert night.lacking == ["ada-on-ben", "ada-on-cyd"], "their deliverables are a line of shell's"
    assert {each.identity: each.state for each in night.consents}["eve"] == "in force"
    with get_client(sync_client=True) as client:
        (page,) = [each.data for each in client.read_artifacts() if each.key == "nightly"][:1]
        parent = state.state_details.flow_run_id
        runs = client.read_flow_runs()
    assert "footage/cyd.txt: no film" in str(page)
    assert "| eve | in force | 2999-12-31 |" in str(page)
    assert len([run for run in runs if run.parent_task_run_id is not None]) >= 3, "ingest, reproduce and report"
    assert parent in {run.id for run in runs}
