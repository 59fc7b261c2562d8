"""`likeness` as people type it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.command.__main__ import COMMANDS, app
from stages.problems import BAD_INPUT
from tests.conftest import REPOSITORY


def likeness(*arguments: str, status: int = 0) -> str:
    """What it prints; errors where it fails."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


def test_help_names_all_commands_and_imports_none_of_them() -> None:
    code = """
import sys
from typer.testing import CliRunner
from flows.command.__main__ import app
print(CliRunner().invoke(app, ["--help"]).stdout)
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name, _, _ in COMMANDS:
        assert f" {name} " in done.stdout
    assert not set(done.stderr.split()) & {"torch", "dvc", "prefect", "numpy", "pandas", "cv2", "av", "pydantic"}


def test_the_installed_program_is_this_command() -> None:
    script = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]["likeness"]
    program = EntryPoint("likeness", script, "console_scripts").load()
    assert program.__module__ == "flows.command.__main__"


@pytest.mark.parametrize("name", [name for name, _, _ in COMMANDS])
def test_every_command_tells_what_it_does(name: str) -> None:
    assert f"Usage: likeness {name}" in " ".join(
        CliRunner().invoke(app, [name, "--help"], prog_name="likeness").stdout.split()
    )


def test_a_mistyped_command_gets_the_nearest() -> None:
    assert "did you mean 'lineage'?" in " ".join(likeness("linage", status=2).split())


def test_names_complete(workplace: Path) -> None:
    def completed(typed: str) -> list[str]:
        environment = {"_LIKENESS_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
        done = CliRunner().invoke(app, [], env=environment, prog_name="likeness")
        return done.stdout.split()

    assert completed("likeness li") == ["lineage"]
    assert completed("likeness report ") == ["ada-on-ben", "ben-on-ada"]
    assert completed("likeness run --pair a") == ["ada-ben"]
    assert completed("likeness consent sign b") == ["ben"]
    (workplace / ".dvc").mkdir()
    (workplace / "dvc.lock").write_text("    - path: data/encoding/ada-on-ben\n      md5: 1\n")
    assert completed("likeness lineage of data/enc") == ["data/encoding/ada-on-ben"]


def test_add_says_what_is_lacking_and_what_comes_next(workplace: Path) -> None:
    (workplace / ".dvc").mkdir()
    said = likeness("add", "identity", "eve")
    assert "params.yaml: identities.eve is in." in said
    assert "there is no consent record for 'eve'" in said
    assert "no picture of" not in said, "these settings do without"
    said = likeness("add", "clip", "eve-1", "--identity", "eve", "--path", "reel.mov", "--start", "0:01:12.5")
    assert "reel.mov: the clip 'eve-1' is not there" in said
    assert "likeness run --clip eve-1" in said
    likeness("add", "pair", "ada-eve", "--a", "ada", "--b", "eve")
    likeness("add", "swap", "ada-on-eve", "--pair", "ada-eve", "--clip", "eve-1")
    assert (
        "  ada-on-eve: {pair: ada-eve, source: ada, target: eve, clip: eve-1, truth: none}\n"
        in (workplace / "params.yaml").read_text()
    )
    assert "shows 'ben', who is not of the pair" in likeness(
        "add", "swap", "x", "--pair", "ada-eve", "--clip", "ben", status=BAD_INPUT
    )
    assert "there is a 'eve' already" in likeness("add", "identity", "eve", status=BAD_INPUT)


def test_report_of_what_was_delivered(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workplace / ".dvc").mkdir()
    for stage, file, content in (
        ("encoding", "deliverable.mp4", "video"),
        ("encoding", "facts.json", "{}"),
        ("evaluation", "metrics.json", '{"psnr": 25.857}'),
        ("evaluation", "report.html", "<p>"),
    ):
        place = workplace / "data" / stage / "ada-on-ben" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    shown = workplace / "shown.txt"
    browser = workplace / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    browser.chmod(0o755)
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    assert "25.857" in likeness("report", "ada-on-ben", "--open")
    assert shown.read_text().strip() == (workplace / "data/evaluation/ada-on-ben/report.html").as_uri()
    document = json.loads(likeness("report", "ada-on-ben", "--json"))
    assert document["swaps"]["ada-on-ben"]["metrics"] == {"psnr": 25.857}
    assert "swaps.ben-on-ada: it has no deliverable yet" in likeness("report", status=1)
    assert "did you mean 'ada-on-ben'?" in likeness("report", "ada-on-bem", status=BAD_INPUT)


def test_status_of_the_shipped_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY / "docs")
    document = json.loads(likeness("status", "--json"))
    assert set(document["swaps"]) == {"ada-on-ben", "ben-on-ada"}
    assert document["swaps"]["ada-on-ben"]["consent"]["refusal"] is None
    table = likeness("status", "--stages")
    assert "ada-on-ben" in table
    assert "`dvc repro` would" in table
