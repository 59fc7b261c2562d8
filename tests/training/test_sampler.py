"""Batches are a pure function of seed and iteration."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.training.sampler import Sampler, pose_weights


def alike(count: int) -> np.ndarray:
    return pose_weights(np.zeros(count), np.zeros(count), 0.0)


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


def test_a_rare_pose_is_drawn_as_often_as_a_common_one_when_balanced() -> None:
    yaw = np.array([0.0] * 90 + [40.0] * 10)
    weights = pose_weights(yaw, np.zeros(100), 1.0)
    sampler = Sampler(weights, 100, 0, 0)
    drawn = np.concatenate([sampler.draw(i) for i in range(20)])
    assert abs(np.mean(drawn >= 90) - 0.5) < 0.02
    assert set(drawn) == set(range(100))
    np.testing.assert_allclose(pose_weights(yaw, np.zeros(100), 0.0), 0.01)
