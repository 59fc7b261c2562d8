"""A stage's bar as a progress artifact on a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.pages.progress import Watched
from flows.server import free_port
from tests.flows.conftest import wait_for
from tests.flows.pages.conftest import WAIT, bar_until_told, latest, reproducing

KEY = "progress-training-ada-ben"
LINE = "training ada-ben:  40%|████      | 4/10 [00:01<00:01,  4.00 it/s, ada 0.250]"


def at(address: str, percent: float) -> bool:
    found = latest(address, KEY)
    return found is not None and found["data"] == percent


def test_it_is_left_where_the_stage_failed(project: Path, fault: Callable[[str, str], None], prefect: str) -> None:
    fault("training@ada-ben", bar_until_told(project))
    with reproducing(project, prefect, "--pair", "ada-ben") as process:
        wait_for(lambda: at(prefect, 40.0), WAIT)
        live = latest(prefect, KEY)
        assert live is not None
        assert live["type"] == "progress"
        assert live["task_run_id"]
        assert live["description"].startswith("training ada-ben: 4 of 10 iterations")
        assert live["description"].endswith("loss ada 0.250, ben 0.125")
        (project / "go").write_text("badly")
        assert process.wait(WAIT) == 1
    ended = latest(prefect, KEY)
    assert ended is not None
    assert ended["id"] == live["id"]
    assert ended["data"] == 40.0
    assert ended["description"].endswith("; failed")
    before = latest(prefect, "progress-extraction-ada")
    assert before is not None
    assert (before["data"], before["description"]) == (100.0, "extraction@ada; ended")


@pytest.mark.filterwarnings("ignore:Artifact creation outside of a flow")
def test_a_server_that_is_gone_costs_the_view_and_not_the_stage() -> None:
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        with Watched("training@ada-ben") as watched:
            watched.hear(LINE)
        with pytest.raises(ValueError, match="of the stage"), Watched("training@ada-ben") as watched:
            raise ValueError("of the stage")
