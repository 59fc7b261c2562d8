"""Grain: how much there is, that the face gets the film's own, and that the target's features stay behind."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.grain import grained, parted, strength

Plane = NDArray[np.float32]

SIDE = 96
EVERYWHERE = np.ones((SIDE, SIDE), dtype=bool)
LARGEST = 255.0


def noise(deviation: float, seed: int = 1) -> Plane:
    return np.random.default_rng(seed).normal(0.0, deviation, (SIDE, SIDE)).astype(np.float32)


def form() -> Plane:
    """A ramp with a step in it."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.asarray(100 + 0.5 * x + 0.2 * y + 40 * (x > 50), np.float32)


def plane(deviation: float, seed: int = 1) -> Plane:
    return form() + noise(deviation, seed)


def flat(deviation: float, seed: int = 1) -> Plane:
    return np.float32(100.0) + noise(deviation, seed)


@given(deviation=st.floats(0.5, 12.0), seed=st.integers(0, 99))
@hypothesis_settings(max_examples=25, deadline=None)
def test_the_strength_is_the_noises_whatever_lies_under_it(deviation: float, seed: int) -> None:
    assert strength(plane(deviation, seed), EVERYWHERE) == pytest.approx(deviation, rel=0.1)


@given(target=st.floats(2.0, 10.0), layer=st.floats(0.0, 0.95), share=st.floats(0.0, 1.0))
@hypothesis_settings(max_examples=25, deadline=None)
def test_the_face_gets_what_it_lacks(target: float, layer: float, share: float) -> None:
    own, asked = flat(layer * target, 2), flat(target)
    missing = strength(asked, EVERYWHERE) ** 2 - strength(own, EVERYWHERE) ** 2
    wanted = np.hypot(strength(own, EVERYWHERE), share * np.sqrt(max(missing, 0.0)))
    found = grained(own, asked, EVERYWHERE, share, LARGEST)
    assert strength(found, EVERYWHERE) == pytest.approx(wanted, rel=0.1, abs=0.1)


@given(target=st.floats(1.0, 8.0), layer=st.floats(1.1, 4.0), share=st.floats(0.0, 1.0))
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_noisier_face_loses_what_it_has_more(target: float, layer: float, share: float) -> None:
    own, asked = flat(layer * target, 2), flat(target)
    has, wanted = strength(own, EVERYWHERE), strength(asked, EVERYWHERE)
    found = strength(grained(own, asked, EVERYWHERE, share, 1e4), EVERYWHERE)
    assert found == pytest.approx(has + share * (wanted - has), rel=0.2)
    assert found <= has


@pytest.mark.parametrize(("sigma", "least"), [(0.0, 0.85), (0.5, 0.6), (0.8, 0.4), (1.2, 0.22)])
def test_the_grain_is_the_films_own_and_as_coarse(sigma: float, least: float) -> None:
    """What is added is the very noise of the target, at the same places; of coarser noise, the finer part of it."""
    grain = noise(4.0)
    if sigma:
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), sigma), np.float32)
        grain *= 4.0 / grain.std()
    added = grained(form(), form() + grain, EVERYWHERE, 1.0, LARGEST) - form()
    away = np.abs(np.arange(SIDE) - 50) > 8  # from the step
    share = added[:, away].std() / grain[:, away].std()
    assert least < share < 1.1
    finer = grain - cv2.GaussianBlur(grain, (0, 0), 1.5)
    assert np.corrcoef(added[:, away].ravel(), finer[:, away].ravel())[0, 1] > 0.93


def test_the_targets_features_stay_with_the_target() -> None:
    """A lid's edge of 40 code values, in a film with little noise, leaves no ghost on the face."""
    face = np.full((SIDE, SIDE), 120, np.float32)
    added = grained(face, plane(1.0), EVERYWHERE, 1.0, LARGEST) - face
    assert np.abs(added).max() < 5.0
    assert added[:, 46:56].std() < 1.5
    assert strength(added, EVERYWHERE) == pytest.approx(1.0, rel=0.2)


def test_texture_comes_over_by_its_share() -> None:
    """Pores are stronger than the noise, and everywhere; a feature is in one place, and stays all the same."""
    smooth = np.arange(SIDE) > 70
    pores = np.asarray(np.where(smooth, 0.0, coarser(noise(12.0, 5))) + noise(0.5, 6), np.float32)
    target, face = form() + pores, np.full((SIDE, SIDE), 120, np.float32)
    added = [grained(face, target, EVERYWHERE, 1.0, LARGEST, share) - face for share in (0.0, 0.5, 1.0)]
    away = (np.abs(np.arange(SIDE) - 50) > 8) & ~smooth
    deviations = [float(each[:, away].std()) for each in added]
    assert deviations[0] < 0.7 * deviations[1] < 0.7 * deviations[2]
    assert np.corrcoef(added[2][:, away].ravel(), pores[:, away].ravel())[0, 1] > 0.7
    assert np.abs(added[2]).max() < 20.0
    alone = grained(face, target, EVERYWHERE, 0.0, LARGEST, 1.0) - face
    assert alone[:, away].std() == pytest.approx(deviations[2] - deviations[0], rel=0.3)


def coarser(values: Plane) -> Plane:
    """Coarser, by a mean of four."""
    return np.asarray((values + np.roll(values, 1, 0) + np.roll(values, 1, 1) + np.roll(values, (1, 1), (0, 1))) / 4)


def test_where_there_is_too_little_to_tell_the_face_is_left() -> None:
    few = np.zeros((SIDE, SIDE), dtype=bool)
    few[:7, :7] = True
    np.testing.assert_array_equal(grained(plane(1.0), plane(5.0), few, 1.0, LARGEST), plane(1.0))
    np.testing.assert_array_equal(grained(plane(1.0), plane(5.0), EVERYWHERE, 0.0, LARGEST), plane(1.0))
    assert not parted(plane(3.0), 0.0).any()


def test_the_same_film_gives_the_same_grain() -> None:
    first, again = (grained(form(), plane(4.0), EVERYWHERE, 1.0, LARGEST) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("x", [30, 160, 300])
def test_what_passes_before_a_large_face_does_not_take_its_grain(x: int) -> None:
    """A hand before the middle of a face, where its grain is told by."""
    rng = np.random.default_rng(2)
    target = (100 + rng.normal(0, 4.0, (700, 560))).astype(np.float32)
    face = np.ones((700, 560), bool)
    face[220:480, x : x + 240] = False
    assert strength(target, face) == pytest.approx(4.0, rel=0.1)
    added = grained(np.full_like(target, 100.0), target, face, 1.0, LARGEST) - 100.0
    assert added[face].std() > 3.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("level", [0.0, 16.0])
def test_a_face_that_is_black_for_the_most_part_is_finite(seed: int, level: float) -> None:
    target = np.full((SIDE, SIDE), level, np.float32)
    target[:, :20] += np.abs(noise(6.0, seed))[:, :20]
    found = grained(form(), target, EVERYWHERE, 1.0, LARGEST, 0.5)
    assert np.isfinite(found).all()
