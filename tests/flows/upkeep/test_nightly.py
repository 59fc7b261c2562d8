"""A night with a broken clip: its own swap is not made, all else is, and one message tells it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun
from typer.testing import CliRunner

from flows.command.__main__ import app
from flows.nightly import nightly
from stages.problems import BAD_INPUT
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


def runs_of(client: SyncPrefectClient, parent: UUID) -> dict[str, FlowRun]:
    """The runs of flows that another one called, by the flow's name."""
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent]))
    return {client.read_flow(run.flow_id).name: run for run in client.read_flow_runs(flow_run_filter=wanted)}


@pytest.mark.usefixtures("prefect")
def test_a_broken_clip_stops_its_own_swap_only(made: Path, inbox: Path) -> None:
    add_broken_swap(made)
    before = hashes(made)
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"], term={"given": "2020-01-01", "expires": "2999-12-31"})
    lay_footage(inbox, "fay-1")

    limits = {"jobs": 1, "gpu_slots": 2, "disk_slots": 3, "timeouts": {"extraction": 1.5}}
    state, night = flow_run(nightly, inbox=str(inbox), **limits)

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
        called = runs_of(client, state.state_details.flow_run_id)
        inner = runs_of(client, called["ingest"].id)
    assert "footage/cyd.txt: no film" in str(page)
    assert "| eve | in force | 2999-12-31 |" in str(page)
    assert set(called) == {"ingest", "reproduce", "report"}
    for name, run in [*called.items(), *inner.items()]:
        assert name == "report" or limits.items() <= run.parameters.items(), "limits hold for all of the night"


@pytest.mark.usefixtures("prefect")
def test_settings_that_can_not_be_read_for_the_report_are_told_with_all_else(
    made: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (made / "params.yaml").open("a") as settings:
        settings.write("colour: red\n")  # of which DVC knows nothing
    state, night = flow_run(nightly)
    assert state.is_failed()
    assert state.message.count("unknown key 'colour'") == 1
    assert {row.ending for row in night.rows} == {"up to date"}
    with get_client(sync_client=True) as client:
        called = runs_of(client, state.state_details.flow_run_id)
        (page,) = [each.data for each in client.read_artifacts() if each.flow_run_id == called["report"].id]
    assert "unknown key 'colour'" in str(page)
    assert f"{len(night.rows)} up to date" in str(page)
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("command", [("nightly",), ("ingest", "inbox")])
def test_a_deadline_that_would_never_count_is_refused_first(
    made: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(made / ".prefect"))  # else the command would set it for all tests after
    done = CliRunner().invoke(app, [*command, "--timeout", "extracting=2"])
    assert done.exit_code == BAD_INPUT
    assert "there is no stage 'extracting'" in done.stderr
    assert "did you mean 'extraction'?" in done.stderr
