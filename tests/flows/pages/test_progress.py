"""A stage's bar as a progress artifact on a real server."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.pages.progress import Watched
from flows.server import free_port
from tests.flows.conftest import wait_for
from tests.flows.pages.conftest import WAIT, latest

STAGE = "training@ada-ben"
LINE = "training ada-ben:  40%|████      | 4/10 [00:01<00:01,  4.00 it/s, ada 0.250]"


class Broken(Exception):
    """A stage's fault."""


def shown(address: str) -> dict[str, Any]:
    """The artifact of the stage's progress."""
    found = latest(address, "progress-training-ada-ben")
    assert found is not None
    return found


def test_it_follows_the_bar_and_is_left_where_the_stage_failed(prefect: str) -> None:
    seen: list[dict[str, Any]] = []

    @flow(name="failing")
    def failing() -> None:
        with Watched(STAGE) as watched:
            seen.append(shown(prefect))
            watched.hear("Running stage 'training@ada-ben':")
            watched.hear(LINE)
            wait_for(lambda: shown(prefect)["data"] != 0.0, WAIT)
            seen.append(shown(prefect))
            raise Broken

    state: Any = failing(return_state=True)
    begun, live, ended = *seen, shown(prefect)
    assert begun["flow_run_id"] == str(state.state_details.flow_run_id)
    assert (begun["type"], begun["data"], begun["description"]) == ("progress", 0.0, "training@ada-ben: begun")
    assert live["data"] == 40.0
    assert live["description"].startswith("training ada-ben: 4 of 10 iterations, 4 iterations a second")
    assert live["description"].endswith("loss ada 0.250")
    assert ended["id"] == live["id"] == begun["id"]
    assert ended["data"] == 40.0
    assert ended["description"].endswith("; failed")


def test_a_stage_without_a_bar_ends_at_a_hundred(prefect: str) -> None:
    @flow(name="well")
    def well() -> None:
        with Watched(STAGE) as watched:
            watched.hear("nothing that is a bar")

    well()
    assert (shown(prefect)["data"], shown(prefect)["description"]) == (100.0, f"{STAGE}; ended")


@pytest.mark.filterwarnings("ignore:Artifact creation outside of a flow")
def test_a_server_that_is_gone_costs_the_view_and_not_the_stage() -> None:
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        with Watched(STAGE) as watched:
            watched.hear(LINE)
        with pytest.raises(Broken), Watched(STAGE):
            raise Broken
