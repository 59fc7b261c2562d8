"""Parts of dvc.lock from another clone: taken where they are what this clone would have made, and refused otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.pipeline import Selection
from flows.remote import clones, entries, handing, planning
from flows.remote.orders import Order, Reply
from flows.stage import StageFailed
from stages.problems import Problem
from tests.flows.conftest import commit, dvc, run

CLIP = "extraction@ada"
METRICS = "data/evaluation/ada-on-ben/metrics.json"


def entry_of(root: Path, address: str) -> dict[str, object]:
    return entries.read(root, [address])[address]


def test_what_another_clone_made_is_entered_as_dvc_writes_it(project: Path, finished: Path) -> None:
    entries.take_in(project, CLIP, entry_of(finished, CLIP), {}, [])
    assert entry_of(project, CLIP) == entry_of(finished, CLIP)
    assert not (project / "data" / "extraction").exists(), "the data need not be here"

    figures = {METRICS: (finished / METRICS).read_text()}
    address = "evaluation@ada-on-ben"
    entries.put(project, {"encoding@ada-on-ben": entry_of(finished, "encoding@ada-on-ben")})
    entries.take_in(project, address, entry_of(finished, address), figures, ["encoding@ada-on-ben"])
    assert (project / METRICS).read_bytes() == (finished / METRICS).read_bytes()


@pytest.mark.parametrize("change", ["footage/ada.txt", "stages/step.sh"])
def test_what_was_made_of_other_inputs_or_code_is_refused(project: Path, finished: Path, change: str) -> None:
    with (project / change).open("a") as file:
        file.write("# changed\n")
    with pytest.raises(Problem, match="another command, code, settings or inputs"):
        entries.take_in(project, CLIP, entry_of(finished, CLIP), {}, [])
    assert not (project / "dvc.lock").exists()


def test_what_was_made_with_other_settings_is_refused(project: Path, finished: Path) -> None:
    settings = project / "params.yaml"
    settings.write_text(settings.read_text().replace("iterations: 3", "iterations: 4"))
    upstream = ["extraction@ada", "extraction@ben"]
    with pytest.raises(Problem, match="settings"):
        entries.take_in(project, "training@ada-ben", entry_of(finished, "training@ada-ben"), {}, upstream)


def test_what_was_made_of_another_result_upstream_is_refused(project: Path, finished: Path) -> None:
    for address in ("extraction@ada", "extraction@ben"):
        entries.put(project, {address: entry_of(finished, address)})
    other = entry_of(finished, "training@ada-ben")
    other["deps"][0]["md5"] = "0" * 32 + ".dir"  # type: ignore[index]
    with pytest.raises(Problem, match="inputs"):
        entries.take_in(project, "training@ada-ben", other, {}, ["extraction@ada", "extraction@ben"])


@pytest.mark.parametrize("path", ["../outside.json", "params.yaml", "{}/elsewhere.json"])
def test_a_worker_writes_nothing_but_what_its_stage_does(
    project: Path, finished: Path, tmp_path: Path, path: str
) -> None:
    address = "evaluation@ada-on-ben"
    entries.put(project, {"encoding@ada-on-ben": entry_of(finished, "encoding@ada-on-ben")})
    before = (project / "params.yaml").read_bytes()
    files = {METRICS: (finished / METRICS).read_text(), path.format(tmp_path): "{}"}
    with pytest.raises(Problem, match="which the stage does not write"):
        entries.take_in(project, address, entry_of(finished, address), files, ["encoding@ada-on-ben"])
    assert not (project / METRICS).exists()
    assert not list(tmp_path.glob("*.json"))
    assert (project / "params.yaml").read_bytes() == before


def test_a_former_result_makes_way_for_the_one_that_is_entered(made: Path, finished: Path) -> None:
    (made / "footage" / "ada.txt").write_text("another ada\n")
    dvc("repro", "--quiet", "--single-item", CLIP, cwd=made)
    (made / "footage" / "ada.txt").write_text("ada\n")
    entries.take_in(made, CLIP, entry_of(finished, CLIP), {}, [])
    assert not (made / "data" / "extraction" / "ada").exists()
    dvc("checkout", "--quiet", CLIP, cwd=made)
    assert (made / "data" / "extraction" / "ada" / "frames.txt").read_text() == "ada\n"


def test_without_the_data_only_what_is_stale_is_planned(made: Path, tmp_path: Path) -> None:
    dvc("remote", "add", "--quiet", "store", str(tmp_path / "store"), cwd=made)
    commit(made, "a remote")
    bare = tmp_path / "bare"
    run("git", "clone", "--quiet", str(made), str(bare), cwd=tmp_path)
    assert planning.plan(bare, Selection(), "store").stages == []
    (bare / "footage" / "cyd.txt").write_text("another cyd\n")
    run("git", "config", "user.name", "A Tester", cwd=bare)
    run("git", "config", "user.email", "tester@example.invalid", cwd=bare)
    commit(bare, "another cyd")
    assert planning.plan(bare, Selection(swaps=("ada-on-ben",)), "store").stages == []
    stale = planning.plan(bare, Selection(), "store").stages
    assert stale == [f"{kind}@{item}" for kind, item in CYD]


CYD = (
    ("extraction", "cyd"),
    ("training", "ada-cyd"),
    ("encoding", "ada-on-cyd"),
    ("evaluation", "ada-on-cyd"),
)


def test_what_workers_can_not_get_is_told_before_anything_runs(made: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no DVC remote 'store'"):
        planning.plan(made, Selection(), "store")
    dvc("remote", "add", "--quiet", "store", str(tmp_path / "store"), cwd=made)
    with pytest.raises(Problem, match=r"changed since the last commit: \.dvc/config"):
        planning.plan(made, Selection(), "store")


def test_a_workers_clone_that_somebody_works_in_is_left_alone(made: Path) -> None:
    first = clones.git(made, "rev-parse", "HEAD").strip()
    (made / "stages" / "figures.json").write_text("{}")
    commit(made, "more")
    (made / "stages" / "step.sh").write_text("exit 1\n")
    folder = made / ".dvc" / "tmp"
    with (
        pytest.raises(Problem, match=r"changed by hand: stages/step\.sh"),
        clones.brought(made, first, frozenset(), folder),
    ):
        pass
    run("git", "checkout", "--quiet", "stages/step.sh", cwd=made)
    with clones.brought(made, first, frozenset(), folder):
        pass
    assert clones.git(made, "rev-parse", "HEAD").strip() == first


def test_a_project_in_a_folder_of_its_repository_has_changes_of_its_own_only(project: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(project, whole / "films" / "project", ignore=shutil.ignore_patterns(".git"))
    (whole / "notes.txt").write_text("notes\n")
    root = whole / "films" / "project"
    for path in ("dvc.lock", METRICS):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("{}\n")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=whole)
    run("git", "config", "user.name", "A Tester", cwd=whole)
    run("git", "config", "user.email", "tester@example.invalid", cwd=whole)
    run("git", "add", "--force", METRICS, cwd=root)
    commit(whole)
    assert clones.changes(root, frozenset({METRICS})) == []
    for path in ("stages/step.sh", "dvc.lock", METRICS, "../../notes.txt"):
        with (root / path).open("a") as file:
            file.write("# changed\n")
    assert clones.changes(root, frozenset({METRICS})) == ["stages/step.sh"]


def test_a_workers_clone_stays_at_a_revision_while_a_run_uses_it(made: Path) -> None:
    first = clones.git(made, "rev-parse", "HEAD").strip()
    (made / "stages" / "figures.json").write_text("{}")
    commit(made, "more")
    second = clones.git(made, "rev-parse", "HEAD").strip()
    folder = made / ".dvc" / "tmp"

    def of_another_revision() -> None:
        with (
            pytest.raises(StageFailed, match="another revision is at work") as failed,
            clones.brought(made, second, frozenset(), folder),
        ):
            pass
        assert failed.value.may_pass
        assert clones.git(made, "rev-parse", "HEAD").strip() == first

    # none of them has a stage at work that DVC knows of: they pull, or push
    with clones.brought(made, first, frozenset(), folder):
        of_another_revision()
        with clones.brought(made, first, frozenset(), folder):
            of_another_revision()
        of_another_revision()
    with clones.brought(made, second, frozenset(), folder):
        assert clones.git(made, "rev-parse", "HEAD").strip() == second


def test_orders_are_known_by_what_they_ask_for() -> None:
    order = Order("training@a-b", "store", "0" * 40, {}, ["extraction@a"])
    assert order.key(0) == Order("training@a-b", "store", "0" * 40, {}, ["extraction@a"]).key(0)
    assert len({order.key(0), order.key(1), Order("training@a-b", "store", "1" * 40, {}, ["extraction@a"]).key(0)}) == 3
    reply = Reply("made", 1.5, {"cmd": "true"}, {"a.json": "{}"})
    assert Reply.read(reply.text()) == reply


def test_an_entry_goes_over_as_dvc_reads_it(made: Path) -> None:
    lock = made / "dvc.lock"
    lock.write_text(lock.read_text().replace("iterations: 3", "iterations: 0:01:12.5"))
    assert "0:01:12.5" in lock.read_text()
    params = entry_of(made, "training@ada-ben")["params"]
    assert params["params.yaml"]["training"] == {"iterations": "0:01:12.5"}  # type: ignore[index]


def test_no_order_goes_out_while_a_withdrawal_is_not_committed(made: Path) -> None:
    assert handing._revision("training@ada-ben", made) == clones.git(made, "rev-parse", "HEAD").strip()
    (made / "stages" / "figures.json").write_text("{}")
    handing._revision("training@ada-ben", made)
    with (made / "data/consent/ada.yaml").open("a") as record:
        record.write("# withdrawn\n")
    with pytest.raises(StageFailed, match=r"changed since the last commit: data/consent/ada\.yaml") as told:
        handing._revision("training@ada-ben", made)
    assert not told.value.may_pass
    commit(made, "withdrawn")
    assert handing._revision("training@ada-ben", made) == clones.git(made, "rev-parse", "HEAD").strip()
