"""A bench from the shell: its options, and a problem as one message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

from stages.bench.program import main
from stages.problems import BAD_INPUT, Problem


def command(
    times: Annotated[int, typer.Option(min=1, help="how often")] = 2,
    folder: Annotated[Path | None, typer.Option(help="where")] = None,
) -> None:
    """Print something."""
    if folder is not None:
        raise Problem("it is not there", where=folder, mend="make it")
    print("once " * times)


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr(sys, "argv", ["something", *arguments])
    with pytest.raises(SystemExit) as ended:
        main("something", command)
    return ended.value.code


def test_its_options_are_the_commands_parameters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "--times", "3") == 0
    assert capsys.readouterr().out.split() == ["once"] * 3
    assert ran(monkeypatch, "--help") == 0
    said = capsys.readouterr().out
    assert all(words in said for words in ("python -m stages.bench.something", "Print something.", "how often"))


def test_a_problem_is_one_message_and_the_status_of_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, "--folder", "nowhere") == BAD_INPUT
    assert capsys.readouterr().err == "error: nowhere: it is not there\n  mend: make it\n"
