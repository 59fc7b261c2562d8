"""A pair always has a cast, which names its companions and nobody else's."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.artifacts.cast import CASTS, CompanionFaces
from stages.artifacts.files import read_facts
from stages.cast.stage import run
from stages.problems import Problem
from stages.settings import Params, parse
from tests.conftest import REPOSITORY


def params_with(companions: dict[str, dict[str, str]]) -> Params:
    """The shipped settings with two people more and another pair."""
    raw: dict[str, Any] = copy.deepcopy(yaml.safe_load((REPOSITORY / "params.yaml").read_text()))
    raw["identities"] |= {"cyd": {}, "dan": {}}
    raw["pairs"]["ada-dan"] = {"a": "ada", "b": "dan"}
    return parse(Params, raw | {"companions": companions}, where="params.yaml")


def companions_told(pair: str) -> list[str]:
    told: list[str] = read_facts(CASTS / pair / "cast.json")["companions"]
    return told


def test_a_pair_has_the_companions_that_the_settings_give_it_in_one_order(workplace: Path) -> None:
    dan, cyd = {"pair": "ada-ben", "identity": "dan"}, {"pair": "ada-ben", "identity": "cyd"}
    for companions in ({"one": dan, "two": cyd}, {"two": cyd, "one": dan}):
        params = params_with(companions | {"other": {"pair": "ada-dan", "identity": "ben"}})
        run("ada-ben", params)
        assert companions_told("ada-ben") == ["cyd", "dan"]
        assert params.cast_of("ada-ben") == ("ada", "ben", "cyd", "dan")
    run("ada-dan", params)
    assert companions_told("ada-dan") == ["ben"]


def test_the_usual_pair_has_a_cast_too_and_always_the_same(workplace: Path) -> None:
    run("ada-ben", params_with({}))
    first = (CASTS / "ada-ben" / "cast.json").read_bytes()
    run("ada-ben", params_with({"other": {"pair": "ada-dan", "identity": "cyd"}}))
    assert (CASTS / "ada-ben" / "cast.json").read_bytes() == first
    assert [path.name for path in (CASTS / "ada-ben").iterdir()] == ["cast.json"]


def test_what_was_told_of_a_former_companion_goes(workplace: Path) -> None:
    for identity in ("cyd", "dan"):
        CompanionFaces(identity=identity, consent=f"{identity}-1", data={}).write("ada-ben")
    run("ada-ben", params_with({"one": {"pair": "ada-ben", "identity": "dan"}}))
    assert [path.name for path in (CASTS / "ada-ben" / "companions").iterdir()] == ["dan.json"]


def test_an_unknown_pair_is_told(workplace: Path) -> None:
    with pytest.raises(Problem, match="ada-ben"):
        run("ada-bem", params_with({}))
