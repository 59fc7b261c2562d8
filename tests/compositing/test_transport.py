"""Transport of colours: distributions come out as asked, within bounds, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.colour import LARGEST_GAIN, Statistics, to_space
from stages.compositing.recolouring import between, recolouring
from stages.compositing.settings import ColourSettings
from stages.compositing.transport import SAMPLES, Transporting, curves, samples
from tests.compositing.test_colour import EVERYWHERE, picture

METHODS: list[Transporting] = ["histogram", "sliced"]
EVEN = np.ones(2000)
RANKS = np.linspace(0.05, 0.95, 19)


def cloud(seed: int, base: tuple[float, float, float], spread: float = 0.06) -> NDArray[np.float64]:
    """Colours in log RGB."""
    return np.asarray(to_space(picture(seed, base, spread).reshape(-1, 3)[:2000], "covariance"), np.float64)


def after(source: NDArray[np.float64], target: NDArray[np.float64], method: Transporting) -> NDArray[np.float64]:
    """The source's colours once they have the target's distribution, in log RGB."""
    rgb = (np.exp(source) - 0.05).astype(np.float32)
    moved = curves(source, target, EVEN, method, 1.0).applied(rgb)
    return np.asarray(to_space(moved, "covariance"), np.float64)


@pytest.mark.parametrize("method", METHODS)
def test_every_channel_takes_the_targets_histogram(method: Transporting) -> None:
    source, target = cloud(1, (0.6, 0.45, 0.4)), cloud(2, (0.5, 0.35, 0.3), 0.055)
    for now, wanted in zip(after(source, target, method).T, target.T, strict=True):
        np.testing.assert_allclose(np.quantile(now, RANKS), np.quantile(wanted, RANKS), atol=0.02)


def test_only_sliced_matches_what_is_seen_from_aside() -> None:
    """The target's channels hang together otherwise: along a slanting direction, histograms of channels say nothing."""
    source, target = cloud(1, (0.5, 0.45, 0.4), 0.03), cloud(2, (0.5, 0.45, 0.4), 0.03)
    target[:1000, 2] = target[999::-1, 2]
    slanting = np.array([0.7, 0.0, -0.7])

    def apart(values: NDArray[np.float64]) -> float:
        mine, his = (np.quantile(each @ slanting, RANKS) for each in (values, target))
        return float(np.abs(mine - his).mean())

    assert apart(after(source, target, "sliced")) < 0.5 * apart(after(source, target, "histogram"))


@given(seed=st.integers(0, 1000), spread=st.floats(0.0, 0.15), method=st.sampled_from(METHODS))
@hypothesis_settings(max_examples=25, deadline=None)
def test_no_difference_of_colours_is_stretched_beyond_the_bound(seed: int, spread: float, method: Transporting) -> None:
    """So noise and the grain of a picture can not be torn up, whatever the target."""
    source = cloud(seed, (0.6, 0.45, 0.4), 0.02)
    made = curves(source, cloud(seed + 1, (0.4, 0.4, 0.4), spread), EVEN, method, 1.0)
    rgb = np.random.default_rng(seed).uniform(0.3, 0.6, (200, 3)).astype(np.float32)
    before, now = (np.asarray(to_space(each, "covariance"), np.float64) for each in (rgb, made.applied(rgb)))
    free = ((made.applied(rgb) > 0) & (made.applied(rgb) < 1)).all(axis=1)  # of those that were not cut
    before, now = before[free], now[free]
    stretched = np.linalg.norm(np.diff(now, axis=0), axis=1) / np.linalg.norm(np.diff(before, axis=0), axis=1)
    largest = LARGEST_GAIN if method == "histogram" else LARGEST_GAIN**2
    assert (stretched <= largest * 1.001).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_colours_are_left_alone(method: Transporting) -> None:
    same = cloud(3, (0.5, 0.4, 0.35))
    np.testing.assert_allclose(after(same, same, method), same, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_strength_is_a_share_of_the_way(method: Transporting, strength: float) -> None:
    source, target = cloud(1, (0.6, 0.45, 0.4)), cloud(2, (0.4, 0.35, 0.3))
    rgb = (np.exp(source) - 0.05).astype(np.float32)
    part, whole = (
        to_space(curves(source, target, EVEN, method, share).applied(rgb), "covariance") for share in (strength, 1.0)
    )
    np.testing.assert_allclose(part, source + strength * (whole - source), atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_face_of_one_colour_or_an_empty_mask_is_no_accident(method: Transporting) -> None:
    flat, nowhere = np.full((48, 48, 3), 0.5, np.float32), np.zeros((48, 48), np.float32)
    result = between([flat, picture(7, (0.4, 0.3, 0.3), 0.1)], nowhere, ColourSettings(method=method)).applied(flat)
    assert np.isfinite(result).all()
    assert 0.0 <= result.min() <= result.max() <= 1.0


@pytest.mark.parametrize("method", METHODS)
def test_black_brows_stay_black_when_skin_gets_darker(method: Transporting) -> None:
    views = [picture(1, (0.75, 0.5, 0.4), 0.03), picture(2, (0.45, 0.35, 0.3), 0.03)]
    made = between(views, EVERYWHERE, ColourSettings(method=method, strength=1.0))
    assert np.ptp(made.applied(np.full((4, 4, 3), 0.06, np.float32))[0, 0]) < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_faces_before_and_after_count_as_much_as_they_weigh(method: Transporting) -> None:
    """A face whose own target flickers gets what its neighbours get."""
    views = [samples(picture(seed, (0.6, 0.45, 0.4)), EVERYWHERE) for seed in (1, 2, 3)]
    dark = samples(picture(4, (0.3, 0.2, 0.2)), EVERYWHERE)
    colours = np.stack([[views[0], views[1]], [views[0], dark], [views[0], views[2]]])
    asked = ColourSettings(method=method, strength=1.0)
    unused = Statistics(np.zeros(3), np.eye(3))
    rgb = np.full((1, 3), 0.45, np.float32)
    alone, pooled, without = (
        recolouring((unused, unused), colours, near, asked).applied(rgb).mean()
        for near in ([(1, 1.0)], [(0, 0.45), (1, 0.1), (2, 0.45)], [(0, 0.5), (2, 0.5)])
    )
    assert abs(pooled - without) < 0.3 * abs(alone - without)


def test_samples_have_the_masks_colours_alone() -> None:
    face, mask = picture(6, (0.5, 0.4, 0.35)), np.zeros((48, 48), np.float32)
    mask[10:30, 10:30] = 1.0
    blue = face.copy()
    blue[mask == 0] = (0.0, 0.0, 1.0)
    found = samples(blue, mask)
    assert found.shape == (SAMPLES, 3)
    np.testing.assert_array_equal(found, samples(face, mask))
    wanted = to_space(face[10:30, 10:30].reshape(-1, 3), "covariance").mean(axis=0)
    np.testing.assert_allclose(found.astype(np.float64).mean(axis=0), wanted, atol=0.02)
