"""Relighting: light that moves over the target comes over, what is the two people's own stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.relighting import GRID, Gains, Run, brighter, relit, samples_of, shading
from stages.compositing.settings import LightSettings

Floats = NDArray[np.float32]

SIDE, FACE = 96, 48.0
FRAMES = 12
INSIDE = np.s_[34:62, 34:62]
EVERY = np.arange(FRAMES)
DEFAULT = LightSettings()
FROM_BEFORE = np.zeros(FRAMES)


def face_mask() -> Floats:
    """An ellipse about the crop's middle."""
    return cv2.ellipse(np.zeros((SIDE, SIDE), np.float32), (SIDE // 2, SIDE // 2), (24, 30), 0, 0, 360, 1.0, -1)


def skin(level: float, beard: float = 1.0) -> Floats:
    """A face of one level of brightness; below its middle ``beard`` times that."""
    picture = np.full((SIDE, SIDE, 3), level, np.float32)
    picture[SIDE * 5 // 8 :] *= beard
    return picture


def shadow(share: float) -> Floats:
    """A soft shadow's edge across a crop: its left is half as bright, up to ``share`` of the width."""
    across = (np.arange(SIDE) + 0.5) / SIDE
    return (0.5 + 0.5 / (1 + np.exp(-(across - share) / 0.04))).astype(np.float32)[None, :, None]


def gained(layers: list[Floats], targets: list[Floats], settings: LightSettings = DEFAULT) -> Floats:
    """What the light of faces in the order of time is multiplied by, as logarithms."""
    found = [
        shading(layer, target, face_mask(), FACE, settings.scale) for layer, target in zip(layers, targets, strict=True)
    ]
    weights = {row: [(row, 1.0)] for row in range(FRAMES)}
    return all_gains([brighter(each, each[..., :3].astype(np.float32)) for each in found], weights, settings)


def all_gains(difference: list[Floats], weights: dict[int, list[tuple[int, float]]], settings: LightSettings) -> Floats:
    """Of faces that are one run, (n, GRID, GRID)."""
    gains = Gains(difference.__getitem__, FROM_BEFORE, [Run(EVERY, EVERY)], weights, settings)
    return np.stack([gains.of(row) for row in range(len(difference))])


def test_a_shadow_that_crosses_the_target_crosses_the_converted_face() -> None:
    moving = [shadow(share) for share in np.linspace(0.3, 0.7, FRAMES)]
    layers = [skin(0.6)] * FRAMES
    gain = gained(layers, [layer * light for layer, light in zip(layers, moving, strict=True)])
    shown = np.stack([relit(layer, each) for layer, each in zip(layers, gain, strict=True)])
    wanted = np.log(np.stack(moving) * np.ones_like(shown))[:, *INSIDE]
    # how bright the two people are on the whole is the colours' matter, so what changes is compared
    left = (np.log(shown)[:, *INSIDE] - wanted).std(axis=0)
    assert left.mean() < 0.3 * wanted.std(axis=0).mean()


def test_light_from_one_side_comes_over_though_it_stands_still() -> None:
    gain = gained([skin(0.6)] * FRAMES, [skin(0.6) * shadow(0.5)] * FRAMES)
    left, right = gain[0, GRID // 2, [GRID // 2 - 2, GRID // 2 + 1]]
    assert left < -0.1
    assert right > 0.1


@given(level=st.floats(0.3, 0.8), beard=st.floats(0.4, 1.0))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_beard_and_a_darker_skin_stay_the_targets(level: float, beard: float) -> None:
    gain = gained([skin(0.6)] * FRAMES, [skin(level, beard)] * FRAMES)
    assert np.abs(gain).max() < 0.01


def test_what_lies_beyond_the_mask_is_no_light() -> None:
    """A wall that brightens behind the target, and a hand that the mask leaves out."""
    targets = []
    for row in range(FRAMES):
        target = skin(0.6)
        target[face_mask() == 0] = row / FRAMES
        targets.append(target)
    assert np.abs(gained([skin(0.6)] * FRAMES, targets)).max() < 0.01


@given(strength=st.floats(0.0, 1.0))
@hypothesis_settings(max_examples=10, deadline=None)
def test_strength_is_a_share_of_the_way(strength: float) -> None:
    layers = [skin(0.6)] * FRAMES
    targets = [skin(0.6) * shadow(share) for share in np.linspace(0.3, 0.7, FRAMES)]
    part = gained(layers, targets, LightSettings(strength=strength))
    np.testing.assert_allclose(part, strength * gained(layers, targets), atol=1e-6)


def test_no_place_gets_more_than_about_twice_as_bright() -> None:
    gain = gained([skin(0.9)] * FRAMES, [skin(0.02 if row % 2 else 0.9) for row in range(FRAMES)])
    assert np.exp(np.abs(gain)).max() < 2.1


def test_no_gain_is_no_change() -> None:
    picture = skin(0.4)
    np.testing.assert_array_equal(relit(picture, np.zeros((GRID, GRID), np.float32)), picture)


@pytest.mark.parametrize("length", [1, 64, 65, 1000])
def test_samples_lie_evenly_over_a_shot(length: int) -> None:
    found = samples_of(np.arange(length) + 5)
    assert len(found) == min(length, 64)
    assert (np.diff(found) > 0).all()
    assert found.mean() == pytest.approx(5 + (length - 1) / 2, abs=1.0)


def test_a_face_that_is_all_hidden_is_left_alone() -> None:
    nowhere = np.zeros((SIDE, SIDE), np.float32)
    found = shading(skin(0.6), skin(0.1), nowhere, FACE, 0.1)
    gain = all_gains([brighter(found, found[..., :3].astype(np.float32))] * FRAMES, {}, DEFAULT)
    assert np.isfinite(gain).all()
    assert not gain.any()
