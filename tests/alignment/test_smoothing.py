"""The filter takes jitter away and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.alignment.smoothing import Bridges, Window, parameters_of, places_of, smooth, smooth_window, transforms_of

STILL = np.zeros((60, 1))
SURE = np.ones(60)


@settings(max_examples=40, deadline=None)
@given(st.floats(-5, 5), st.floats(-1, 1), st.floats(-0.1, 0.1), st.floats(0.5, 5))
def test_even_and_accelerating_movements_pass_unchanged(a: float, b: float, c: float, sigma: float) -> None:
    time = np.arange(60.0)
    track = np.column_stack([a + b * time + c * time**2, -time])
    np.testing.assert_allclose(smooth(track, SURE, STILL, sigma), track, atol=1e-6)


def test_jitter_is_taken_away() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 3))
    steady = smooth(noise, SURE, STILL, 2.5)
    assert steady.std() < 0.6 * noise.std()
    assert np.diff(steady, 2, axis=0).std() < 0.15 * np.diff(noise, 2, axis=0).std()


def test_there_is_no_lag() -> None:
    wave = np.sin(np.arange(60) / 6.0)[:, None]
    steady = smooth(wave, SURE, STILL, 2.0)
    shifts = [np.corrcoef(steady[10:50, 0], wave[10 + shift : 50 + shift, 0])[0, 1] for shift in (-2, -1, 0, 1, 2)]
    assert int(np.argmax(shifts)) == 2


def test_a_jump_stays_a_jump() -> None:
    jump = np.where(np.arange(60) < 30, 0.0, 10.0)[:, None]
    np.testing.assert_allclose(smooth(jump, SURE, jump * 10, 2.5), jump, atol=1e-6)


def test_unsure_frames_count_little() -> None:
    track, sure = np.zeros((60, 1)), SURE.copy()
    track[30], sure[30] = 100.0, 0.0
    assert np.abs(smooth(track, sure, STILL, 2.0)).max() < 1.0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_runs(count: int) -> None:
    track = np.arange(float(count))[:, None]
    np.testing.assert_allclose(smooth(track, np.ones(count), np.zeros((count, 1)), 2.0), track, atol=1e-9)


def test_doubtful_rows_are_bridged() -> None:
    values = np.array([[0.0], [1.0], [99.0], [99.0], [4.0], [99.0]])
    sure = np.array([1, 1, 0.1, 0.2, 1, 0.1])
    crossed = Bridges.over(sure, 0.5).crossed(slice(0, 6), values.__getitem__)
    np.testing.assert_allclose(crossed[:, 0], [0, 1, 2, 3, 4, 4])
    np.testing.assert_array_equal(Bridges.over(np.zeros(6), 0.5).crossed(slice(0, 6), values.__getitem__), values)


@given(st.lists(st.sampled_from([0.1, 0.9]), min_size=1, max_size=30), st.data())
def test_a_part_is_bridged_as_in_the_whole_run(sure: list[float], data: st.DataObject) -> None:
    """However far the sure frames on either side are from it; and only the frames that it needs are asked for."""
    values = np.random.default_rng(0).normal(size=(len(sure), 2)).astype(np.float32)
    start = data.draw(st.integers(0, len(sure) - 1))
    stop = data.draw(st.integers(start + 1, len(sure)))
    bridges = Bridges.over(np.array(sure), 0.5)
    whole = bridges.crossed(slice(0, len(sure)), values.__getitem__)
    asked: list[int] = []

    def some(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return values[rows]

    part = bridges.crossed(slice(start, stop), some)
    assert part.dtype == values.dtype
    np.testing.assert_array_equal(part, whole[start:stop])
    known = [sure[row] > 0.5 for row in asked]
    assert all(known) or max(sure) < 0.5


@given(st.integers(1, 60), st.sampled_from([0.0, 0.4, 0.8, 3.0]), st.data())
def test_a_part_is_steadied_as_in_the_whole_run(count: int, sigma: float, data: st.DataObject) -> None:
    rng = np.random.default_rng(count)
    values, places, sure = rng.normal(size=(count, 3)), rng.normal(size=(count, 2)), rng.uniform(0, 1, count)
    start = data.draw(st.integers(0, count - 1))
    window = Window.of(count, start, data.draw(st.integers(start + 1, count + 5)), sigma)
    part = smooth_window(values[window.leant], window, sure, places, sigma)
    whole = smooth(values, sure, places, sigma)
    np.testing.assert_allclose(part, whole[window.start : window.stop], rtol=1e-9, atol=1e-12)


def test_transforms_go_round() -> None:
    rng = np.random.default_rng(0)
    parameters = np.column_stack([rng.uniform(0, 600, (9, 2)), rng.uniform(3, 6, 9), np.linspace(-3, 6, 9)])
    np.testing.assert_allclose(parameters_of(transforms_of(parameters))[:, :3], parameters[:, :3], atol=1e-9)
    np.testing.assert_allclose(transforms_of(parameters_of(transforms_of(parameters))), transforms_of(parameters))


def test_places_are_measured_by_the_crops_size() -> None:
    small = np.array([[0.0, 0, np.log(100), 0], [2.0, 0, np.log(100), 0]])
    large = np.array([[0.0, 0, np.log(400), 0], [8.0, 0, np.log(400), 0]])
    for parameters in (small, large):
        assert np.linalg.norm(np.diff(places_of(parameters), axis=0)) == pytest.approx(1.0)
