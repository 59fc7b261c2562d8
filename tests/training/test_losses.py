"""Losses against references and at their known points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from stages.training.augment import Batch, halved
from stages.training.judge import psnr_inside, ssim_inside
from stages.training.losses import (
    blur,
    focal_frequency_distance,
    gradient_map,
    laplacian_distance,
    loss_terms,
    ms_ssim,
    place_weights,
    sides_term,
    ssim_map,
)
from stages.training.losses.structure import scales
from stages.training.networks import Answer
from stages.training.settings import LossSettings


def pictures(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


ALL = LossSettings(ms_ssim=1.0, laplacian=1.0, frequency=1.0)
"""Every term there is."""

NEW: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "ms_ssim": lambda x, y, weights: (1 - ms_ssim(x, y, weights)).mean(),
    "laplacian": laplacian_distance,
    "frequency": focal_frequency_distance,
}
"""Distances of two pictures, given how much each place counts."""


def batch_of(rgb: torch.Tensor) -> Batch:
    mask = torch.zeros_like(rgb[:, :1])
    mask[..., 8:24, 8:24] = 1
    eyes, mouth = torch.zeros_like(mask), torch.zeros_like(mask)
    eyes[..., 12:14, 10:13] = eyes[..., 12:14, 18:21] = 1
    mouth[..., 18:22, 10:20] = 1
    nowhere, not_mirrored = torch.zeros(0, 0, 2), torch.zeros(len(rgb), dtype=torch.bool)
    return Batch(rgb, rgb, mask, eyes, mouth, nowhere, not_mirrored)


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


def test_smaller_pictures_are_compared_with_the_truth_at_their_size() -> None:
    batch = batch_of(pictures(5, 2, 3, 32, 32))
    half, quarter = (torch.nn.functional.avg_pool2d(batch.rgb, size) for size in (2, 4))
    masks = [torch.nn.functional.avg_pool2d(batch.mask, size) for size in (2, 4)]
    chosen = LossSettings(sides=0.3, identity=0.2)  # of the full size alone: no recogniser is asked for
    true = Answer(batch.rgb, batch.mask, sides=(Answer(half, masks[0]), Answer(quarter, masks[1])))
    assert abs(float(sides_term(true, batch, chosen))) < 1e-5
    wrong = true._replace(sides=(true.sides[0], Answer(1 - quarter, masks[1])))
    terms = loss_terms(wrong.sides[1], halved(halved(batch)), LossSettings())
    assert float(sides_term(wrong, batch, chosen)) == pytest.approx(0.3 * float(sum(terms.values())), rel=1e-4)
    for kept in ("crops", "places", "mirrored"):
        assert getattr(halved(batch), kept) is getattr(batch, kept)


def test_smaller_pictures_have_no_loss_where_identity_alone_has_a_weight() -> None:
    batch = batch_of(pictures(5, 2, 3, 32, 32))
    side = Answer(torch.zeros(2, 3, 16, 16), torch.zeros(2, 1, 16, 16))
    chosen = LossSettings(l1=0, ssim=0, gradient=0, mask=0, identity=1)
    assert float(sides_term(Answer(batch.rgb, batch.mask, sides=(side,)), batch, chosen)) == 0


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


def test_face_counts_more_than_background_mouth_more_than_face_and_eyes_most() -> None:
    weights = place_weights(batch_of(pictures(6, 2, 3, 32, 32)), LossSettings())
    background, face, mouth, eye = (weights[0, 0, y, x] for y, x in ((2, 2), (10, 10), (20, 15), (12, 11)))
    assert background < face < mouth < eye
    torch.testing.assert_close(weights.mean(dim=(1, 2, 3)), torch.ones(2))


@given(eyes=st.floats(0, 10), mouth=st.floats(0, 10))
def test_eyes_and_mouth_count_by_their_weights_more_than_the_face(eyes: float, mouth: float) -> None:
    weights = place_weights(batch_of(pictures(6, 1, 3, 32, 32)), LossSettings(eyes=eyes, mouth=mouth))[0, 0]
    face = float(weights[10, 10])
    assert float(weights[12, 11]) == pytest.approx((1 + eyes) * face, rel=1e-4)
    assert float(weights[20, 15]) == pytest.approx((1 + mouth) * face, rel=1e-4)


@pytest.mark.parametrize("term", ["l1", "ssim", "gradient", "ms_ssim", "laplacian", "frequency"])
def test_an_error_on_an_eye_counts_the_more_the_more_eyes_weigh(term: str) -> None:
    batch = batch_of(0.5 * pictures(20, 1, 3, 32, 32))
    wrong = batch.rgb.clone()
    wrong[..., 12:14, 10:13] += 0.3
    only = dict.fromkeys(("l1", "ssim", "gradient", "mask"), 0.0) | {term: 1.0}
    least, more, most = (
        float(loss_terms(Answer(wrong, batch.mask), batch, LossSettings(**only, eyes=eyes))[term])
        for eyes in (0.0, 2.0, 8.0)
    )
    assert 0 < least < more < most


@pytest.mark.parametrize(("value", "offset"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 1e-4)])
def test_the_gradient_is_finite_even_for_flat_and_for_equal_pictures(value: float, offset: float) -> None:
    truth = torch.full((1, 3, 32, 32), value)
    rgb = (truth + offset).requires_grad_()
    batch = batch_of(truth)
    terms = loss_terms(Answer(rgb, batch.mask), batch, ALL)
    assert set(terms) == {"l1", "ssim", "gradient", "ms_ssim", "laplacian", "frequency", "mask"}
    for name, term in terms.items():
        assert torch.isfinite(term), name
        if name != "mask":
            (gradient,) = torch.autograd.grad(term, rgb, retain_graph=True)
            assert torch.isfinite(gradient).all(), name


def test_the_gradient_repeats_itself_under_torchs_deterministic_algorithms() -> None:
    assert torch.are_deterministic_algorithms_enabled()
    batch = batch_of(pictures(10, 2, 3, 48, 48))
    gradients = []
    for _ in range(2):
        rgb = pictures(11, 2, 3, 48, 48).requires_grad_()
        torch.stack(list(loss_terms(Answer(rgb, batch.mask), batch, ALL).values())).sum().backward()
        gradients.append(rgb.grad)
    assert gradients[0] is not None
    assert gradients[1] is not None
    assert torch.equal(gradients[0], gradients[1])


def test_a_picture_in_which_no_place_counts_has_no_loss() -> None:
    batch = batch_of(pictures(12, 1, 3, 32, 32))._replace(mask=torch.zeros(1, 1, 32, 32))
    terms = loss_terms(
        Answer(1 - batch.rgb, batch.mask),
        batch._replace(eyes=torch.zeros(1, 1, 32, 32), mouth=torch.zeros(1, 1, 32, 32)),
        LossSettings(background=0, laplacian=1, frequency=1),
    )
    assert {name: float(term) for name, term in terms.items()} == dict.fromkeys(terms, 0.0)


def _halved(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each 2x2 pixels of (h, w); an odd last row or column is dropped."""
    height, width = (side // 2 for side in picture.shape)
    return picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))


def _numpy_ms_ssim(x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64], count: int) -> float:
    """Wang, Simoncelli and Bovik 2003, equation 7, of one channel, in double precision."""
    exponents = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:count]
    exponents /= exponents.sum()

    def mean(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter(picture, 1.5, radius=5))

    result = 1.0
    for scale in range(count):
        mean_x, mean_y = mean(x), mean(y)
        variances = mean((x - 0.5) ** 2) - (mean_x - 0.5) ** 2 + mean((y - 0.5) ** 2) - (mean_y - 0.5) ** 2
        covariance = mean((x - 0.5) * (y - 0.5)) - (mean_x - 0.5) * (mean_y - 0.5)
        similarity = (2 * covariance + 0.0009) / (variances + 0.0009)
        if scale == count - 1:
            similarity *= (2 * mean_x * mean_y + 0.0001) / (mean_x**2 + mean_y**2 + 0.0001)
        result *= float(np.average(similarity, weights=weights)) ** exponents[scale]
        x, y, weights = _halved(x), _halved(y), _halved(weights)
    return result


@pytest.mark.parametrize(("size", "count"), [((16, 16), 1), ((32, 32), 2), ((96, 96), 4), ((176, 180), 5)])
def test_ms_ssim_equals_the_formula_in_numpy(size: tuple[int, int], count: int) -> None:
    assert scales(min(size)) == count
    x = pictures(0, 2, 3, *size)
    y = (x + 0.3 * pictures(1, 2, 3, *size)).clamp(0, 1)
    weights = 0.1 + pictures(2, 2, 1, *size)
    wanted = [
        [
            _numpy_ms_ssim(one.double().numpy(), other.double().numpy(), place[0].double().numpy(), count)
            for one, other in zip(xs, ys, strict=True)
        ]
        for xs, ys, place in zip(x, y, weights, strict=True)
    ]
    np.testing.assert_allclose(ms_ssim(x, y, weights).numpy(), wanted, atol=1e-4)


def test_ms_ssim_of_pictures_too_small_for_two_scales_is_ssim() -> None:
    x, y = pictures(0, 1, 3, 16, 16), pictures(1, 1, 3, 16, 16)
    y = 0.7 * x + 0.3 * y
    torch.testing.assert_close(ms_ssim(x, y, torch.ones(1, 1, 16, 16)), ssim_map(x, y).mean(dim=(2, 3)))


@pytest.mark.parametrize(("side", "bands"), [(4, 1), (8, 2), (32, 4), (128, 5)])
def test_the_laplacian_distance_equals_two_pyramids_in_numpy(side: int, bands: int) -> None:
    def pyramid(picture: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        levels = []
        for _ in range(bands):
            soft = np.asarray(gaussian_filter(picture, 1.0, radius=2))
            levels.append(picture - soft)
            picture = _halved(soft)
        return [*levels, soft]

    x, y, weights = pictures(0, side, side), pictures(1, side, side), 0.5 + pictures(2, side, side)
    places = [weights.double().numpy()]
    for _ in range(bands - 1):
        places.append(_halved(places[-1]))
    ours, theirs = pyramid(x.double().numpy()), pyramid(y.double().numpy())
    wanted = sum(
        float((place * np.abs(one - other)).mean())
        for place, one, other in zip([*places, places[-1]], ours, theirs, strict=True)
    )
    got = laplacian_distance(x[None, None], y[None, None], weights[None, None])
    assert float(got) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0])
def test_the_focal_frequency_distance_equals_the_formula_in_numpy(alpha: float) -> None:
    x, y, weights = pictures(0, 2, 3, 24, 20), pictures(1, 2, 3, 24, 20), 0.5 + pictures(2, 2, 1, 24, 20)
    difference = (weights * (x - y)).double().numpy()
    distance = np.abs(np.fft.fft2(difference) / np.sqrt(24 * 20))
    focus = distance**alpha
    focus /= focus.max(axis=(2, 3), keepdims=True)
    wanted = float((focus * distance**2).mean())
    assert float(focal_frequency_distance(x, y, weights, alpha)) == pytest.approx(wanted, rel=1e-4)


def test_the_focal_frequency_distance_without_focus_is_the_squared_error() -> None:
    x, y = pictures(0, 2, 3, 16, 16), pictures(1, 2, 3, 16, 16)
    got = focal_frequency_distance(x, y, torch.ones(2, 1, 16, 16), alpha=0.0)
    torch.testing.assert_close(got, (x - y).square().mean())


@pytest.mark.parametrize("name", NEW)
@given(seed=st.integers(0, 1000), side=st.integers(8, 40), share=st.floats(0.05, 0.8))
def test_a_distance_is_zero_for_equals_symmetric_and_grows_with_the_error(
    name: str, seed: int, side: int, share: float
) -> None:
    x, other = pictures(seed, 2, 3, side, side), pictures(seed + 5000, 2, 3, side, side)
    weights = 0.5 + pictures(seed + 9000, 2, 1, side, side)
    distance = NEW[name]
    near, far = torch.lerp(x, other, share), torch.lerp(x, other, share + 0.2)
    assert abs(float(distance(x, x, weights))) < 1e-5
    torch.testing.assert_close(distance(x, near, weights), distance(near, x, weights), rtol=1e-4, atol=1e-6)
    assert 0 < float(distance(x, near, weights)) < float(distance(x, far, weights))


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10))
def test_the_size_of_mask_eyes_and_mouth_together_does_not_change_a_term(seed: int, scale: float) -> None:
    """Weights are shares: all places counting twice as much is no change."""
    batch = batch_of(pictures(seed, 2, 3, 32, 32))
    rgb = pictures(seed + 1, 2, 3, 32, 32)
    settings = LossSettings(background=0, ms_ssim=1, laplacian=1, frequency=1)
    maps = {name: getattr(batch, name) * scale / 10 for name in ("mask", "eyes", "mouth")}
    weaker = batch._replace(**maps)
    before = loss_terms(Answer(rgb, batch.mask), batch, settings)
    after = loss_terms(Answer(rgb, weaker.mask), weaker, settings)
    for name in before.keys() - {"mask"}:
        torch.testing.assert_close(before[name], after[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("term", ["l1", "ssim", "gradient", "ms_ssim", "laplacian", "frequency"])
def test_an_error_counts_more_on_the_face_than_beside_it(term: str) -> None:
    batch = batch_of(0.5 * pictures(20, 1, 3, 32, 32))
    on, beside = batch.rgb.clone(), batch.rgb.clone()
    for rgb, y, x in ((on, 10, 10), (beside, 1, 25)):
        rgb[..., y : y + 6, x : x + 6] += 0.3 * pictures(21, 6, 6)
    settings = LossSettings(**dict.fromkeys(("l1", "ssim", "gradient", "mask"), 0.0) | {term: 1.0})
    on_face, elsewhere = (loss_terms(Answer(rgb, batch.mask), batch, settings)[term] for rgb in (on, beside))
    assert float(on_face) > 2 * float(elsewhere)


def test_psnr_and_ssim_look_only_inside_the_mask() -> None:
    batch = batch_of(pictures(7, 1, 3, 32, 32))
    noisy = batch.rgb.clone()
    noisy[..., 8:24, 8:24] += 0.1
    noisy[..., :2, :2] = 0
    torch.testing.assert_close(psnr_inside(noisy, batch.rgb, batch.mask), torch.tensor([20.0]), atol=1e-3, rtol=0)
    outside = batch.rgb.clone()
    outside[..., :2, :2] = 0
    torch.testing.assert_close(ssim_inside(outside, batch.rgb, batch.mask), torch.ones(1), atol=1e-4, rtol=0)
