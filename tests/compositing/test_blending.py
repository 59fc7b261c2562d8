"""Blending: what alpha means, what several bands add, what stays untouched."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.compositing.blending import blend, hidden, multi_band
from stages.compositing.settings import BlendSettings

ALPHA = BlendSettings(method="alpha")
BANDS = BlendSettings(method="multi-band")
GRADIENT = BlendSettings(method="gradient")


def disc(size: int = 96, soft: float = 6.0) -> np.ndarray:
    """A soft disc, exactly 0 outside."""
    y, x = np.mgrid[:size, :size] + 0.5
    away = np.hypot(x - size / 2, y - size / 2)
    return np.clip((size / 3 - away) / soft, 0.0, 1.0).astype(np.float32)


def noise(seed: int, size: int = 96) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (size, size)).astype(np.float32)


def test_alpha_is_a_weighted_mean() -> None:
    target, layer = np.full((8, 8), 100, np.float32), np.full((8, 8), 200, np.float32)
    np.testing.assert_allclose(blend(target, layer, np.full((8, 8), 0.25, np.float32), ALPHA), 125.0)


@pytest.mark.parametrize("settings", [ALPHA, BANDS, GRADIENT], ids=lambda s: s.method)
def test_where_the_mask_is_nothing_the_target_is_left_bit_for_bit(settings: BlendSettings) -> None:
    target, alpha = noise(1), disc()
    result = blend(target, noise(2), alpha, settings)
    assert (result[alpha == 0] == target[alpha == 0]).all()
    assert (result[alpha == 1] != target[alpha == 1]).any()


@given(height=st.integers(3, 70), width=st.integers(3, 70), bands=st.integers(2, 8))
@hypothesis_settings(max_examples=25, deadline=None)
def test_bands_of_equal_pictures_sum_to_the_picture(height: int, width: int, bands: int) -> None:
    picture = np.random.default_rng(height * 71 + width).uniform(0, 255, (height, width)).astype(np.float32)
    alpha = np.random.default_rng(bands).uniform(0, 1, (height, width)).astype(np.float32)
    np.testing.assert_allclose(multi_band(picture, picture, alpha, bands), picture, atol=1e-3)


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, 0), (1.0, 1)])
def test_a_constant_mask_chooses_one_picture(alpha: float, expected: int) -> None:
    pictures = noise(3), noise(4)
    result = multi_band(*pictures, np.full((96, 96), alpha, np.float32), 4)
    np.testing.assert_allclose(result, pictures[expected], atol=1e-3)


def test_several_bands_hide_a_step_in_brightness_that_a_hard_alpha_shows() -> None:
    target, layer = np.full((96, 96), 100, np.float32), np.full((96, 96), 140, np.float32)
    hard = disc(soft=1e-3)
    steps = [
        float(np.abs(np.diff(result, axis=1)).max())
        for result in (blend(target, layer, hard, ALPHA), multi_band(target, layer, hard, 5))
    ]
    assert steps[0] == pytest.approx(40.0)
    assert steps[1] < 25.0


def test_several_bands_keep_texture_crisp_up_to_the_edge() -> None:
    """Just inside a wide edge, the layer's fine grain stays stronger than under one wide alpha of the same width."""
    grain = noise(5) - 127.5
    flat, alpha = np.full((96, 96), 127.5, np.float32), cv2.GaussianBlur(disc(soft=1e-3), (0, 0), 8)
    ring = (alpha > 0.55) & (alpha < 0.8)
    sharp = disc(soft=1e-3)
    banded, single = multi_band(flat, flat + grain, sharp, 4), blend(flat, flat + grain, alpha, ALPHA)
    assert banded[ring].std() > 1.15 * single[ring].std()


@pytest.mark.parametrize("settings", [ALPHA, BANDS, GRADIENT], ids=lambda s: s.method)
def test_no_opacity_is_the_target(settings: BlendSettings) -> None:
    target = noise(6)
    clear = settings.model_copy(update={"opacity": 0.0})
    assert (blend(target, noise(7), disc(), clear) == target).all()


@pytest.mark.parametrize("settings", [ALPHA, BANDS, GRADIENT], ids=lambda s: s.method)
@pytest.mark.parametrize("opacity", [0.1, 0.2, 0.5, 0.8])
def test_opacity_is_the_share_of_the_whole_replacement(settings: BlendSettings, opacity: float) -> None:
    target, layer, alpha = noise(6), noise(7), disc()
    asked = settings.model_copy(update={"opacity": opacity})
    whole, part = blend(target, layer, alpha, settings), blend(target, layer, alpha, asked)
    np.testing.assert_allclose(part, target + opacity * (whole - target), atol=1e-3)
    np.testing.assert_allclose(hidden(alpha, asked), opacity * hidden(alpha, settings), atol=1e-6)
