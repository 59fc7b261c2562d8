"""Lineage of a result as it was at a revision in git."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.lineage.snapshot import Snapshot, named
from flows.lineage.trace import trace
from stages.problems import Problem
from tests.flows.conftest import commit, dvc, hashes, run
from tests.records import put_record

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


@pytest.fixture
def twice(made: Path) -> Path:
    """The project made a second time, of another clip, other settings and with another consent record."""
    run("git", "add", "--force", "data/evaluation/ada-on-ben/metrics.json", cwd=made)
    commit(made, "keep figures")
    run("git", "tag", "first", cwd=made)
    (made / "footage" / "ben.txt").write_text("another ben\n")
    settings = made / "params.yaml"
    settings.write_text(settings.read_text().replace("iterations: 3", "iterations: 4"))
    put_record(made / "data" / "consent", "ada", record_id="ada-2")
    dvc("repro", "--quiet", "encoding@ada-on-ben", "evaluation@ada-on-ben", cwd=made)
    commit(made, "made again")
    return made


def test_everything_is_that_of_the_revision(twice: Path) -> None:
    now = trace(twice, *named(twice, DELIVERABLE))
    then = trace(twice, *named(twice, f"{DELIVERABLE}@first"))
    first = run("git", "rev-parse", "first", cwd=twice).strip()
    assert now.artifact.md5 == hashes(twice)["data/encoding/ada-on-ben"] != then.artifact.md5
    by_stage = {traced.step.stage: traced for traced in then.steps}
    assert by_stage["training@ada-ben"].step.settings["params.yaml"]["training"] == {"iterations": 3}
    encoding = by_stage["encoding@ada-on-ben"]
    assert [each.id for each in encoding.consents] == ["ada-1", "ben-1"]
    assert [each.id for each in now.steps[0].consents] == ["ada-2", "ben-1"]
    assert encoding.code.revision == first
    assert encoding.code.recorded == run("git", "rev-parse", "first~1", cwd=twice).strip()
    assert encoding.code.is_revision
    assert then.measured_by[0].metrics == {"psnr": 23.5, "identity": {"nearer": 0.97}}
    assert (now.state, then.state) == ("as recorded", "changed"), "what lies here is the second one"


def test_code_that_git_has_there_otherwise_is_told(made: Path) -> None:
    script = made / "stages" / "step.sh"
    script.write_text(script.read_text() + "# more\n")
    commit(made, "other code, nothing made of it")
    steps = trace(made, DELIVERABLE, Snapshot.at(made, "HEAD")).steps
    assert steps[0].stale == ("deps stages/step.sh modified",)
    assert not steps[0].code.is_revision
    assert trace(made, DELIVERABLE, Snapshot.at(made, "HEAD~1")).steps[0].stale == ()


def test_a_path_with_an_at_sign_is_a_path(made: Path) -> None:
    (made / "a@b.txt").write_text("x")
    assert named(made, "a@b.txt") == ("a@b.txt", Snapshot(made))


def test_a_revision_that_is_not_there(made: Path) -> None:
    with pytest.raises(Problem, match="git knows no revision 'nowhere'"):
        named(made, f"{DELIVERABLE}@nowhere")
    with pytest.raises(Problem, match="nothing has been made here yet at"):
        trace(made, *named(made, f"{DELIVERABLE}@HEAD~1"))
