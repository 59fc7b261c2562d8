"""Batches are a pure function of seed and iteration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.training.sampler import Sampler, weights_of


def alike(count: int) -> np.ndarray:
    return weights_of(np.zeros((count, 2)), np.zeros((count, 3)), 0.0, 0.0)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5), st.integers(0, 2**31 - 1))
def test_each_epoch_holds_every_face_once(count: int, batch: int, epoch: int, seed: int) -> None:
    sampler = Sampler(alike(count), batch, seed, 0)
    drawn = np.concatenate([sampler.draw(i) for i in range(-(-(epoch + 1) * count // batch))])
    assert sorted(drawn[epoch * count : (epoch + 1) * count]) == list(range(count))


@given(st.integers(1, 40), st.integers(1, 70), st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_a_batch_does_not_depend_on_those_drawn_before(count: int, batch: int, iterations: list[int]) -> None:
    used = Sampler(alike(count), batch, 7, 1)
    for iteration in iterations:
        fresh = Sampler(alike(count), batch, 7, 1)
        np.testing.assert_array_equal(used.draw(iteration), fresh.draw(iteration))


def test_seeds_and_streams_differ() -> None:
    draws = [Sampler(alike(50), 50, seed, stream).draw(0) for seed, stream in ((0, 0), (0, 1), (1, 0))]
    assert len({tuple(draw) for draw in draws}) == 3


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [("pose", 0, 40.0), ("pose", 1, -25.0), ("expression", 0, 0.4), ("expression", 1, 0.3), ("expression", 2, -0.2)],
)
def test_a_rare_pose_or_expression_is_drawn_as_often_as_a_common_one_when_balanced(
    kind: str, column: int, value: float
) -> None:
    faces = {"pose": np.zeros((100, 2)), "expression": np.zeros((100, 3))}
    faces[kind][90:, column] = value
    balances = (1.0, 0.0) if kind == "pose" else (0.0, 1.0)
    weights = weights_of(faces["pose"], faces["expression"], *balances)
    sampler = Sampler(weights, 100, 0, 0)
    drawn = np.concatenate([sampler.draw(i) for i in range(20)])
    assert abs(np.mean(drawn >= 90) - 0.5) < 0.02
    assert set(drawn) == set(range(100))
    np.testing.assert_allclose(weights_of(faces["pose"], faces["expression"], *balances[::-1]), 0.01)


def test_who_is_rare_in_both_is_drawn_for_both() -> None:
    pose, expression = np.zeros((100, 2)), np.zeros((100, 3))
    pose[:20, 0], expression[10:30, 0] = 40.0, 0.4
    weights = weights_of(pose, expression, 0.5, 0.5)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[15] / weights[50] == pytest.approx(weights[5] / weights[50] * weights[25] / weights[50])
    assert weights[5] / weights[50] == pytest.approx((80 / 20) ** 0.5)
