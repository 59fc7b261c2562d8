"""Focus: how far the target is out of it is measured, and the face blurred by as much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.frames import Frames, FrameWriter
from stages.compositing.faces import transform_of
from stages.compositing.focus import SIDE, SIGMAS, blur_for, blurred, side_of, told
from stages.compositing.inputs import Inputs
from stages.compositing.matching import matches
from stages.compositing.preview import Preview
from stages.compositing.settings import ColourSettings, CompositingSettings, LightSettings
from stages.compositing.sharpness import detail_of_luma
from stages.compositing.stage import composite
from tests.compositing.conftest import painted

Luma = NDArray[np.float32]


def face(side: int = SIDE, seed: int = 0) -> Luma:
    """As much structure of every size as pictures have: amplitudes fall with frequency."""
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(256, 256)))
    along, across = np.meshgrid(np.fft.rfftfreq(256), np.fft.fftfreq(256))
    made = np.fft.irfft2(noise / np.maximum(np.hypot(along, across), 1 / 256), (256, 256))
    grey = np.clip(0.5 + 0.12 * made / made.std(), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def everywhere(side: int) -> Luma:
    return np.ones((side, side), np.float32)


def out_of_focus(luma: Luma, sigma: float) -> Luma:
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), sigma), np.float32)


@given(sigma=st.floats(0.8, 4.0), side=st.sampled_from([64, 128, 256, 512]), contrast=st.floats(0.7, 1.3))
@hypothesis_settings(max_examples=40, deadline=None)
def test_the_blur_is_the_targets_whatever_the_crop_and_the_contrast(sigma: float, side: int, contrast: float) -> None:
    layer = face(side)
    target = 0.5 + contrast * (out_of_focus(layer, sigma * side / SIDE) - 0.5)
    found = told(layer, target.astype(np.float32), everywhere(side), min(side, SIDE))
    assert SIDE * blur_for(found, contrast, 1.0) == pytest.approx(sigma, rel=0.25, abs=0.15)


@given(side=st.sampled_from([64, 128, 256, 512]), across=st.integers(40, 400), seed=st.integers(0, 9))
@hypothesis_settings(max_examples=30, deadline=None)
def test_a_small_face_in_focus_is_not_blurred(side: int, across: int, seed: int) -> None:
    """The frame shows it with few pixels; cropped, it is that picture enlarged, and softer than what a model draws."""
    layer = face(side, seed)
    transform = np.array([[1.0 / across, 0, 0], [0, 1.0 / across, 0]])
    shown = cv2.resize(layer, (across, across), interpolation=cv2.INTER_AREA if across < side else cv2.INTER_LINEAR)
    target = cv2.resize(shown, (side, side), interpolation=cv2.INTER_LINEAR if across < side else cv2.INTER_AREA)
    found = told(layer, np.asarray(target, np.float32), everywhere(side), side_of(transform, side))
    assert side_of(transform, side) == min(across, side, SIDE)
    assert SIDE * blur_for(found, 1.0, 1.0) <= 0.6 * SIDE / side_of(transform, side)


@given(side=st.sampled_from([64, 128, 256]), seed=st.integers(0, 9))
@hypothesis_settings(max_examples=20, deadline=None)
def test_the_same_picture_is_in_focus_whatever_its_texture(side: int, seed: int) -> None:
    rough = np.random.default_rng(seed).uniform(0, 1, (side, side)).astype(np.float32)
    for layer in (face(side, seed), rough):
        assert blur_for(told(layer, layer, everywhere(side), min(side, SIDE)), 1.0, 1.0) == 0.0


@given(sigma=st.floats(0.3, 4.0), share=st.floats(0.0, 1.0))
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_sharper_target_asks_for_none_and_a_share_for_less(sigma: float, share: float) -> None:
    sharp = face()
    soft = out_of_focus(sharp, sigma)
    assert blur_for(told(soft, sharp, everywhere(SIDE), SIDE), 1.0, 1.0) == 0.0
    found = told(sharp, soft, everywhere(SIDE), SIDE)
    assert blur_for(found, 1.0, share) <= blur_for(found, 1.0, 1.0)
    assert blur_for(found, 1.0, 0.0) == 0.0


def test_the_widest_blur_is_the_last_that_is_tried_and_nothing_to_tell_by_is_none() -> None:
    flat = np.full((SIDE, SIDE), 0.5, np.float32)
    assert SIDE * blur_for(told(face(), flat, everywhere(SIDE), SIDE), 1.0, 1.0) == pytest.approx(
        SIDE * SIGMAS[-1], rel=0.35
    )
    nowhere = np.zeros((SIDE, SIDE), np.float32)
    assert blur_for(told(face(), flat, nowhere, SIDE), 1.0, 1.0) == 0.0


@pytest.mark.parametrize("sigma", [0.9, 1.8, 2.6])
def test_noise_is_taken_for_no_detail(sigma: float) -> None:
    sharp = face()
    noise = np.random.default_rng(3).normal(0.0, 0.02, sharp.shape)
    target = (out_of_focus(sharp, sigma) + noise).astype(np.float32)
    found = SIDE * blur_for(told(sharp, target, everywhere(SIDE), SIDE), 1.0, 1.0)
    assert found == pytest.approx(sigma, rel=0.35)


def test_a_crop_that_is_blurred_so_has_the_targets_detail() -> None:
    layer = face(seed=4)
    target = out_of_focus(face(seed=5), 1.6)
    sigma = blur_for(told(layer, target, everywhere(SIDE), SIDE), 1.0, 1.0)
    rgb = np.repeat(layer[..., None], 3, axis=2)
    after = detail_of_luma(blurred(rgb, sigma)[..., 0], everywhere(SIDE))
    before, wanted = (detail_of_luma(each, everywhere(SIDE)) for each in (layer, target))
    assert abs(after - wanted) < 0.25 * (before - wanted)
    assert blurred(rgb, 0.0) is rgb


def soft_clip(scene: Any, folder: Path, sigma: Callable[[int], float]) -> Inputs:
    """A clip that shows the converted crops themselves, out of focus by so many pixels of them in each frame."""
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    crops = [crop for crop, _ in scene.converted.each(inputs.faces)]
    folder.mkdir()
    with FrameWriter(folder, scene.frames.facts, rows=5) as writer:
        for number, crop in enumerate(crops):
            into = geometry.compose(
                geometry.invert(geometry.to_pixels(len(crop))), geometry.invert(transform_of(inputs.faces, number))
            )
            soft = out_of_focus(crop.astype(np.float32), sigma(number))
            rgb = geometry.warp(soft, into, 160, 120, edge="replicate")
            picture = painted(np.clip(rgb, 0, 255).astype(np.uint8), scene.frames.facts)
            writer.add(picture, pts=number, duration=1, shot=0)
        writer.close()
    return Inputs.of(Frames.read(folder), scene.alignments, scene.converted)


def test_faces_of_a_clip_out_of_focus_are_blurred_and_then_not_softened_again(
    make_scene: Callable[..., Any], tmp_path: Path
) -> None:
    scene = make_scene(frames=4, size=64, drawn=lambda number: 255 * face(64, number))
    soft = soft_clip(scene, tmp_path / "soft", lambda _: 1.5)
    settings = CompositingSettings(motion_blur=0.0, sharpness=1.0)
    made = matches(soft, settings, "test")
    assert all(match.blur > 0.5 / SIDE for match in made)
    assert all(match.detail > 0.95 for match in made)
    left = matches(soft, settings.model_copy(update={"focus": 0.0}), "test")
    assert all(match.blur == 0.0 and match.detail < 0.8 for match in left)


@pytest.mark.parametrize("motion_blur", [0.0, 1.0])
def test_a_preview_shows_the_focus_of_the_finished_frames(
    make_scene: Callable[..., Any], tmp_path: Path, motion_blur: float
) -> None:
    """Of a clip whose focus is pulled, where nothing else reaches as far over time; after a look at it without."""
    scene = make_scene(frames=16, size=64, drawn=lambda number: 255 * face(64, number % 3))
    soft = soft_clip(scene, tmp_path / "soft", lambda number: 0.6 + 0.1 * number)
    colour = ColourSettings(method="none", steady=0.0)
    settings = CompositingSettings(colour=colour, light=LightSettings(method="none"), motion_blur=motion_blur)
    (tmp_path / "done").mkdir()
    composite(soft.frames, scene.alignments, scene.converted, tmp_path / "done", settings)
    preview = Preview(soft, [8])
    without = preview.finished(settings.model_copy(update={"focus": 0.0}))[8]
    shown = preview.finished(settings)[8]
    (finished,) = Frames.read(tmp_path / "done").pick([8])
    np.testing.assert_array_equal(shown, finished.rgb())
    assert (shown != without).any()
