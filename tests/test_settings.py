"""Settings are refused with the field's name and the mend, or taken as they are."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.problems import Problem
from stages.settings import Params, load_params, parse
from stages.training.settings import TrainingSettings
from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    return raw


def problem(raw: dict[str, Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(Params, raw, where="params.yaml")
    return caught.value


def test_the_shipped_settings_are_valid() -> None:
    params = load_params(REPOSITORY / "params.yaml")
    assert set(params.swaps) == {"ada-on-ben", "ben-on-ada"}


def test_an_unknown_key_is_refused_with_the_nearest_name(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["extraction"]["cut_scor"] = 3
    told = problem(raw)
    assert told.where == "params.yaml, extraction.cut_scor"
    assert "cut_score" in told.mend


def test_an_unknown_key_of_an_entry_is_refused_with_the_nearest_name(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["clips"]["ada"]["identiti"] = "ada"
    told = problem(raw)
    assert told.where == "params.yaml, clips.ada.identiti"
    assert "'identity'" in told.mend


def test_an_unknown_section_is_refused(shipped: dict[str, Any]) -> None:
    told = problem(shipped | {"trainig": {}})
    assert told.where == "params.yaml, trainig"
    assert "'training'" in told.mend


def test_a_wrong_type_names_field_and_value(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["extraction"]["shard_frames"] = "many"
    told = problem(raw)
    assert told.where == "params.yaml, extraction.shard_frames"
    assert "integer" in told.what
    assert "many" in told.what


def test_a_missing_key_is_named(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    del raw["clips"]["ada"]["path"]
    assert problem(raw).where == "params.yaml, clips.ada.path"


def test_a_pair_of_one_identity_is_refused(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["pairs"]["ada-ben"]["b"] = "ada"
    told = problem(raw)
    assert "pairs.ada-ben" in told.where
    assert "two identities" in told.what


@pytest.mark.parametrize(
    ("companion", "told"),
    [
        ({"pair": "ada-bem", "identity": "cyd"}, r"companions\.x\.pair: there is no 'ada-bem'; did you mean 'ada-ben'"),
        ({"pair": "ada-ben", "identity": "cyf"}, r"companions\.x\.identity: there is no 'cyf'; did you mean 'cyd'"),
        ({"pair": "ada-ben", "identity": "ada"}, r"'ada' is of pair 'ada-ben' itself; known: cyd"),
    ],
)
def test_a_companion_is_somebody_else_of_a_known_pair(
    shipped: dict[str, Any], companion: dict[str, str], told: str
) -> None:
    raw = copy.deepcopy(shipped)
    raw["identities"]["cyd"] = {}
    raw["companions"] = {"x": companion}
    assert re.search(told, str(problem(raw)))


def test_nobody_joins_a_pair_twice(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["identities"]["cyd"] = {}
    raw["companions"] = {key: {"pair": "ada-ben", "identity": "cyd"} for key in ("x", "y")}
    assert "'cyd' joins pair 'ada-ben' twice" in problem(raw).what


@pytest.mark.parametrize(
    ("section", "item", "field"),
    [
        ("clips", "ada", "identity"),
        ("pairs", "ada-ben", "a"),
        ("swaps", "ada-on-ben", "pair"),
        ("swaps", "ada-on-ben", "clip"),
        ("swaps", "ada-on-ben", "truth"),
        ("truths", "ada-on-ben", "performer"),
        ("truths", "ada-on-ben", "performance"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(shipped: dict[str, Any], section: str, item: str, field: str) -> None:
    raw = copy.deepcopy(shipped)
    raw[section][item][field] = "nobody"
    told = problem(raw)
    assert f"{section}.{item}.{field}" in told.where
    assert "nobody" in told.what


def test_a_swap_keeps_to_its_pair_and_to_its_target(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["swaps"]["ada-on-ben"]["clip"] = "ada"
    assert "shows 'ada'" in problem(raw).what
    raw["swaps"]["ada-on-ben"] |= {"clip": "ben", "source": "ben"}
    assert "must be the two of pair" in problem(raw).what


def test_a_name_must_be_fit_for_files_and_targets(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["identities"]["Ada Lovelace"] = {}
    assert "Ada Lovelace" in problem(raw).where


def test_missing_and_broken_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not there"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1")
    with pytest.raises(Problem, match="no YAML"):
        load_params(tmp_path / "params.yaml")


def test_settings_in_another_encoding_are_told(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("# caf\u00e9\n".encode("latin-1"))
    with pytest.raises(Problem, match="text is UTF-8"):
        load_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_could_not_be_written_down_with_a_model_is_refused(shipped: dict[str, Any], value: float) -> None:
    raw = copy.deepcopy(shipped)
    raw["training"]["presets"]["demo"]["optimiser"]["clip"] = value
    assert "training.presets.demo.optimiser.clip" in problem(raw).where


def test_a_decay_that_would_keep_the_first_moment_for_ever_is_refused(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    raw["training"]["presets"]["demo"]["optimiser"]["betas"] = [1.0, 0.99]
    found = problem(raw)
    assert found.where.endswith("training.presets.demo.optimiser.betas.0")
    assert "less than 1 (it is 1.0)" in found.what


def test_a_loss_of_which_no_term_has_a_weight_is_refused(shipped: dict[str, Any]) -> None:
    raw = copy.deepcopy(shipped)
    demo = raw["training"]["presets"]["demo"]
    demo["losses"] = dict.fromkeys(("l1", "ssim", "gradient", "mask"), 0.0)  # a chart alone draws nobody
    found = problem(raw)
    assert found.where.endswith("training.presets.demo.losses")
    assert "no term has a weight" in found.what
    for term in ("mask", "identity"):
        demo["losses"] |= {"mask": 0.0, term: 0.1}
        parse(Params, raw, where="params.yaml")


def test_a_value_that_holds_another_a_billion_times_is_told_shortly(shipped: dict[str, Any]) -> None:
    aliases = "".join(f", &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10))
    raw = copy.deepcopy(shipped) | {"clips": yaml.safe_load(f"[&a0 [x]{aliases}]")}
    assert len(str(problem(raw))) < 400


def test_dvc_knows_all_that_a_training_depends_on() -> None:
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    told = {
        name for each in stages["training"]["do"]["params"] for name in (each if isinstance(each, dict) else [each])
    }
    aside = {"presets", "checkpoint_seconds"}  # the chosen preset is told apart; the other moves no byte
    assert {f"training.{name}" for name in TrainingSettings.model_fields if name not in aside} <= told


def test_an_unknown_item_is_told_with_the_nearest(shipped: dict[str, Any]) -> None:
    params = parse(Params, shipped, where="params.yaml")
    with pytest.raises(Problem, match="ada-on-ben"):
        params.swap("ada-on-bem")


@pytest.mark.parametrize("name", ["08", "1e2", "12", "01_08", "2026-11-30"])
def test_a_name_that_is_no_text_to_dvc_is_refused_unless_it_is_quoted(tmp_path: Path, name: str) -> None:
    path = tmp_path / "params.yaml"
    text = (REPOSITORY / "params.yaml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("  ben: {identity: ben"))

    def told(key: str, identity: str) -> Problem:
        path.write_text(text.replace(line, f"{line}\n  {key}: {{identity: {identity}, path: two.mp4}}"))
        with pytest.raises(Problem) as caught:
            load_params(path)
        return caught.value

    assert "is a number to DVC, and no name" in told(name, "ben").what
    assert str(told(name, "ben").where).startswith(f"{path}, clips.")
    named = told(f"'{name}'", name)
    assert "is a number to DVC, and no name" in named.what
    assert str(named.where).endswith(f"clips.{name}.identity")
    path.write_text(text.replace(line, f"{line}\n  '{name}': {{identity: ben, path: two.mp4}}"))
    assert load_params(path).clip(name).path == Path("two.mp4")
