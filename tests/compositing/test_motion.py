"""Motion blur is measured and matched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing import motion
from stages.compositing.focus import WIDTH as FOCUS
from stages.compositing.inputs import Inputs
from stages.compositing.matching import _smears, matches, sampled
from stages.compositing.measuring import Measured
from stages.compositing.motion import SAMPLES, SHARES, WIDTH, detail_left, in_crop, samples_of, shutters, smear, smeared
from stages.compositing.settings import CompositingSettings
from stages.compositing.sharpness import detail_of_luma

SIDE = 192
WHOLE = np.ones((SIDE, SIDE), np.float32)


def texture(seed: int) -> NDArray[np.float32]:
    """Something with as much detail along any direction."""
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 1.5)
    grey = np.clip(0.5 + 0.12 * soft / soft.std(), 0, 1)
    return np.asarray(grey, np.float32)


def test_a_point_becomes_an_even_line_about_its_place() -> None:
    point = np.zeros((31, 31), np.float32)
    point[15, 15] = 1.0
    made = smear(point, np.array([8.0, 0.0]))
    assert made.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(made[15, 12:19], 1 / 8, atol=1e-3)
    assert made[15, :10].sum() + made[15, 21:].sum() == pytest.approx(0.0, abs=1e-6)
    assert np.delete(made, 15, axis=0).sum() == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-20, 20), st.floats(-20, 20))
@hypothesis_settings(max_examples=30, deadline=None)
def test_a_smear_keeps_the_sum_and_the_middle_and_spreads_as_its_length_says(x: float, y: float) -> None:
    point = np.zeros((65, 65), np.float32)
    point[32, 32] = 1.0
    made = smear(point, np.array([x, y])).astype(np.float64)
    assert made.sum() == pytest.approx(1.0, abs=1e-4)
    places = np.arange(65) - 32
    for axis, length in ((0, x), (1, y)):
        shares = made.sum(axis=axis)
        assert (shares * places).sum() == pytest.approx(0.0, abs=1e-3)
        if np.hypot(x, y) >= 0.3:
            # of an even line, and what sharing among whole pixels adds at most
            assert -1e-3 <= (shares * places**2).sum() - length**2 / 12 <= 0.26


@pytest.mark.parametrize("way", [(7.0, 0.0), (0.0, 6.0), (5.0, -4.0)])
@pytest.mark.parametrize("shutter", [0.0, 0.3, 0.5, 0.9])
def test_the_shutter_that_smeared_the_targets_is_found(way: tuple[float, float], shutter: float) -> None:
    """From pictures of other textures, some of which move half as far."""
    ways = [np.array(way) * share for share in (1.0, 0.8, 0.5, 1.0)]
    found = np.stack(
        [
            smeared(texture(number), smear(texture(10 + number), shutter * each), WHOLE, each, SIDE)
            for number, each in enumerate(ways)
        ]
    )
    lengths = np.array([np.hypot(*each) for each in ways])
    assert shutters(found, lengths, [np.arange(4)]) == [pytest.approx(shutter, abs=0.13)]


def test_a_target_that_is_sharper_than_the_face_along_its_way_gets_no_smear() -> None:
    way = np.array([6.0, 0.0])
    found = smeared(smear(texture(0), way), texture(1), WHOLE, way, SIDE)[None]
    assert shutters(found, np.array([6.0]), [np.arange(1)]) == [0.0]


@pytest.mark.parametrize("way", [(0.0, 0.0), (1.0, 0.5), (0.3 * SIDE, 0.0)])
def test_what_hardly_moves_or_jumps_tells_nothing(way: tuple[float, float]) -> None:
    found = smeared(texture(0), texture(1), WHOLE, np.array(way), SIDE)
    np.testing.assert_array_equal(found, np.zeros(WIDTH))
    assert shutters(found[None], np.array([1.0]), [np.arange(1)]) == [0.0]
    assert detail_left(found, 0.5) is None


def test_detail_is_what_is_left_after_smearing() -> None:
    way, face = np.array([5.0, 2.0]), texture(3)
    found = smeared(face, texture(4), WHOLE, way, SIDE)
    for share in SHARES:
        left = detail_of_luma(smear(face, share * way), WHOLE) / detail_of_luma(face, WHOLE)
        assert detail_left(found, share) == pytest.approx(left, rel=1e-4)


def test_the_fastest_tell_the_shutter() -> None:
    motion = np.zeros((200, 2))
    motion[50:90, 0] = 9.0
    chosen = samples_of(np.arange(10, 200), motion)
    assert len(chosen) == SAMPLES
    assert set(range(50, 90)) <= set(chosen.tolist())
    assert (np.diff(chosen) > 0).all()


def test_a_faces_motion_is_that_of_its_landmarks_in_the_time_of_its_frame(make_scene: Callable[..., Any]) -> None:
    """The scene's face moves a pixel to the right a frame; where frames come at uneven times, in proportion."""
    scene = make_scene(frames=6, cut=3, times=lambda number: 2 * number if number < 3 else 10 + number)
    faces = Inputs.of(scene.frames, scene.alignments, scene.converted).faces
    np.testing.assert_allclose(faces["motion_x"], [0.5, 0.5, 0.5, 1.0, 1.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(faces["motion_y"], 0.0, atol=1e-9)
    turned = np.array([[0.0, 0.01, 0.3], [-0.01, 0.0, 0.1]])
    np.testing.assert_allclose(in_crop(np.array([3.0, 1.0]), turned, 100), [1.0, -3.0])


def test_a_face_that_is_alone_does_not_move(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(frames=1)
    faces = Inputs.of(scene.frames, scene.alignments, scene.converted).faces
    assert faces[["motion_x", "motion_y"]].to_numpy().tolist() == [[0.0, 0.0]]


def test_it_is_off_where_the_settings_say_so_and_where_nothing_moves_enough(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(frames=4)
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    for settings in (CompositingSettings(), CompositingSettings(motion_blur=0.0)):
        made = matches(inputs, settings, "test")
        assert [match.smear for match in made] == [None] * 4


def test_a_face_that_jumps_further_than_can_be_measured_is_not_blurred_out_of_focus_as_well(
    make_scene: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(frames=4)
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    moved = inputs.faces.assign(motion_x=[8.0, 8.0, 40.0, 8.0], motion_y=0.0)
    found = Measured(
        statistics=np.ones((4, 2, 13)),
        shading=np.ones((4, 1, 1, 5), np.float16),
        colours=np.ones((4, 2, 0, 3), np.float16),
        smears=np.ones((4, WIDTH)),
        whites=np.ones((4, 2, 5)),
        tints=np.ones((4, 2, 9)),
        focus=np.ones((4, FOCUS)),
        levels=np.zeros(4),
        depths=np.ones((4, 2)),
        seen=np.ones(4),
    )
    found.smears[2] = 0.0
    monkeypatch.setattr(motion, "shutters", lambda *_: [0.5])
    _, focused, smears = _smears(found, moved, sampled(moved), CompositingSettings())
    assert [each is not None for each in smears] == [True] * 4
    assert not focused[2].any()
    assert focused[[0, 1, 3]].all()
    _, left, _ = _smears(found, moved, sampled(moved), CompositingSettings(motion_blur=0.0))
    assert left[2].all()
