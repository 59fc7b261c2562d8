"""All that is plainly wrong is told at once, in the words of the stages that would refuse it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.admission.stage import run
from stages.check import main, problems_of
from stages.problems import BAD_INPUT, Problem
from tests.conftest import params_with


def edit_record(workplace: Path, old: str, new: str) -> None:
    record = workplace / "data/consent/ada.yaml"
    record.write_text(record.read_text().replace(old, new))


def test_the_shipped_settings_have_no_problem(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    roles = ["source", "target", "training"]
    edit_record(workplace, f"[{', '.join(roles)}]", f"[{', '.join(other for other in roles if other != role)}]")
    assert main() == BAD_INPUT
    assert f"data/consent/ada.yaml: roles: it does not allow '{role}'" in capsys.readouterr().err


def test_wrong_settings_are_the_only_problem(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workplace / "params.yaml"
    settings.write_text(settings.read_text() + "colour: red\n")
    edit_record(workplace, "roles", "rules")
    assert main() == BAD_INPUT
    assert capsys.readouterr().err.count("error:") == 1
