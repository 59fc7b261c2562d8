"""How clips, pairs and swaps stand, in a real repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.status.survey import Item, Survey, survey
from stages import journal
from stages.problems import Problem
from stages.settings import Params, parse
from tests.conftest import REPOSITORY
from tests.flows.conftest import PARAMS, wait_for
from tests.records import put_record


@pytest.fixture
def params() -> Params:
    """The small project's items, with settings as a whole project has them."""
    shipped = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    items: dict[str, Any] = PARAMS
    swaps = {name: swap | {"truth": "none"} for name, swap in items["swaps"].items()}
    identities = {key: {} for key in ("ada", "ben", "cyd")}
    more = {"clips": items["clips"], "pairs": items["pairs"], "swaps": swaps, "identities": identities}
    return parse(Params, shipped | more, where="params.yaml")


def items(found: Survey) -> dict[str, Item]:
    return {f"{item.section} {item.name}": item for item in found.items}


def test_all_is_fresh_then_a_clip_changes(made: Path, params: Params) -> None:
    fresh = survey(made, params)
    assert {item.state for item in fresh.items} == {"fresh"}
    assert fresh.forecast.sentence == "`dvc repro` would find nothing to do"
    assert items(fresh)["clips ada"].size == len("ada\n")
    assert items(fresh)["swaps ada-on-ben"].consent.until == "2999-12-31"

    (made / "footage" / "ben.txt").write_text("another ben\n")
    found = items(survey(made, params))
    assert (found["clips ben"].state, found["clips ben"].why) == (
        "stale",
        "extraction@ben: footage/ben.txt modified",
    )
    assert (found["pairs ada-ben"].state, found["pairs ada-ben"].why) == (
        "stale",
        "training@ada-ben: extraction@ben comes first",
    )
    assert found["swaps ada-on-ben"].state == "stale"
    assert found["swaps ada-on-cyd"].state == "fresh", "nothing of ben is in it"


def test_before_the_first_run_and_after_a_failure(project: Path, params: Params) -> None:
    found = survey(project, params)
    assert {item.state for item in found.items} == {"not made"}
    assert list(found.forecast.seconds)[-1].startswith("evaluation@")
    assert found.stages == len(found.forecast.seconds)
    with (
        pytest.raises(Problem),
        journal.noted("extraction", "ada", project / journal.FILE),
    ):
        raise Problem("it is damaged", where="footage/ada.txt", mend="copy it again")
    clip = items(survey(project, params))["clips ada"]
    assert (clip.state, clip.why) == ("failed", "extraction@ada: footage/ada.txt: it is damaged")


def test_times_of_runs_tell_how_long_the_next_will_take(made: Path, params: Params) -> None:
    line = {"stage": "training@ada-cyd", "pid": 1, "began": 0.0, "seconds": 300.0}
    (made / ".scratch").mkdir()
    (made / journal.FILE).write_text(json.dumps(line) + "\n")
    (made / "footage" / "ben.txt").write_text("another ben\n")
    forecast = survey(made, params).forecast
    assert forecast.seconds["training@ada-ben"] == 300.0
    assert forecast.untimed == ["extraction@ben", "encoding@ada-on-ben", "evaluation@ada-on-ben"]


def test_consent_that_ended_is_told(made: Path, params: Params) -> None:
    term = {"given": "2020-01-01", "expires": "2020-12-31"}
    put_record(made / "data" / "consent", "ben", term=term)
    found = items(survey(made, params))
    assert "ben.yaml" in str(found["clips ben"].consent.refusal)
    assert found["clips ada"].consent.refusal is None
    assert found["swaps ada-on-ben"].consent.refusal is not None


def test_a_stage_that_runs_meanwhile_is_running(project: Path, params: Params) -> None:
    (project / "faults").mkdir()
    (project / "faults" / "extraction@ada").write_text("touch begun; while [ ! -f go ]; do sleep 0.1; done")
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "extraction@ada"]
    with subprocess.Popen(command, cwd=project) as process:
        try:
            wait_for((project / "begun").exists)
            assert items(survey(project, params))["clips ada"].state == "running"
        finally:
            (project / "go").touch()
            assert process.wait(300) == 0
    assert items(survey(project, params))["clips ada"].state == "fresh"


def test_stages_that_the_journal_calls_failed_are_fresh_once_dvc_says_so(made: Path, params: Params) -> None:
    (made / ".scratch").mkdir()
    line = {"stage": "extraction@ada", "pid": 1, "began": 0.0, "seconds": 3.0, "fault": "it was damaged"}
    (made / journal.FILE).write_text(json.dumps(line) + "\n")
    assert items(survey(made, params))["clips ada"].state == "fresh"
