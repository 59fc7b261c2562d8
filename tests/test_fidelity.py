"""PSNR and SSIM against scikit-image and against what they must be by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from stages.fidelity import mask_box, psnr, ssim, ssim_map

EVERYWHERE = np.ones((48, 40), dtype=bool)


def pair(seed: int, noise: float = 12.0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A smooth picture and a noisy version of it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:48, :40]
    smooth = 120 + 60 * np.sin(x / 6 + seed)[..., None] + 40 * np.cos(y / 9)[..., None] * np.array([1, 0.7, 0.4])
    picture = np.clip(smooth + rng.normal(0, noise, smooth.shape), 0, 255).astype(np.uint8)
    return picture, np.clip(smooth, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_both_agree_with_scikit_image_on_whole_pictures(seed: int) -> None:
    picture, truth = pair(seed)
    assert psnr(picture, truth, EVERYWHERE) == pytest.approx(peak_signal_noise_ratio(truth, picture), abs=1e-6)
    expected = structural_similarity(
        picture, truth, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )[1]
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(ssim_map(picture, truth)[inner], expected[inner], atol=2e-3)


def test_equal_pictures_are_best() -> None:
    _, truth = pair(0)
    assert psnr(truth, truth, EVERYWHERE) == 100.0
    assert ssim(truth, truth, EVERYWHERE) == pytest.approx(1.0, abs=1e-5)


def test_only_the_mask_counts() -> None:
    picture, truth = pair(1)
    mask = np.zeros((48, 40), dtype=bool)
    mask[20:30, 10:25] = True
    spoilt = picture.copy()
    spoilt[:5] = 255 - spoilt[:5]
    assert psnr(spoilt, truth, mask) == psnr(picture, truth, mask)
    assert ssim(spoilt, truth, mask) == ssim(picture, truth, mask)


def test_an_error_of_one_step_everywhere_is_48_decibels() -> None:
    truth = np.full((48, 40, 3), 100, np.uint8)
    assert psnr(truth + 1, truth, EVERYWHERE) == pytest.approx(10 * np.log10(255**2))


def test_the_box_holds_all_that_the_figures_look_at() -> None:
    picture, truth = pair(2)
    mask = np.zeros((48, 40), dtype=bool)
    mask[22:26, 18:22] = True
    box = mask_box(mask)
    assert psnr(picture[box], truth[box], mask[box]) == psnr(picture, truth, mask)
    assert ssim(picture[box], truth[box], mask[box]) == pytest.approx(ssim(picture, truth, mask), abs=1e-6)


def test_an_empty_mask_has_no_figure() -> None:
    picture, truth = pair(3)
    nowhere = np.zeros((48, 40), dtype=bool)
    assert np.isnan(psnr(picture, truth, nowhere))
    assert np.isnan(ssim(picture, truth, nowhere))
    assert picture[mask_box(nowhere)].size == 0


@given(weak=st.floats(1, 10), more=st.floats(5, 40))
@hypothesis_settings(max_examples=20, deadline=None)
def test_more_noise_is_never_better(weak: float, more: float) -> None:
    (fine, truth), (coarse, _) = pair(5, weak), pair(5, weak + more)
    assert psnr(coarse, truth, EVERYWHERE) < psnr(fine, truth, EVERYWHERE)
    assert ssim(coarse, truth, EVERYWHERE) < ssim(fine, truth, EVERYWHERE)


def test_both_are_symmetric() -> None:
    picture, truth = pair(6)
    assert psnr(picture, truth, EVERYWHERE) == psnr(truth, picture, EVERYWHERE)
    assert ssim(picture, truth, EVERYWHERE) == pytest.approx(ssim(truth, picture, EVERYWHERE), abs=1e-6)
