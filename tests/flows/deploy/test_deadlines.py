"""A stage that hangs is ended with all that it started, and tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows import deadlines, stage
from flows.children import Children, Overdue
from flows.reproduction import reproduce
from stages.problems import Problem
from tests.flows.conftest import processes, wait_for


def test_what_takes_too_long_is_ended_with_its_group(tmp_path: Path) -> None:
    with pytest.raises(Overdue):
        Children().run(["sh", "-c", "sleep 600 & sleep 600"], cwd=tmp_path, on_line=print, seconds=0.5)
    wait_for(lambda: not processes(str(tmp_path)), 300)


@pytest.mark.usefixtures("prefect")
def test_a_stage_that_hung_is_tried_again(
    project: Path, fault: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "BACK_OFF_SECONDS", 0)
    fault("extraction@ada", "test -e begun || { touch begun; sleep 600 & sleep 600; }")
    # On a busy machine the deadline may come before the stage has begun, or upon one that does not hang: again, then.
    state = reproduce(clips=["ada"], timeouts={"extraction": 10 / 3600}, retries=20, return_state=True)
    assert state.is_completed(), state.message
    assert (project / "begun").exists()
    wait_for(lambda: not processes(str(project)), 300)


def test_deadlines_by_kind_of_stage() -> None:
    assert deadlines.seconds_of("training@ada-ben", {}) == 14 * 24 * 3600
    assert deadlines.seconds_of("conversion@ada-on-ben", {"conversion": 0.5}) == 1800
    assert deadlines.seconds_of("pairs/ada-ben/dvc.yaml:training@ada-ben", {"training": 1}) == 3600
    with pytest.raises(Problem, match="did you mean 'training'"):
        deadlines.check({"trainnig": 1}, ["training@ada-ben", "extraction@ada"])


@pytest.mark.parametrize("text", ["training", "training=soon", "training=0", "training=-1", "training=nan"])
def test_what_is_no_deadline_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="is no deadline"):
        deadlines.parsed([text])
