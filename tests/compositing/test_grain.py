"""Grain: how much there is, that the face gets as much, and the same in every run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.grain import grained, strength

EVERYWHERE = np.ones((96, 96), dtype=bool)


def plane(deviation: float, seed: int = 1) -> NDArray[np.float32]:
    """A ramp with a step in it, and noise."""
    y, x = np.mgrid[:96, :96]
    noise = np.random.default_rng(seed).normal(0.0, deviation, (96, 96)) if deviation else 0.0
    return np.asarray(100 + 0.5 * x + 0.2 * y + 40 * (x > 50) + noise, np.float32)


@given(deviation=st.floats(0.5, 12.0), seed=st.integers(0, 99))
@hypothesis_settings(max_examples=25, deadline=None)
def test_the_strength_is_the_noises_whatever_lies_under_it(deviation: float, seed: int) -> None:
    assert strength(plane(deviation, seed), EVERYWHERE) == pytest.approx(deviation, rel=0.1)


@given(target=st.floats(2.0, 10.0), layer=st.floats(0.0, 1.0), share=st.floats(0.0, 1.0))
@hypothesis_settings(max_examples=25, deadline=None)
def test_the_face_gets_what_it_lacks(target: float, layer: float, share: float) -> None:
    own, asked = plane(layer * target, 2), plane(target)
    missing = strength(asked, EVERYWHERE) ** 2 - strength(own, EVERYWHERE) ** 2
    wanted = np.hypot(strength(own, EVERYWHERE), share * np.sqrt(max(missing, 0.0)))
    found = grained(own, asked, EVERYWHERE, share, 255.0, (3,))
    assert strength(found, EVERYWHERE) == pytest.approx(wanted, rel=0.1, abs=0.1)


def test_a_noisier_face_and_one_too_small_to_tell_are_left() -> None:
    noisy, few = plane(5.0), np.zeros((96, 96), dtype=bool)
    few[:5, :5] = True
    np.testing.assert_array_equal(grained(noisy, plane(1.0), EVERYWHERE, 1.0, 255.0, (3,)), noisy)
    np.testing.assert_array_equal(grained(plane(1.0), noisy, few, 1.0, 255.0, (3,)), plane(1.0))


def test_the_same_seed_gives_the_same_grain_and_another_frame_another() -> None:
    first, again, other = (grained(plane(0.0), plane(4.0), EVERYWHERE, 1.0, 255.0, (n, 0, 0)) for n in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.corrcoef((first - plane(0.0)).ravel(), (other - plane(0.0)).ravel())[0, 1] < 0.1
