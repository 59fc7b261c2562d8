"""All that is plainly wrong is told at once, in the words of the stages that would refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.admission.stage import run
from stages.check import main, problems_of
from stages.encoding.coding import coding_for
from stages.problems import BAD_INPUT, Problem
from stages.settings import Params
from stages.video import facts_of, open_clip
from tests.conftest import REPOSITORY, params_with, write_clip
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


def asked(path: Path, **encoding: Any) -> Params:
    params = params_with({"one": Path("two.mkv"), "two": path})
    raw = params.model_dump(mode="json")
    raw["swaps"] = {"ada-on-ben": {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "two", "truth": "none"}}
    raw["encoding"] |= encoding
    return Params.model_validate(raw)


@pytest.mark.parametrize(
    ("form", "encoding"),
    [
        ({"pixel_format": "yuv420p12le"}, {}),
        ({"width": 63, "height": 47}, {}),
        ({"pixel_format": "yuv444p"}, {"codec": "av1"}),
    ],
    ids=str,
)
def test_what_encoding_would_refuse_is_told_at_once(
    workplace: Path, form: dict[str, Any], encoding: dict[str, Any]
) -> None:
    path = Path("two.mkv")
    write_clip(path, frames=2, codec="ffv1", **form)
    params = asked(path, **encoding)
    with open_clip(path) as container, pytest.raises(Problem) as told:
        coding_for(facts_of(container), params.encoding)
    said = (told.value.what, "two.mkv: encoding.codec in params.yaml", told.value.mend)
    assert said in [(problem.what, str(problem.where), problem.mend) for problem in problems_of(params)]
    nearest = asked(path, **encoding, pixel_format="nearest")
    assert not [problem for problem in problems_of(nearest) if "can not hold" in problem.what]


def test_a_clip_whose_samples_are_only_put_in_another_order_is_not_refused(workplace: Path) -> None:
    path = Path("two.mkv")
    write_clip(path, frames=2, codec="rawvideo", pixel_format="nv12")
    assert not [problem for problem in problems_of(asked(path)) if "can not hold" in problem.what]


PARTS: list[tuple[dict[str, Any], bool]] = [
    ({"start": 1}, True),
    ({"every": 2}, True),
    ({"end": 2}, False),
    ({}, False),
]


@pytest.mark.parametrize(("part", "refused"), PARTS)
def test_a_right_answer_of_more_than_the_clip_is_told(workplace: Path, part: dict[str, Any], refused: bool) -> None:
    params = asked(Path("two.mkv"))
    raw = params.model_dump(mode="json")
    raw["clips"]["two"] |= part
    for truth, known in (("none", False), ("ada-on-ben", refused)):
        raw["swaps"]["ada-on-ben"]["truth"] = truth
        told = [str(each.where) for each in problems_of(Params.model_validate(raw)) if "right answer" in each.what]
        assert told == (["params.yaml, swaps.ada-on-ben.truth"] if known else [])
