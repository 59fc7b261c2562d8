"""The similarity to the canonical crop, and the pose, from landmarks that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.alignment.canonical_crop import SIDE, fit, template
from stages.alignment.measures import exposure, share_seen, sharpness
from stages.expression import FOCAL, angles_of, eyes_open, mouth_open, pose_of
from stages.geometry import Floats, apply, compose, invert, scale_of
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.topology import CHIN, FOREHEAD, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS

WIDTH, HEIGHT = 640, 480
FACE = read_canonical(open_pack().files["canonical_face"])


def turned(yaw: float, pitch: float, roll: float) -> Floats:
    """Roll first, then pitch, then yaw, in degrees, signs as in docs/architecture.md."""
    y, p, r = np.radians([-yaw, -pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


def seen(rotation: Floats, x: float = 0.0, y: float = 0.0, z: float = 90.0) -> NDArray[np.float64]:
    """Landmarks (478, 3) of the canonical face in space, through a pinhole camera; the irises between the corners."""
    eyes = [FACE[list(corners)].mean(axis=0, keepdims=True) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    whole = np.concatenate([FACE, *(eye.repeat(5, axis=0) for eye in eyes)])
    space = whole @ rotation.T + [x, y, z]
    focal = FOCAL * WIDTH
    flat = focal * space[:, :2] / space[:, 2:] + [WIDTH / 2, HEIGHT / 2]
    return np.column_stack([flat, (space[:, 2] - z) * focal / z])


def test_a_face_that_looks_straight_ahead_lies_where_the_documentation_says() -> None:
    crop = template(FACE, np.eye(3))
    np.testing.assert_allclose(crop[FOREHEAD], (0.50, 0.11), atol=0.005)
    np.testing.assert_allclose(crop[CHIN], (0.50, 0.85), atol=0.005)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-45, 45),
    st.floats(-25, 25),
    st.floats(-180, 180),
    st.floats(0.5, 8),
    st.floats(0, 600),
    st.floats(0, 400),
)
def test_the_crop_moves_with_the_face(yaw: float, pitch: float, roll: float, scale: float, x: float, y: float) -> None:
    """Without perspective: a similar picture of a face gives the same crop; the scale is that of the head itself."""
    flat = (FACE @ turned(yaw, pitch, 0).T)[:, :2]
    base = np.concatenate([flat, np.zeros((10, 2))])
    angle = np.radians(roll)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    movement = np.column_stack([linear, [x, y]])
    still, moved = fit(base, FACE), fit(apply(movement, base), FACE)
    np.testing.assert_allclose(compose(movement, moved), still, atol=1e-6)
    assert scale_of(still) == pytest.approx(1 / SIDE, rel=0.02)


def test_turning_the_head_does_not_zoom_the_crop() -> None:
    sizes = [1 / scale_of(fit(seen(turned(yaw, 0, 0)), FACE)) for yaw in range(-50, 51, 10)]
    assert max(sizes) / min(sizes) < 1.06


def test_expressions_do_not_move_the_crop() -> None:
    landmarks = seen(np.eye(3))
    opened = landmarks.copy()
    opened[landmarks[:, 1] > landmarks[2, 1] + 25, 1] += 20.0  # all that lies clearly below the nose
    np.testing.assert_array_equal(fit(landmarks, FACE), fit(opened, FACE))


@settings(max_examples=40, deadline=None)
@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(-60, 60), st.floats(-20, 20), st.floats(-15, 15))
def test_the_pose_is_found_exactly(yaw: float, pitch: float, roll: float, x: float, y: float) -> None:
    pose = pose_of(seen(turned(yaw, pitch, roll), x, y), FACE, WIDTH, HEIGHT)
    np.testing.assert_allclose(pose, (yaw, pitch, roll), atol=0.05)


@settings(max_examples=40, deadline=None)
@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-170, 170))
def test_angles_and_rotations_go_round(yaw: float, pitch: float, roll: float) -> None:
    np.testing.assert_allclose(angles_of(turned(yaw, pitch, roll)), (yaw, pitch, roll), atol=1e-6)


def test_signs_of_the_pose() -> None:
    """The nose goes to the picture's right with yaw, up with pitch; the right eye rises with roll."""
    still = seen(np.eye(3))
    nose = 4
    assert seen(turned(20, 0, 0))[nose, 0] > still[nose, 0]
    assert seen(turned(0, 20, 0))[nose, 1] < still[nose, 1]
    rolled = seen(turned(0, 0, 20))
    assert rolled[RIGHT_EYE_CORNERS[0], 1] < rolled[LEFT_EYE_CORNERS[0], 1]


def test_mouth_and_eyes() -> None:
    landmarks = seen(np.eye(3))
    closed = mouth_open(landmarks)
    assert closed < 0.07  # the canonical face's lips are a little apart
    opened = landmarks.copy()
    opened[[14, 87, 317], 1] += 0.4 * np.linalg.norm(landmarks[33] - landmarks[263])
    assert mouth_open(opened) - closed == pytest.approx(0.4, abs=0.02)
    left, right = eyes_open(landmarks)
    assert left == pytest.approx(right, rel=1e-3)
    shut = landmarks.copy()
    shut[[386, 385, 387]] = shut[[374, 380, 373]]
    assert eyes_open(shut) == (pytest.approx(0.0, abs=1e-6), pytest.approx(right))


def test_sharpness_falls_with_blur_and_exposure_is_the_mean() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    flat = np.full((128, 128, 3), 51, np.uint8)
    assert sharpness(noise) > 100 * sharpness(flat) == 0.0
    assert exposure(flat) == pytest.approx(0.2, abs=1e-3)


@given(st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_share_that_is_seen_is_that_within_the_face(height: float, seed: int) -> None:
    """Of a square face whose lowest part is hidden; what lies beside it does not count."""
    square = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])
    visible = np.random.default_rng(seed).random((128, 128)).astype(np.float32)
    visible[32:97, 32:97] = 1.0
    visible[round(97 - 65 * height) :, 32:97] = 0.0
    assert share_seen(visible, square) == pytest.approx(1.0 - height, abs=0.02)
    assert share_seen(visible, square + 9.0) == 1.0


def test_the_inverse_takes_the_template_back() -> None:
    landmarks = seen(turned(10, 5, 20))
    transform = fit(landmarks, FACE)
    np.testing.assert_allclose(
        apply(invert(transform), apply(transform, landmarks[:, :2])), landmarks[:, :2], atol=1e-6
    )
