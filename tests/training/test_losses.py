"""Losses against references and at their known points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from stages.training.augment import Batch
from stages.training.judge import psnr_inside, ssim_inside
from stages.training.losses import blur, gradient_map, loss_terms, place_weights, ssim_map
from stages.training.networks import Answer
from stages.training.settings import LossSettings


def pictures(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def batch_of(rgb: torch.Tensor) -> Batch:
    mask = torch.zeros_like(rgb[:, :1])
    mask[..., 8:24, 8:24] = 1
    mouth = torch.zeros_like(mask)
    mouth[..., 18:22, 10:20] = 1
    return Batch(rgb, rgb, mask, torch.zeros_like(mask), mouth)


@pytest.mark.parametrize("size", [(32, 32), (48, 33)])
def test_ssim_equals_the_reference_of_scikit_image(size: tuple[int, int]) -> None:
    x = pictures(0, 1, 3, *size)
    y = (x + 0.2 * pictures(1, 1, 3, *size)).clamp(0, 1)
    _, wanted = structural_similarity(
        x[0].permute(1, 2, 0).double().numpy(),
        y[0].permute(1, 2, 0).double().numpy(),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=2,
        full=True,
    )
    np.testing.assert_allclose(ssim_map(x, y)[0].permute(1, 2, 0).numpy(), wanted, atol=2e-4)


def test_blur_equals_scipy() -> None:
    x = pictures(2, 1, 1, 20, 30)
    np.testing.assert_allclose(blur(x)[0, 0].numpy(), gaussian_filter(x[0, 0].numpy(), 1.5, radius=5), atol=1e-5)


@given(st.integers(0, 50))
def test_ssim_is_symmetric_and_one_only_for_equals(seed: int) -> None:
    x, y = pictures(seed, 1, 3, 16, 16), pictures(seed + 1000, 1, 3, 16, 16)
    torch.testing.assert_close(ssim_map(x, y), ssim_map(y, x))
    assert (ssim_map(x, x) > 1 - 1e-4).all()
    assert ssim_map(x, y).max() < 1


def test_gradient_ignores_a_shift_of_brightness_and_sees_an_edge() -> None:
    x = pictures(3, 1, 3, 16, 16) * 0.5
    assert gradient_map(x, x + 0.25).abs().max() < 1e-6
    edge = x.clone()
    edge[..., 8:] += 0.5
    seen = gradient_map(edge, x)
    torch.testing.assert_close(seen[..., 7], torch.full_like(seen[..., 7], 0.5))
    assert seen[..., 8:].abs().max() < 1e-6


def test_the_truth_has_no_loss_and_any_error_has_some() -> None:
    batch = batch_of(pictures(4, 2, 3, 32, 32))
    perfect = loss_terms(Answer(batch.rgb, batch.mask), batch, LossSettings())
    assert all(abs(float(term)) < 1e-5 for term in perfect.values())
    wrong = loss_terms(Answer(batch.rgb * 0.8, 1 - batch.mask), batch, LossSettings())
    assert set(wrong) == {"l1", "ssim", "gradient", "mask"}
    assert all(float(term) > 1e-3 for term in wrong.values())


def test_a_term_of_weight_zero_is_left_out() -> None:
    batch = batch_of(pictures(5, 1, 3, 32, 32))
    assert set(loss_terms(Answer(batch.rgb, batch.mask), batch, LossSettings(ssim=0, mask=0))) == {"l1", "gradient"}


def test_face_counts_more_than_background_and_mouth_more_than_face() -> None:
    weights = place_weights(batch_of(pictures(6, 2, 3, 32, 32)), LossSettings())
    background, face, mouth = (weights[0, 0, y, x] for y, x in ((2, 2), (10, 10), (20, 15)))
    assert background < face < mouth
    torch.testing.assert_close(weights.mean(dim=(1, 2, 3)), torch.ones(2))


def test_the_gradient_is_finite_even_for_flat_pictures() -> None:
    rgb = torch.zeros(1, 3, 32, 32, requires_grad=True)
    batch = batch_of(torch.zeros(1, 3, 32, 32))
    terms = loss_terms(Answer(rgb, batch.mask), batch, LossSettings())
    torch.stack(list(terms.values())).sum().backward()
    assert rgb.grad is not None
    assert torch.isfinite(rgb.grad).all()


def test_psnr_and_ssim_look_only_inside_the_mask() -> None:
    batch = batch_of(pictures(7, 1, 3, 32, 32))
    noisy = batch.rgb.clone()
    noisy[..., 8:24, 8:24] += 0.1
    noisy[..., :2, :2] = 0
    torch.testing.assert_close(psnr_inside(noisy, batch.rgb, batch.mask), torch.tensor([20.0]), atol=1e-3, rtol=0)
    outside = batch.rgb.clone()
    outside[..., :2, :2] = 0
    torch.testing.assert_close(ssim_inside(outside, batch.rgb, batch.mask), torch.ones(1), atol=1e-4, rtol=0)
