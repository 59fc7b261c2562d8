"""Smoothing over time: never over a cut, in seconds rather than frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stages.compositing.steadiness import Alike, Believed, Weights, runs, smoothed


def table(shots: list[int], tracks: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"frame": range(len(shots)), "shot": shots, "track": tracks or [0] * len(shots)})


def seconds(count: int, rate: int = 25) -> np.ndarray:
    return np.arange(count) / rate


def test_a_constant_stays_and_a_spike_spreads() -> None:
    (run,) = runs(table([0] * 31))
    weights = Weights(seconds(31), [run], 0.08)
    np.testing.assert_allclose(smoothed(np.full(31, 3.0), weights), 3.0)
    spike = np.zeros(31)
    spike[15] = 1.0
    spread = smoothed(spike, weights)
    assert 0.05 < spread[14] < spread[15] < 0.5
    assert spread[14] == pytest.approx(spread[16])


def test_nothing_is_smoothed_over_a_cut_or_between_people() -> None:
    faces = table([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1])
    values = np.array([1.0, 1.0, 5.0, 9.0, 9.0, 9.0])
    weights = Weights(seconds(6), runs(faces), 1.0)
    np.testing.assert_allclose(smoothed(values, weights), values)


def test_twice_the_frame_rate_takes_twice_the_neighbours() -> None:
    (run,) = runs(table([0] * 101))
    slow, fast = (len(Weights(seconds(101, rate), [run], 0.2)[50]) for rate in (25, 50))
    assert fast == pytest.approx(2 * slow, abs=2)


def test_no_sigma_is_frame_by_frame() -> None:
    (run,) = runs(table([0] * 5))
    assert dict(Weights(seconds(5), [run], 0.0)) == {i: [(i, 1.0)] for i in range(5)}


def test_rows_in_any_order_are_joined_by_time() -> None:
    faces = table([0] * 6).iloc[[3, 1, 5, 0, 2, 4]]
    (run,) = runs(faces)
    assert faces.reset_index(drop=True).loc[run, "frame"].tolist() == [0, 1, 2, 3, 4, 5]


def test_what_could_not_be_measured_lends_its_neighbours_nothing() -> None:
    (run,) = runs(table([0] * 31))
    weights = Weights(seconds(31), [run], 0.2)
    shares = np.full(31, 0.4)
    shares[10:20] = 0.0  # a hand over the whole face
    values = np.where(shares > 0, 1.0, 99.0)
    believed = Believed(weights, shares)
    assert set(believed) == set(range(31))
    for row in range(31):
        assert sum(weight for _, weight in believed[row]) == pytest.approx(1.0)
    np.testing.assert_allclose(smoothed(values, believed), 1.0)
    assert smoothed(values, weights)[9] > 10.0
    even = Believed(weights, np.full(31, 0.4))
    np.testing.assert_allclose(smoothed(values, even), smoothed(values, weights))
    nothing = Believed(weights, np.zeros(31))
    np.testing.assert_allclose(smoothed(values, nothing), smoothed(values, weights))


def test_a_flash_neither_lends_nor_borrows() -> None:
    (run,) = runs(table([0] * 31))
    weights = Weights(seconds(31), [run], 0.2)
    levels = np.where(np.arange(31) == 15, 0.5, 0.0)
    alike = Alike(weights, levels, 0.06)
    assert set(alike) == set(range(31))
    for row in range(31):
        assert sum(weight for _, weight in alike[row]) == pytest.approx(1.0)
    np.testing.assert_allclose(smoothed(levels, alike), levels, atol=1e-9)
    assert smoothed(levels, weights)[15] < 0.1


def test_in_steady_light_neighbours_count_as_ever() -> None:
    (run,) = runs(table([0] * 31))
    weights = Weights(seconds(31), [run], 0.2)
    values = np.random.default_rng(0).normal(size=31)
    np.testing.assert_allclose(smoothed(values, Alike(weights, np.full(31, -1.0), 0.06)), smoothed(values, weights))
    noise = np.random.default_rng(1).normal(0, 0.003, 31)
    np.testing.assert_allclose(smoothed(values, Alike(weights, noise, 0.06)), smoothed(values, weights), atol=0.02)


def test_light_that_could_not_be_told_is_everybodys() -> None:
    (run,) = runs(table([0] * 31))
    weights = Weights(seconds(31), [run], 0.2)
    levels = np.where(np.arange(31) == 15, np.nan, 0.0)
    values = np.random.default_rng(0).normal(size=31)
    np.testing.assert_allclose(smoothed(values, Alike(weights, levels, 0.06)), smoothed(values, weights))
