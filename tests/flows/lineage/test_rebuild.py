"""From what JSON says alone, a deliverable is made again in an empty clone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.lineage.__main__ import app
from flows.lineage.trace import md5_of
from tests.flows.conftest import commit, dvc, hashes, run

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def told(path: str = DELIVERABLE) -> dict[str, Any]:
    done = CliRunner().invoke(app, [path, "--json"])
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def made_again(document: dict[str, Any], place: Path, shelf: Path) -> None:
    """Follow the document: clone, put what is had elsewhere in its place, run its commands."""
    rebuild = document["rebuild"]
    run("git", "clone", "--quiet", rebuild["repository"][0], str(place), cwd=place.parent)
    for needed in rebuild["needed"]:
        if needed["source"] == "elsewhere":
            wanted = needed["artifact"]
            (found,) = (file for file in shelf.iterdir() if md5_of(file) == wanted["md5"])
            (place / wanted["path"]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place / wanted["path"])
    for command in rebuild["commands"]:
        program, *arguments = command.split()
        (dvc(*arguments, cwd=place) if program == "dvc" else run(program, *arguments, cwd=place))


@pytest.fixture
def shared(made: Path, tmp_path: Path) -> Path:
    """The project with an origin; of the swap's clips, one is on DVC's remote, one on a shelf."""
    (made / ".gitignore").write_text((made / ".gitignore").read_text() + "/footage/ada.txt\n")
    run("git", "rm", "--quiet", "--cached", "footage/ben.txt", "footage/ada.txt", cwd=made)
    dvc("add", "--quiet", "footage/ben.txt", cwd=made)
    dvc("remote", "add", "--default", "store", str(tmp_path / "store"), cwd=made)
    dvc("push", "--quiet", "footage/ben.txt", cwd=made)
    commit(made, "footage where it belongs")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    shutil.copy(made / "footage" / "ada.txt", shelf / "tape-7.txt")
    run("git", "init", "--quiet", "--bare", str(tmp_path / "origin"), cwd=tmp_path)
    run("git", "remote", "add", "origin", str(tmp_path / "origin"), cwd=made)
    run("git", "push", "--quiet", "origin", "HEAD", cwd=made)
    return made


def test_the_same_bytes_come_out_in_an_empty_clone(shared: Path, tmp_path: Path) -> None:
    document = told()
    rebuild = document["rebuild"]
    assert rebuild["exact"], rebuild["why_not"]
    sources = {needed["artifact"]["path"]: needed["source"] for needed in rebuild["needed"]}
    assert sources == {
        "footage/ada.txt": "elsewhere",
        "footage/ben.txt": "dvc",
        "stages/step.sh": "git",
        "data/consent/ada.yaml": "git",
        "data/consent/ben.yaml": "git",
    }
    # The clone comes from the origin, its footage from the remote and the shelf; nothing else is left.
    os.chdir(tmp_path)
    shutil.rmtree(shared)
    place = tmp_path / "clone"
    made_again(document, place, tmp_path / "shelf")
    (expected,) = rebuild["expect"]
    assert hashes(place)[expected["path"]] == expected["md5"]
    assert md5_of(place / document["path"]) == document["md5"]


def test_an_earlier_commit_is_named_where_the_code_has_changed_since(shared: Path, tmp_path: Path) -> None:
    before = run("git", "rev-parse", "HEAD~1", cwd=shared).strip()
    script = shared / "stages" / "step.sh"
    script.write_text(script.read_text() + "# more\n")
    commit(shared, "other code, nothing made of it")
    rebuild = told()["rebuild"]
    assert rebuild["revision"] == before, "where dvc.lock got the result"
    assert rebuild["exact"]


def test_what_no_commit_has_is_said(made: Path) -> None:
    script = made / "stages" / "step.sh"
    script.write_text(script.read_text() + "# more\n")
    (made / "footage" / "ben.txt").write_text("another ben\n")
    dvc("repro", "--quiet", "encoding@ada-on-ben", cwd=made)
    rebuild = told()["rebuild"]
    assert not rebuild["exact"]
    assert "encoding@ada-on-ben: dvc.lock has another result of it" in rebuild["why_not"]
