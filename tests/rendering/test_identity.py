"""Identities: deterministic, adult, spread wide, and refused with the field's name when wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stages.problems import Problem
from stages.rendering.identity import Identity
from stages.rendering.shapes import CONTROLS


@given(st.integers(0, 2**31))
def test_every_seed_is_an_adult_within_all_ranges_and_always_the_same(seed: int) -> None:
    identity = Identity.from_seed(seed)
    assert identity.age >= 18.0
    assert identity == Identity.from_seed(seed)
    assert np.isclose(identity.african + identity.asian + identity.european, 1.0)
    assert all(abs(identity.shape[name]) <= CONTROLS[name].spread + 1e-4 for name in identity.shape)


def test_a_file_replaces_fields_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "eve.yaml"
    path.write_text(yaml.safe_dump({"seed": 7, "age": 40.0, "shape": {"nose-hump": 0.5}}))
    identity, plain = Identity.from_file(path), Identity.from_seed(7)
    assert (identity.age, identity.shape["nose-hump"]) == (40.0, 0.5)
    assert identity.shape["chin-width"] == plain.shape["chin-width"]
    assert identity.iris_colour == plain.iris_colour


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    identity = Identity.from_seed(3)
    path = tmp_path / "three.yaml"
    path.write_text(yaml.safe_dump(identity.model_dump(mode="json")))
    assert Identity.from_file(path) == identity


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("age", 12.0, "age"),
        ("agee", 30.0, "did you mean 'age'"),
        ("shape", {"nose-lenght": 0.1}, "nose-lenght"),
        ("shape", {"head-round": -0.5}, "head-round"),
        ("hair_style", "mohawk", "hair_style"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object, told: str) -> None:
    with pytest.raises(Problem, match=told):
        Identity.from_settings(1, {field: value}, where="params.yaml, performers.eve")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"nobody\.yaml"):
        Identity.from_file(tmp_path / "nobody.yaml")


def test_neighbouring_seeds_differ_in_shape_far_more_than_half_a_spread() -> None:
    names = sorted(name for name, control in CONTROLS.items() if not control.one_sided)
    shapes = np.array([[Identity.from_seed(seed).shape.get(name, 0.0) for name in names] for seed in range(12)])
    spreads = np.array([CONTROLS[name].spread for name in names])
    apart = np.sqrt((((shapes[:, None] - shapes[None]) / spreads) ** 2).mean(-1))
    assert apart[~np.eye(12, dtype=bool)].min() > 0.75
