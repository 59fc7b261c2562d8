"""From what JSON says alone, a deliverable is made again in an empty clone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.lineage.__main__ import app
from flows.lineage.trace import md5_of
from tests.flows.conftest import commit, dvc, hashes, run

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


DOCUMENT = {
    "path": DELIVERABLE,
    "md5": "0" * 32,
    "steps": [],
    "rebuild": {
        "repository": [],
        "folder": "",
        "revision": "0" * 40,
        "why_not": [],
        "python": "3.11",
        "pins": None,
        "remotes": {},
        "needed": [],
        "stages": ["encoding@ada-on-ben"],
        "commands": [],
        "expect": [],
    },
}


def rebuilt(document: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["rebuild", str(document), *arguments])


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


def test_one_command_goes_that_way(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "lineage.json"
    document.write_text(json.dumps(told()))
    os.chdir(tmp_path)
    shutil.rmtree(shared)
    done = rebuilt(document, "clone")
    assert done.exit_code == 2
    assert "footage/ada.txt: neither git nor DVC has it" in done.stderr
    assert "mend: name the folder that it lies in: --footage FOLDER" in done.stderr
    assert not (tmp_path / "clone").exists()

    done = rebuilt(document, "clone", "--footage", "shelf", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["same"]
    assert found["expected"] == found["made"] == md5_of(tmp_path / "clone" / DELIVERABLE)
    assert found["differ"] == []
    assert "there is something already" in rebuilt(document, "clone").stderr


def test_a_stage_that_makes_something_else_is_named(made: Path, tmp_path: Path) -> None:
    document = told()
    for step in document["steps"]:
        for output in step["outputs"]:
            if step["stage"] == "extraction@ben":
                output["md5"] = "0" * 32
    document["md5"] = "1" * 32
    file = tmp_path / "lineage.json"
    file.write_text(json.dumps(document))
    done = rebuilt(file, str(tmp_path / "clone"), "--from", str(made))
    assert done.exit_code == 1
    assert "other bytes" in done.stdout
    assert "otherwise than told: extraction@ben" in done.stdout


@pytest.mark.parametrize("kind", ["consent", "file", None])
def test_a_consent_that_was_withdrawn_since_stops_it(shared: Path, tmp_path: Path, kind: str | None) -> None:
    """Whatever the document calls the record, or if it does not name it."""
    document, said = tmp_path / "lineage.json", told()
    needed = [each for each in said["rebuild"]["needed"] if each["kind"] != "consent"]
    records = [each for each in said["rebuild"]["needed"] if each["kind"] == "consent"]
    said["rebuild"]["needed"] = needed + ([each | {"kind": kind} for each in records] if kind else [])
    document.write_text(json.dumps(said))
    record = shared / "data" / "consent" / "ben.yaml"
    record.write_text(record.read_text().replace("status: active", "status: revoked"))
    commit(shared, "ben withdraws")
    run("git", "push", "--quiet", "origin", "HEAD", cwd=shared)
    os.chdir(tmp_path)
    done = rebuilt(document, "clone", "--footage", "shelf")
    assert done.exit_code == 2
    assert "ben.yaml: status: the consent was withdrawn" in done.stderr
    assert not (tmp_path / "clone").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ["encoding@ada-on-ben", "--force"]}, "it names what no lineage names: '--force'"),
        ({"revision": "HEAD; rm -rf ~"}, "it names what no lineage names"),
        ({"repository": ["ext::sh -c id"]}, "it names what no lineage names"),
        ({"why_not": ["training@ada-ben: deps stages/step.sh modified"]}, "no revision in git has all"),
        ({"stages": 7}, "it is no lineage of a result: rebuild.stages"),
    ],
)
def test_a_document_that_asks_for_more_is_refused(
    made: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["rebuild"] |= change
    file = tmp_path / "lineage.json"
    file.write_text(json.dumps(document))
    done = rebuilt(file, str(tmp_path / "clone"), "--from", str(made))
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "clone").exists()
