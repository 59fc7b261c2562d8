"""`python -m flows.lineage` as people and machines read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.lineage.__main__ import app

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def lineage(*arguments: str, status: int = 0) -> str:
    """What it prints; errors where it fails."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


def test_a_tree_from_the_deliverable_to_the_clips(made: Path) -> None:
    tree = lineage(DELIVERABLE)
    lines = tree.splitlines()
    assert lines[0].startswith(DELIVERABLE)
    assert lines[0].endswith("as recorded")
    for what in (
        "encoding@ada-on-ben  up to date",
        "swaps.ada-on-ben.source=ada",
        "consent of ada (source, person, ada-1)  active",
        "clip footage/ben.txt",
        "stages/step.sh: as in",
        "measured by evaluation@ada-on-ben",
        "psnr=23.5, identity.nearer=0.97",
    ):
        assert what in tree
    assert "cyd" not in tree


def test_a_branch_that_is_met_again_is_drawn_once(made: Path) -> None:
    tree = lineage(DELIVERABLE)
    assert tree.count("sh stages/step.sh data/extraction/ben/frames.txt") == 1
    assert "extraction@ben (drawn above)" in tree


def test_an_input_that_was_made_anew_is_marked(made: Path) -> None:
    from tests.flows.conftest import dvc

    (made / "footage" / "ben.txt").write_text("another ben\n")
    dvc("repro", "--quiet", "--single-item", "extraction@ben", cwd=made)
    tree = lineage(DELIVERABLE)
    assert "made anew since" in tree
    assert "stale: deps data/extraction/ben modified" in tree


def test_json_for_machines_names_all_that_is_needed_to_make_it_again(made: Path) -> None:
    document = json.loads(lineage(DELIVERABLE, "--json"))
    assert document["state"] == "as recorded"
    stages = [step["stage"] for step in document["steps"]]
    assert stages[0] == "encoding@ada-on-ben"
    for step in document["steps"]:
        assert step["command"].startswith("sh stages/step.sh")
        assert step["code"]["is_revision"]
        assert all(item["md5"] for item in (*step["inputs"], *step["outputs"]))
        assert {maker for item in step["inputs"] for maker in item["made_by"]} <= set(stages)


def test_the_other_way(made: Path) -> None:
    assert "footage/cyd.txt is used by 4 steps" in lineage("--what-uses", "footage/cyd.txt")
    used_by = json.loads(lineage("--what-uses", "footage/cyd.txt", "--json"))["used_by"]
    assert used_by[-1]["stage"] == "evaluation@ada-on-cyd"


def test_paths_are_taken_from_the_working_directory(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made / "data" / "encoding")
    assert DELIVERABLE in lineage("ada-on-ben/deliverable.mp4")
    assert DELIVERABLE in lineage(str(made / DELIVERABLE))


def test_what_has_changed_is_told_from_within_a_folder_too(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = made / "stages" / "step.sh"
    script.write_text(script.read_text() + "# more\n")
    monkeypatch.chdir(made / "data" / "encoding")
    assert "stages/step.sh: changed since: stages/step.sh" in lineage("ada-on-ben", "--html", "page.html") + lineage(
        str(made / DELIVERABLE)
    )
    assert (made / "data" / "encoding" / "page.html").is_file()


def test_errors_are_one_message(made: Path, tmp_path: Path) -> None:
    assert "outside the repository" in lineage(str(tmp_path / "x.mp4"), status=2)
    assert "no stage that was run has read or made it" in lineage("--what-uses", "stages/other.py", status=2)
    assert lineage("data/encodin", status=2).startswith("error: data/encodin: ")
    assert "not about the frames" in lineage("data/training/ada-ben", "--frame", "1", status=2)
