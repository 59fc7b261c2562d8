"""A remote that is lost before the stages are made, or after: what was made is told, and what could not be moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from flows.remote import handing
from flows.reproduction import reproduce
from tests.flows.conftest import commit, dvc
from tests.flows.test_reproduction import run_flow

SWAP = "ada-on-ben"


@pytest.mark.usefixtures("prefect")
def test_a_remote_that_can_not_be_pushed_to_is_told(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store").touch()  # no folder
    dvc("remote", "add", "--quiet", "store", str(tmp_path / "store"), cwd=made)
    (made / "stages" / "figures.json").write_text('{"psnr": 24}')
    commit(made, "a remote, and other figures")
    state = reproduce(swaps=[SWAP], remote="store", return_state=True)
    assert state.is_failed()
    assert state.message.startswith(f"encoding@{SWAP}: dvc push: ")
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.usefixtures("prefect")
def test_what_was_made_is_told_where_it_can_not_be_pulled(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    dvc("remote", "add", "--quiet", "store", str(store), cwd=made)
    (made / "stages" / "figures.json").write_text('{"psnr": 24}')
    commit(made, "a remote, and other figures")
    # made here, so that it takes no worker; it loses the deliverable everywhere but where the stage reads it
    monkeypatch.setattr(handing, "HERE", {"evaluation"})
    (made / "faults").mkdir()
    (made / "faults" / f"evaluation@{SWAP}").write_text(f"rm -rf {store} .dvc/cache\n")

    state, rows = run_flow(swaps=[SWAP], remote="store", retries=0)

    assert state.is_failed()
    assert f"encoding@{SWAP}: dvc pull: " in state.message
    assert f"mend: see to the remote, then `dvc pull --force --remote store encoding@{SWAP}`" in state.message
    assert rows[f"evaluation@{SWAP}"].ending == "made"
    assert rows[f"encoding@{SWAP}"].ending == "up to date"
    with get_client(sync_client=True) as client:
        found = {
            each.key: str(each.data)
            for each in client.read_artifacts()
            if each.flow_run_id == state.state_details.flow_run_id
        }
    assert f"evaluation@{SWAP}" in found["stages"]
    assert "| psnr | 24 |" in found["metrics"]
