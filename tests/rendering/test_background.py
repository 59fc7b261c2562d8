"""Backdrops: deterministic, soft, in range, of the asked size, and various."""

from __future__ import annotations

import numpy as np
import pytest

from stages.rendering.background import backdrop


@pytest.mark.parametrize("size", [(96, 128), (270, 480), (128, 96)])
def test_size_type_and_range(size: tuple[int, int]) -> None:
    picture = backdrop(4, *size)
    assert picture.shape == (*size, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0.0
    assert picture.max() < 3.0


def test_same_seed_same_bytes_other_seed_other_picture() -> None:
    np.testing.assert_array_equal(backdrop(7, 90, 120), backdrop(7, 90, 120))
    pictures = [backdrop(seed, 90, 120) for seed in range(8)]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 0.005


@pytest.mark.parametrize("seed", range(6))
def test_it_is_out_of_focus(seed: int) -> None:
    picture = backdrop(seed, 360, 640).mean(2)
    # neighbouring pixels differ little: there is no detail that could pass for an edge of the performer
    assert np.abs(np.diff(picture, axis=1)).max() < 0.12


def test_a_larger_picture_shows_the_same_scene() -> None:
    small, large = backdrop(3, 90, 160), backdrop(3, 180, 320)
    halved = large.reshape(90, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(halved - small).mean() < 0.01
