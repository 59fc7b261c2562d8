"""The stage graph, what is chosen of it, and what is stale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.pipeline import BUSY, Pipeline, Plan, Selection, stale_stages
from stages.problems import Problem
from tests.flows.conftest import REPOSITORY


def test_a_swap_needs_its_pair_and_the_clips_of_both(project: Path) -> None:
    chosen = Pipeline.load(project).chosen(Selection(swaps=("ada-on-cyd",)))
    assert set(chosen) == {
        "extraction@ada",
        "extraction@cyd",
        "training@ada-cyd",
        "encoding@ada-on-cyd",
        "evaluation@ada-on-cyd",
    }
    assert set(chosen.predecessors("training@ada-cyd")) == {"extraction@ada", "extraction@cyd"}


def test_choices_add_up_and_none_is_all(project: Path) -> None:
    pipeline = Pipeline.load(project)
    chosen = pipeline.chosen(Selection(pairs=("ada-ben",), clips=("cyd",)))
    assert set(chosen) == {"extraction@ada", "extraction@ben", "extraction@cyd", "training@ada-ben"}
    assert len(pipeline.chosen(Selection())) == 9


def test_an_unknown_name_gets_the_nearest(project: Path) -> None:
    with pytest.raises(Problem, match=r"swaps.*did you mean 'ada-on-ben'"):
        Pipeline.load(project).chosen(Selection(swaps=("ada-on-bem",)))


def test_a_pipeline_that_dvc_can_not_read_is_one_message(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages:\n  extraction:\n    cmd: echo ${nothing.here}\n")
    with pytest.raises(Problem, match=r"nothing\.here"):
        Pipeline.load(project)


def test_only_what_is_stale_and_what_is_below_it_is_planned(made: Path) -> None:
    assert Plan.make(made, Selection()).stages == []
    (made / "footage" / "ben.txt").write_text("someone else")
    plan = Plan.make(made, Selection())
    assert plan.stages == ["extraction@ben", "training@ada-ben", "encoding@ada-on-ben", "evaluation@ada-on-ben"]
    assert stale_stages(made, list(plan.graph)) == {"extraction@ben": ["deps footage/ben.txt modified"]}
    assert Plan.make(made, Selection(swaps=("ada-on-cyd",))).stages == []


def test_the_working_directory_does_not_matter(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (made / "footage" / "ben.txt").write_text("someone else")
    here = Plan.make(made, Selection()).stages
    monkeypatch.chdir(made / "data" / "consent")
    assert Plan.make(made, Selection()).stages == here
    monkeypatch.chdir("/")
    assert Plan.make(made, Selection()).stages == here


def test_a_changed_setting_is_a_reason(made: Path) -> None:
    (made / "params.yaml").write_text((made / "params.yaml").read_text().replace("iterations: 3", "iterations: 4"))
    reasons = stale_stages(made, ["training@ada-ben"])["training@ada-ben"]
    assert reasons == ["deps params.yaml: training modified"]


def test_what_another_process_works_on_counts_as_stale(made: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "repro", "mark"])
    try:
        entry = {"pid": worker.pid, "cmd": "dvc repro mark"}
        book = {"write": {str(made / "data" / "training" / "ada-ben"): entry}, "read": {}}
        (made / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(book))
        assert stale_stages(made, ["training@ada-ben", "extraction@ada"]) == {"training@ada-ben": [BUSY]}
    finally:
        worker.kill()
        worker.wait()


def test_the_sample_pipeline_is_understood() -> None:
    pipeline = Pipeline.load(REPOSITORY)
    assert pipeline.sections["swaps"] == ["conversion", "compositing", "encoding", "evaluation"]
    swaps = pipeline.items_of("swaps")
    assert swaps
    chosen = pipeline.chosen(Selection(swaps=(swaps[0],)))
    assert {address.partition("@")[0] for address in chosen} >= {"extraction", "training", "evaluation"}
    assert f"encoding@{swaps[0]}" in chosen
