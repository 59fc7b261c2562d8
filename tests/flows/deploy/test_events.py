"""Events, and the automations that wait for them, on a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prefect.client.orchestration import get_client

from flows import automations, events
from flows.consents import consents
from flows.reproduction import reproduce
from stages.problems import Problem
from stages.training.guard import Guard
from stages.training.settings import GuardSettings
from tests.flows.conftest import wait_for
from tests.flows.deploy.conftest import WAIT, found_events
from tests.records import put_record

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture
def listener() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address on this machine, and what was sent to it."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()
        thread.join()


def test_a_deliverable_is_told_with_what_it_was_made_from_and_an_automation_sends_it(
    project: Path, fault: Callable[[str, str], None], listener: tuple[str, list[dict[str, Any]]]
) -> None:
    address, got = listener
    names = automations.ensure(address)
    assert automations.ensure(address) == names
    with get_client(sync_client=True) as client:
        for name in names:
            assert len(client.read_automations_by_name(name)) == 1, "made once, however often it is asked for"

    figures = "mkdir -p data/evaluation/ada-on-ben; echo '{\"thresholds_missed\": 2}' > $out"
    fault("evaluation@ada-on-ben", f"{figures}; echo 'error: psnr: 20' >&2; exit 2")
    fault("training@ada-ben", "echo loss nan at iteration 75: back to iteration 50 with the learning rate times 0.5")
    gave_up = "error: params.yaml: training broke 4 times, last at iteration 9 with loss inf"
    fault("training@ada-cyd", f"echo '{gave_up}' >&2; exit 2")
    reproduce(retries=0, return_state=True)

    wait_for(lambda: found_events(events.GATE_FAILED, "likeness.swap.ada-on-ben"), WAIT)
    made = found_events(events.DELIVERABLE_MADE, "likeness.swap.ada-on-ben")[0]
    assert made["payload"]["files"] == ["data/encoding/ada-on-ben"]
    assert {"likeness.pair.ada-ben", "likeness.clip.ada", "likeness.clip.ben"} <= made["related"]
    gate = found_events(events.GATE_FAILED, "likeness.swap.ada-on-ben")[0]
    assert gate["payload"] == {"missed": 2, "reason": "psnr: 20"}
    diverged = found_events(events.DIVERGED, "likeness.pair.ada-ben")[0]
    assert diverged["payload"]["back_to"] == "50"
    assert diverged["payload"]["gave_up"] is False
    wait_for(lambda: found_events(events.DIVERGED, "likeness.pair.ada-cyd"), WAIT)
    given_up = found_events(events.DIVERGED, "likeness.pair.ada-cyd")[0]
    assert given_up["payload"]["gave_up"] is True
    assert {"likeness.clip.ada", "likeness.clip.cyd"} <= given_up["related"]

    wait_for(lambda: len(got) == 4, WAIT)
    assert {each["event"] for each in got} == {events.DELIVERABLE_MADE, events.GATE_FAILED, events.DIVERGED}
    sent = next(each for each in got if each["event"] == events.DELIVERABLE_MADE)
    assert sent["text"] == "ada-on-ben: a deliverable was made"
    assert sent["resource"] == "likeness.swap.ada-on-ben"
    assert sent["payload"]["md5"] == made["payload"]["md5"]


def test_what_a_training_says_is_what_is_listened_for(caplog: pytest.LogCaptureFixture) -> None:
    class State(SimpleNamespace):
        def snapshot(self) -> int:
            return 50

        def restore(self, iteration: int) -> None:
            self.progress.iteration = iteration

    state = cast(Any, State(progress=SimpleNamespace(iteration=75, setbacks=0, rate=1.0, mean_loss=0.1)))
    guard = Guard(state, GuardSettings(retries=1))
    guard.go_back(state, float("nan"))
    assert events.WENT_BACK.search(caplog.messages[-1])
    with pytest.raises(Problem) as told:
        guard.go_back(state, 7.0)
    assert events.GAVE_UP.search(str(told.value))


def test_consents_that_end_soon_are_told(project: Path) -> None:
    soon = date.today() + timedelta(days=10)
    put_record(project / "data" / "consent", "ben", term={"given": "2020-01-01", "expires": soon.isoformat()})
    state = consents(return_state=True)
    assert state.is_completed()
    assert f"ben on {soon}" in state.message
    wait_for(lambda: found_events(events.CONSENT_ENDING, "likeness.identity.ben"), WAIT)
    payload = found_events(events.CONSENT_ENDING, "likeness.identity.ben")[0]["payload"]
    assert (payload["days"], payload["expires"]) == (10, soon.isoformat())
    assert not found_events(events.CONSENT_ENDING, "likeness.identity.ada")
