"""Detail: what it measures, and that it is brought to the wanted strength and no further."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.sharpness import detail_of_luma, gain, with_detail

EVERYWHERE = np.ones((64, 64), np.float32)


def detail(rgb: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
    return detail_of_luma(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32), mask)


def texture(seed: int = 0, spread: float = 0.05) -> NDArray[np.float32]:
    """Grey with fine noise."""
    noise = np.random.default_rng(seed).normal(0, spread, (64, 64, 1))
    return (0.5 + noise.repeat(3, axis=2)).astype(np.float32)


def test_a_blurred_picture_has_less_detail() -> None:
    sharp = texture()
    soft = cv2.GaussianBlur(sharp, (0, 0), 1.0)
    assert detail(soft, EVERYWHERE) < 0.6 * detail(sharp, EVERYWHERE)


@given(light=st.floats(0.3, 1.5))
@hypothesis_settings(max_examples=20, deadline=None)
def test_detail_does_not_depend_on_the_light(light: float) -> None:
    picture = texture()
    dimmed = (picture * light).astype(np.float32)
    assert detail(dimmed, EVERYWHERE) == pytest.approx(detail(picture, EVERYWHERE), rel=1e-3)


def test_only_the_mask_counts() -> None:
    picture, mask = texture(), np.zeros((64, 64), np.float32)
    mask[20:40, 20:40] = 1.0
    spoilt = picture.copy()
    spoilt[:10] = np.random.default_rng(1).uniform(0, 1, (10, 64, 3))
    assert detail(spoilt, mask) == pytest.approx(detail(picture, mask))
    assert detail(picture, np.zeros((64, 64), np.float32)) == 0.0


def test_a_soft_face_is_brought_to_the_targets_detail() -> None:
    target = texture(1)
    soft = with_detail(texture(2), 0.7)
    factor = gain(detail(soft, EVERYWHERE), detail(target, EVERYWHERE), 1.0)
    assert detail(with_detail(soft, factor), EVERYWHERE) == pytest.approx(detail(target, EVERYWHERE), rel=0.08)


def test_a_sharp_face_is_softened() -> None:
    assert gain(0.08, 0.05, 1.0) < 1.0
    assert detail(with_detail(texture(), 0.5), EVERYWHERE) < detail(texture(), EVERYWHERE)


@given(layer=st.floats(0, 0.5), target=st.floats(0, 0.5), strength=st.floats(0, 1))
@hypothesis_settings(max_examples=50, deadline=None)
def test_the_gain_is_bounded_and_no_strength_is_none(layer: float, target: float, strength: float) -> None:
    assert 0.39 < gain(layer, target, strength) < 1.81
    assert gain(layer, target, 0.0) == 1.0


def test_a_gain_of_one_is_the_picture_itself() -> None:
    picture = texture()
    assert with_detail(picture, 1.0) is picture
