"""Faults of pictures against OpenCV's and scipy's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from stages.training.degrade import compress, resample, smear
from tests.training.faces import drawn_face


def faces(size: int) -> torch.Tensor:
    """Two drawn faces, one of each person, with some grain: (2, 3, size, size) of whole 8-bit values."""
    chance = np.random.default_rng(0)
    drawn = [cv2.resize(drawn_face(name, 0.2, 0.6)[0], (size, size)).astype(float) for name in ("ada", "ben")]
    grained = [(face + chance.normal(0, 4, face.shape)).clip(0, 255).round() for face in drawn]
    return torch.from_numpy(np.stack(grained)).permute(0, 3, 1, 2).float() / 255


def pixels(picture: torch.Tensor) -> NDArray[np.uint8]:
    return np.ascontiguousarray((picture.permute(1, 2, 0) * 255).round().numpy().astype(np.uint8))


def luma(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(picture @ np.array([0.299, 0.587, 0.114]))


def psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(20 * np.log10(255) - 10 * np.log10(np.mean((one - other) ** 2)))


def jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """The picture through OpenCV's JPEG, which halves the chroma too."""
    done, coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], np.uint8)


@pytest.mark.parametrize("quality", [5, 25, 50, 75, 95])
@pytest.mark.parametrize("size", [64, 96, 60])
def test_compression_loses_what_opencvs_jpeg_loses(quality: int, size: int) -> None:
    """The lumas agree within 40 dB and far better with one another than with what they were made of."""
    pictures = faces(size)
    for before, after in zip(pictures, compress(pictures, torch.full((2,), float(quality))), strict=True):
        wanted = luma(jpeg(pixels(before), quality))
        agreement = psnr(luma(pixels(after)), wanted)
        assert agreement > 40
        if quality < 95:
            assert agreement > psnr(luma(pixels(before)), wanted) + 3


def test_compression_at_the_highest_quality_changes_nearly_nothing() -> None:
    grey = faces(64).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)  # its chroma, which is halved, is flat
    torch.testing.assert_close(compress(grey, torch.full((2,), 100.0)), grey, atol=1.5 / 255, rtol=0)


def test_each_picture_is_compressed_by_its_own_quality() -> None:
    pictures = faces(64)
    mixed = compress(pictures, torch.tensor([10.0, 80.0]))
    for quality, row in ((10.0, 0), (80.0, 1)):
        alone = compress(pictures[row : row + 1], torch.tensor([quality]))
        torch.testing.assert_close(mixed[row : row + 1], alone, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize(("factor", "small"), [(1.0, 48), (2.0, 24), (3.0, 16), (3.2, 15), (7.0, 7), (48.0, 1)])
def test_resampling_equals_opencvs_area_and_linear(factor: float, small: int) -> None:
    pictures = faces(48)
    for before, after in zip(pictures, resample(pictures, torch.full((2,), factor)), strict=True):
        picture = before.permute(1, 2, 0).contiguous().numpy()
        down = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        wanted = cv2.resize(down, (48, 48), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(after.permute(1, 2, 0).numpy(), wanted, atol=1e-4)


def test_a_round_smear_equals_scipys_gaussian() -> None:
    pictures = faces(48)
    spread = torch.tensor([0.8, 2.0])
    smeared = smear(pictures, spread, spread, torch.zeros(2), reach=6)
    for before, after, sigma in zip(pictures, smeared, (0.8, 2.0), strict=True):
        wanted = gaussian_filter(before.numpy(), sigma, axes=(1, 2), mode="nearest", truncate=8)
        # within one 8-bit value: scipy samples its window, whose spectrum a small deviation makes fold over
        np.testing.assert_allclose(after.numpy(), wanted, atol=1 / 255)


@pytest.mark.parametrize(("angle", "axis"), [(0.0, 2), (0.5, 1)])
def test_a_long_smear_follows_its_angle(angle: float, axis: int) -> None:
    """``angle`` in half turns: along x, then along y."""
    pictures = faces(48)
    smeared = smear(pictures, torch.full((2,), 2.0), torch.zeros(2), torch.full((2,), angle * torch.pi), reach=6)
    for before, after in zip(pictures, smeared, strict=True):
        wanted = gaussian_filter(before.numpy(), 2.0, axes=(axis,), mode="nearest", truncate=8)
        np.testing.assert_allclose(after.numpy(), wanted, atol=2e-3)


def test_a_slanted_smear_goes_down_to_the_right() -> None:
    dot = torch.zeros(1, 1, 33, 33)
    dot[..., 16, 16] = 1
    one = torch.ones(1)
    smeared = smear(dot, 3 * one, 0.7 * one, torch.pi / 4 * one, reach=9)[0, 0]
    assert smeared[19, 19] > 5 * smeared[13, 19].clamp_min(1e-6)


@settings(max_examples=25)
@given(st.floats(0, 1), st.floats(0, 3), st.floats(1, 16), st.floats(1, 100))
def test_a_flat_picture_survives_every_fault(value: float, spread: float, factor: float, quality: float) -> None:
    flat = torch.full((1, 3, 32, 32), value)
    measure = torch.tensor([spread])
    torch.testing.assert_close(smear(flat, measure, measure / 2, measure, reach=9), flat, atol=1e-5, rtol=0)
    torch.testing.assert_close(resample(flat, torch.tensor([factor])), flat, atol=1e-5, rtol=0)
    compressed = compress(flat, torch.tensor([quality]))
    assert float(compressed.std()) < 1e-4
    # half a step of a block's mean (16 at quality 50, each step an eighth of a value), and two roundings to 8 bits
    assert float((compressed - flat).abs().max()) * 255 <= max(50 / round(quality), 1) + 1.001
