"""All that is plainly wrong is told at once, in the words of the stages that would refuse it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.admission.stage import run
from stages.check import main, problems_of
from stages.problems import BAD_INPUT, Problem
from tests.conftest import REPOSITORY, params_with
from tests.records import put_record


def test_the_shipped_project_has_no_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert main() == 0
    assert capsys.readouterr().err == ""


def test_every_problem_is_told_once(workplace: Path) -> None:
    (workplace / "data/consent/ada.yaml").unlink()
    problems = problems_of(params_with({"one": Path("one.mp4"), "two": Path("two.mp4")}))
    assert [problem.where for problem in problems] == ["data/consent/ada.yaml", "one.mp4", "two.mp4"]


def test_a_clip_is_refused_in_the_words_of_admission(workplace: Path) -> None:
    params = params_with({"one": Path("one.mp4")})
    with pytest.raises(Problem) as caught:
        run("one", params)
    assert [str(problem) for problem in problems_of(params)] == [str(caught.value)]


@pytest.mark.parametrize("role", ["source", "target", "training"])
def test_a_role_that_is_needed_and_not_allowed_is_told(
    workplace: Path, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    others = [other for other in ("source", "target", "training") if other != role]
    put_record(workplace / "data/consent", "ada", roles=others)
    assert main() == BAD_INPUT
    assert f"data/consent/ada.yaml: roles: it does not allow '{role}'" in capsys.readouterr().err


def test_wrong_settings_are_the_only_problem(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workplace / "params.yaml"
    settings.write_text(settings.read_text() + "colour: red\n")
    (workplace / "data/consent/ada.yaml").unlink()
    assert main() == BAD_INPUT
    assert capsys.readouterr().err.count("error:") == 1
