"""The flow on a real Prefect server: what `dvc repro` makes, in parallel, with faults kept to their own branch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from flows import stage
from flows.reproduction import Row, reproduce, summary
from flows.states import data_of
from stages.problems import Problem
from tests.flows.conftest import dvc, hashes

Inject = Callable[[str, str], None]

pytestmark = pytest.mark.usefixtures("prefect")


def run_flow(**parameters: Any) -> tuple[Any, dict[str, Row]]:
    """Run the flow here; its final state, and the rows by stage."""
    state = reproduce(return_state=True, **parameters)
    rows = state.data.result if hasattr(state.data, "result") else state.data
    return state, {row.address: row for row in rows}


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once."""
    monkeypatch.setattr(stage, "BACK_OFF_SECONDS", 0)


def test_makes_what_dvc_makes_and_then_nothing(project: Path, finished: Path) -> None:
    state, rows = run_flow()
    assert state.is_completed()
    assert {row.ending for row in rows.values()} == {"made"}
    assert hashes(project) == hashes(finished)
    assert "up to date" in dvc("status", cwd=project)

    state, rows = run_flow()
    assert state.is_completed()
    assert {row.ending for row in rows.values()} == {"up to date"}


def test_makes_only_what_the_swap_needs(project: Path) -> None:
    _, rows = run_flow(swaps=["ada-on-ben"])
    assert list(rows) == [
        "extraction@ada",
        "extraction@ben",
        "training@ada-ben",
        "encoding@ada-on-ben",
        "evaluation@ada-on-ben",
    ]
    assert rows["encoding@ada-on-ben"].md5 == hashes(project)["data/encoding/ada-on-ben"]
    assert not (project / "data" / "extraction" / "cyd").exists()


def test_what_is_cached_is_taken_from_the_cache(made: Path) -> None:
    shutil.rmtree(made / "data" / "training" / "ada-ben")
    _, rows = run_flow(pairs=["ada-ben"])
    assert rows["training@ada-ben"].ending == "taken from the cache"


def test_downstream_of_an_unchanged_result_is_not_made_again(made: Path) -> None:
    (made / "stages" / "figures.json").write_text('{"psnr": 24}')
    (made / "params.yaml").write_text((made / "params.yaml").read_text().replace("iterations: 3", "iterations: 4"))
    _, rows = run_flow(swaps=["ada-on-ben"])
    assert rows["extraction@ada"].ending == "up to date"
    assert rows["training@ada-ben"].ending == "made"
    assert rows["encoding@ada-on-ben"].ending == "unchanged"
    assert rows["evaluation@ada-on-ben"].ending == "made"


def test_a_failure_keeps_only_its_own_branch_from_running(project: Path, fault: Inject) -> None:
    fault("extraction@ben", "echo tried >> tries; echo 'error: footage/ben.txt: no face in it' >&2; exit 2")
    state, rows = run_flow()
    assert state.is_failed()
    assert rows["extraction@ben"].ending == "failed"
    assert rows["extraction@ben"].reason == "footage/ben.txt: no face in it"
    assert {address for address, row in rows.items() if row.ending == "not run"} == {
        "training@ada-ben",
        "encoding@ada-on-ben",
        "evaluation@ada-on-ben",
    }
    assert rows["evaluation@ada-on-cyd"].ending == "made"
    assert state.message.count("no face in it") == 1
    assert (project / "tries").read_text().count("tried") == 1, "bad input must not be tried again"


def test_a_fault_that_passes_is_tried_again(project: Path, fault: Inject) -> None:
    fault("extraction@ada", "echo tried >> tries; test $(wc -l < tries) = 2 || exit 1")
    state, rows = run_flow(clips=["ada"])
    assert state.is_completed()
    assert rows["extraction@ada"].ending == "made"
    assert (project / "tries").read_text().count("tried") == 2


def test_a_fault_that_stays_is_given_up(project: Path, fault: Inject, capfd: pytest.CaptureFixture[str]) -> None:
    fault("extraction@ada", "echo tried >> tries; kill -9 $$")
    state, rows = run_flow(clips=["ada"], retries=1)
    assert "Traceback" not in "".join(capfd.readouterr())
    assert state.is_failed()
    assert rows["extraction@ada"].ending == "failed"
    assert (project / "tries").read_text().count("tried") == 2


def test_a_missing_clip_is_told_with_its_mend(project: Path) -> None:
    (project / "footage" / "ada.txt").unlink()
    state, _ = run_flow(clips=["ada"])
    assert state.is_failed()
    assert "footage/ada.txt" in state.message
    assert "mend:" in state.message


def test_stages_run_side_by_side_but_one_training_at_a_time(project: Path, fault: Inject) -> None:
    for address in ("training@ada-ben", "training@ada-cyd"):
        fault(address, "mkdir gpu-in-use; sleep 0.5; rmdir gpu-in-use")
    meeting = "touch here-{0}; for i in $(seq 100); do test -e here-{1} && break; sleep 0.1; done; test -e here-{1}"
    fault("extraction@ben", meeting.format("ben", "cyd"))
    fault("extraction@cyd", meeting.format("cyd", "ben"))
    state, rows = run_flow(jobs=2, retries=0)
    assert state.is_completed(), state.message
    assert rows["training@ada-cyd"].ending == "made"


def test_a_result_that_was_spoilt_afterwards_fails_the_run(project: Path, fault: Inject) -> None:
    fault("evaluation@ada-on-ben", "echo spoilt > data/encoding/ada-on-ben/deliverable.mp4")
    state, rows = run_flow(swaps=["ada-on-ben"])
    assert state.is_failed()
    assert rows["encoding@ada-on-ben"].ending == "still stale"


def test_what_is_taken_out_of_params_meanwhile_is_told_and_breaks_nothing_else(project: Path, fault: Inject) -> None:
    text = (project / "params.yaml").read_text()
    without = yaml.safe_load(text)
    del without["swaps"]["ada-on-cyd"]
    (project / "without.yaml").write_text(yaml.safe_dump(without))
    fault("training@ada-cyd", "cp without.yaml params.yaml; exit 2")
    state, rows = run_flow()
    assert state.is_failed()
    assert rows["evaluation@ada-on-cyd"].ending == "failed"
    assert "taken out of params.yaml" in rows["evaluation@ada-on-cyd"].reason
    assert rows["training@ada-cyd"].ending == "failed"
    assert rows["evaluation@ada-on-ben"].ending == "made"


def test_leaves_a_table_of_stages_and_the_metrics(made: Path) -> None:
    state, _ = run_flow(swaps=["ada-on-ben"])
    with get_client(sync_client=True) as client:
        found = {
            artifact.key: artifact.data
            for artifact in client.read_artifacts()
            if artifact.flow_run_id == state.state_details.flow_run_id
        }
    assert "extraction@ada" in str(found["stages"])
    assert "| evaluation@ada-on-ben | identity.nearer | 0.97 |" in str(found["metrics"])


def test_metrics_that_are_no_json_fail_their_stage_and_are_told(made: Path) -> None:
    (made / "stages" / "figures.json").write_text("psnr: 23.5")
    state, rows = run_flow(swaps=["ada-on-ben"])
    assert state.is_failed()
    assert rows["evaluation@ada-on-ben"].ending == "failed"
    assert "data/evaluation/ada-on-ben/metrics.json: it is no JSON" in state.message
    assert "mend: " in state.message
    assert rows["encoding@ada-on-ben"].ending == "up to date"


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"swaps": ["ada-on-bem"]}, "did you mean 'ada-on-ben'?"),
        ({"timeouts": {"trainig": 2}}, "there is no stage 'trainig'"),
        ({"repository": "/"}, "this is not inside a DVC repository"),
        ({"remote": "store"}, "there is no DVC remote 'store'"),
    ],
)
def test_a_request_that_is_wrong_is_told_in_the_state_and_not_as_a_traceback(
    made: Path, parameters: dict[str, Any], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    state = reproduce(return_state=True, **parameters)
    assert state.is_failed()
    assert says in state.message
    assert "\n  mend: " in state.message
    assert "Traceback" not in "".join(capfd.readouterr())
    with pytest.raises(Problem):
        data_of(state)


def test_one_cause_is_told_once() -> None:
    told = summary(
        [
            Row("extraction@ada", "failed", reason="params.yaml: nonsense"),
            Row("extraction@ben", "failed", reason="params.yaml: nonsense"),
            Row("training@ada-ben", "not run"),
        ]
    )
    assert told == "extraction@ada, extraction@ben: params.yaml: nonsense\nnot run, for want of these: training@ada-ben"
