"""Heads of any shape are set where alignment finds them alike; the model of it, and what a nudge does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from stages.problems import Problem
from stages.rendering.build_placement import NUDGED, OTHERS, STEPS, effect_of_nudges, fit_ridge, measured
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.placement import FREEDOMS, PLACEMENT_FILE, Nudge, Placement


@pytest.fixture(scope="module")
def by_vertices() -> HeadBasis:
    return HeadBasis.load(placement=None)


@given(values=st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_a_nudge_turns_and_scales_a_skull_about_its_middle_and_moves_it(values: list[float]) -> None:
    basis = HeadBasis.load(placement=None)
    nudge = Nudge(np.array(values) * [0.3, 0.3, 0.05, 1, 1, 1])
    before, onto_before = basis.shape(Identity.from_seed(5))
    after, onto_after = basis.shape(Identity.from_seed(5), nudge)
    skull = basis.neck == 1.0
    pivot = basis.shape(Identity.from_seed(5))[0][skull].mean(axis=0)
    turn = Rotation.from_rotvec(nudge.rotation_vector).as_matrix()
    moved = after[skull] - (before[skull] @ (nudge.scale * turn).T)
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-9)  # one and the same for all
    np.testing.assert_allclose(onto_after, nudge.scale * turn @ onto_before, atol=1e-12)
    assert np.abs(after[skull].mean(axis=0) - pivot - nudge.shift).max() < 1.5  # about the head, not about the neck


def test_a_head_of_the_middle_shape_stays_and_any_other_is_moved_against_what_it_seems(by_vertices: HeadBasis) -> None:
    placement = Placement.load()
    np.testing.assert_allclose(placement.of(placement.middle.reshape(68, 3)).values, 0.0, atol=1e-12)
    placed = HeadBasis.load()
    for seed in range(3):
        identity = Identity.from_seed(seed)
        own = by_vertices.shape(identity)[0][by_vertices.weld[by_vertices.landmarks]]
        expected = by_vertices.shape(identity, placement.of(own))[0]
        np.testing.assert_array_equal(placed.shape(identity)[0], expected)


def test_a_ridge_finds_a_linear_rule_and_does_not_trust_noise() -> None:
    chance = np.random.default_rng(0)
    shapes = chance.normal(size=(160, 12)) @ chance.normal(size=(12, 204))
    seen = shapes @ chance.normal(size=(204, 6))
    seen[:, 5] = chance.normal(size=160)
    weights, left = fit_ridge(shapes - shapes.mean(axis=0), seen - seen.mean(axis=0))
    assert (left[:5] < 0.02 * seen.std(axis=0)[:5]).all()
    assert left[5] > 0.9 * seen[:, 5].std()
    predicted = (shapes - shapes.mean(axis=0)) @ weights.T
    assert predicted[:, 5].std() < 0.5 * seen[:, 5].std()


def test_effects_are_differences_for_one_unit() -> None:
    effect = np.random.default_rng(1).normal(size=(6, 6))
    answers = []
    for head in range(len(NUDGED)):
        answers.append(np.full(6, float(head)))
        answers.extend(head + effect[:, freedom] * STEPS[freedom] for freedom in range(6))
    np.testing.assert_allclose(effect_of_nudges(answers), effect)


def test_alignment_finds_placed_heads_nearer_to_each_other() -> None:
    """Three performers that the model was not fitted to."""
    seeds = [*OTHERS][:3]
    loose = np.stack([measured(seed) for seed in seeds]).std(axis=0)
    placed = np.stack([measured(seed, PLACEMENT_FILE) for seed in seeds]).std(axis=0)
    for name in ("y", "scale", "pitch"):
        assert placed[FREEDOMS.index(name)] < 0.8 * loose[FREEDOMS.index(name)], name


def test_a_missing_file_is_told_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="build_placement"):
        HeadBasis.load(placement=tmp_path / "placement.safetensors")
