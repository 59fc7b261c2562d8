"""Processes of a run killed at random moments; `make faults` does it with many seeds on the real stages."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.bench.kills import (
    DVC,
    FLOW,
    Outcome,
    Victim,
    brought_to_end,
    contents,
    cut_off,
    judged,
    killed_run,
    left_running,
)
from flows.pipeline import Pipeline, Selection
from tests.flows.conftest import commit, dvc

PAIR = ("extraction@ada", "extraction@ben", "training@ada-ben")


@pytest.mark.parametrize(
    ("seed", "victim", "command"),
    [
        (0, "stage", (*DVC, "training@ada-ben")),
        (1, "dvc", (*FLOW, "--pair", "ada-ben")),
        (2, "flow", (*FLOW, "--pair", "ada-ben")),
    ],
)
def test_after_a_kill_the_next_run_ends_as_an_undisturbed_one(
    seed: int,
    victim: Victim,
    command: tuple[str, ...],
    project: Path,
    finished: Path,
    fault: Callable[[str, str], None],
    server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    for address in PAIR:
        fault(address, "sleep 1")  # the run outlasts the latest moment of a kill
    outcome = Outcome(seed, PAIR, victim)
    killed_run(project, command, outcome, random.Random(seed), 2.0, project / "run.log")
    assert outcome.killed
    assert outcome.status != 0
    assert "Traceback" not in outcome.said
    assert not left_running(project)
    brought_to_end(project, command, outcome)
    judged(project, outcome, contents(finished, PAIR), PAIR)
    assert outcome.faults == []


def test_a_server_that_is_killed_ends_the_run_with_what_to_do(
    project: Path, finished: Path, fault: Callable[[str, str], None], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in PAIR:
        fault(address, "sleep 1")
    outcome = Outcome(0, PAIR, "server")
    killed_run(project, (*FLOW, "--pair", "ada-ben"), outcome, random.Random(0), 2.0, project / "run.log")
    assert outcome.killed
    assert "Traceback" not in outcome.said
    if outcome.status != 0:
        assert "the Prefect server" in outcome.said
        assert "mend: " in outcome.said
    assert not left_running(project)
    monkeypatch.setenv("PREFECT_API_URL", server)
    brought_to_end(project, (*FLOW, "--pair", "ada-ben"), outcome)
    judged(project, outcome, contents(finished, PAIR), PAIR)
    assert outcome.faults == []


def test_the_stages_that_are_judged_are_those_of_the_pair(project: Path) -> None:
    assert set(Pipeline.load(project).chosen(Selection(pairs=("ada-ben",)))) == set(PAIR)


def test_a_lock_that_a_kill_cut_off_is_taken_back_from_git(project: Path) -> None:
    """What the bench does where DVC was killed while it wrote: as the messages and docs/faults.md say."""
    dvc("repro", "--quiet", "training@ada-ben", cwd=project)
    commit(project, "made")
    lock = project / "dvc.lock"
    whole = lock.read_text()
    assert not cut_off(project)
    lock.write_text("")
    assert cut_off(project)
    outcome = Outcome(0, (), "dvc")
    brought_to_end(project, (*DVC, "training@ada-ben"), outcome)
    assert (outcome.faults, outcome.runs, outcome.mended) == ([], 2, True)
    assert lock.read_text() == whole
