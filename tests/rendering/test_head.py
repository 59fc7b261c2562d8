"""Heads: whole meshes whose shape, expression, gaze and lids do what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from stages.problems import Problem
from stages.rendering.head import STEADY, HeadBasis, dense
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.posing import Pose, express, lid_vertices, pose_head, rotation

RIGHT_MOUTH, LEFT_MOUTH, INNER_TOP, INNER_BOTTOM = 48, 54, 62, 66


def _landmark(head: Head, positions: np.ndarray, number: int) -> np.ndarray:
    return positions[head.landmarks[number]]


def test_a_head_is_one_consistent_mesh(head: Head) -> None:
    count = len(head.positions)
    assert head.faces.min() == 0
    assert head.faces.max() == count - 1
    assert {len(a) for a in (head.normals, head.uv, head.rest, head.occlusion, head.neck, head.weld)} == {count}
    assert np.isfinite(head.positions).all()
    np.testing.assert_allclose(np.linalg.norm(head.normals, axis=1), 1.0, atol=1e-3)
    assert set(np.unique(head.parts)) >= {
        Part.SKIN,
        Part.LIPS,
        Part.EYE,
        Part.TEETH,
        Part.TONGUE,
        Part.MOUTH,
        Part.NECK,
    }


def test_skin_faces_look_outward(head: Head) -> None:
    corners = head.positions[head.faces[np.isin(head.parts, (Part.SKIN, Part.EYE))]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = np.einsum("fc,fc->", normals, corners.mean(1)) / 6.0
    assert volume > 1000.0  # cm3, and positive


def test_adults_have_faces_of_adult_size(basis: HeadBasis) -> None:
    for seed in range(4):
        shaped = basis.shape(Identity.from_seed(seed))[0][basis.weld[basis.landmarks]]
        eyes = np.linalg.norm(shaped[[36, 39]].mean(0) - shaped[[42, 45]].mean(0))
        height = shaped[27, 1] - shaped[8, 1]
        assert 4.5 < eyes < 8.5
        assert 8.0 < height < 18.0


def test_heads_differ_in_shape_but_not_in_size_place_or_attitude_of_their_vertices() -> None:
    """What `placement` then starts from."""
    basis = HeadBasis.load(placement=None)
    mean = basis.mean()[list(STEADY)]
    for seed in range(8):
        own = basis.shape(Identity.from_seed(seed))[0][list(STEADY)]
        np.testing.assert_allclose(own.mean(0), mean.mean(0), atol=1e-9)
        spread, common = own - own.mean(0), mean - mean.mean(0)
        assert (spread * common).sum() / (spread**2).sum() == pytest.approx(1.0)
        turn = Rotation.align_vectors(common, spread)[0]
        assert np.degrees(turn.magnitude()) == pytest.approx(0.0, abs=1e-3)
        assert np.abs(own - mean).max() > 0.1  # cm


def test_an_expression_goes_with_the_attitude_of_its_head(basis: HeadBasis) -> None:
    identity = Identity.from_seed(1002)
    _, onto_mean = basis.shape(identity)
    assert np.degrees(Rotation.from_matrix(onto_mean / np.cbrt(np.linalg.det(onto_mean))).magnitude()) > 5
    rows, moved = basis.build(identity).units["jawOpen"]
    skin = rows < len(basis.weld)
    meant = dense(*basis.units["jawOpen"], len(basis.positions))[basis.weld[rows[skin]]]
    np.testing.assert_allclose(moved[skin] @ np.linalg.inv(onto_mean).T, meant, atol=1e-5)


def test_shoulders_stay_under_a_head_of_another_attitude(basis: HeadBasis) -> None:
    shaped, onto_mean = basis.shape(Identity.from_seed(1002))
    straight = (shaped - basis.mean()[list(STEADY)].mean(0)) @ np.linalg.inv(onto_mean).T
    below, skull = basis.neck < 0.01, basis.neck > 0.99
    assert below.any()
    lean = np.diff([shaped[where][:, 2].mean() - straight[where][:, 2].mean() for where in (skull, below)])
    assert np.abs(lean) > 0.5  # cm: they did not turn together


def test_landmarks_are_in_ibug_order(head: Head) -> None:
    points = head.positions[head.landmarks]
    assert (np.diff(points[:17, 0]) > -0.3).all()  # the jaw from the picture's left to its right
    assert points[36:42, 0].max() < points[42:48, 0].min()  # the right eye is on the picture's left
    assert points[8, 1] == points[:17, 1].min()  # the chin is lowest
    assert points[30, 2] > points[[27, 31, 33, 35], 2].max()  # the tip of the nose stands out
    assert points[RIGHT_MOUTH, 0] < points[51, 0] < points[LEFT_MOUTH, 0]


@pytest.mark.parametrize(
    ("angles", "axis", "sign"),
    [((20.0, 0.0, 0.0), 0, 1), ((0.0, 20.0, 0.0), 1, -1)],
    ids=["yaw turns the face to the picture's right", "pitch turns it up"],
)
def test_pose_signs(angles: tuple[float, float, float], axis: int, sign: int) -> None:
    assert sign * (rotation(*angles) @ [0.0, 0.0, 1.0])[axis] > 0.3


def test_roll_is_clockwise_in_the_picture() -> None:
    assert (rotation(0.0, 0.0, 20.0) @ [0.0, 1.0, 0.0])[0] > 0.3


def test_rotation_is_rigid() -> None:
    turned = rotation(31.0, -12.0, 7.0)
    np.testing.assert_allclose(turned @ turned.T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(turned), 1.0)


def test_jaw_opens_the_mouth_and_carries_the_lower_teeth(head: Head) -> None:
    shut = express(head, Pose())
    wide = express(head, Pose(units={"jawOpen": 1.0}))
    gap = [(_landmark(head, p, INNER_TOP) - _landmark(head, p, INNER_BOTTOM))[1] for p in (shut, wide)]
    assert gap[1] - gap[0] > 1.5
    teeth = np.unique(head.faces[head.parts == Part.TEETH])
    moved = np.linalg.norm((wide - shut)[teeth], axis=1)
    assert moved.max() > 1.0  # the lower row
    assert moved.min() < 0.01  # the upper row


def test_a_blink_closes_the_eye_without_the_ball_showing_through(head: Head) -> None:
    for gaze in (0.0, 20.0, -20.0):
        closed = express(head, Pose(gaze_yaw=gaze, units={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}))
        for eye, rows in zip(head.eyes, lid_vertices(head), strict=True):
            distance = np.linalg.norm(closed[rows] - eye.centre, axis=1)
            assert distance.min() >= eye.radius
        for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
            apart = (_landmark(head, closed, upper) - _landmark(head, closed, lower))[1]
            assert apart < 0.25


def test_gaze_turns_the_eyes_about_their_centres(head: Head) -> None:
    moved = express(head, Pose(gaze_yaw=15.0, gaze_pitch=-10.0))
    for eye in head.eyes:
        rows = slice(*eye.vertices)
        before = np.linalg.norm(head.positions[rows] - eye.centre, axis=1)
        np.testing.assert_allclose(np.linalg.norm(moved[rows] - eye.centre, axis=1), before, atol=1e-4)
        pole = moved[eye.vertices[0]] - eye.centre
        assert pole[0] > 0.0  # to the person's left
        assert pole[1] < 0.0  # and down


def test_posing_is_rigid_for_the_skull_and_leaves_the_shoulders(head: Head) -> None:
    pose = Pose(yaw=30.0, pitch=10.0, roll=5.0, position=(1.0, 2.0, 70.0))
    posed = pose_head(head, None, pose)
    skull = head.neck == 1.0
    expected = express(head, pose)[skull] @ posed.rotation.T + posed.translation
    np.testing.assert_allclose(posed.positions[skull], expected, atol=1e-3)
    still = pose_head(head, None, Pose(position=(1.0, 2.0, 70.0)))
    shoulders = head.neck == 0.0
    assert np.abs(posed.positions[shoulders] - still.positions[shoulders]).max() < 3.0


def test_a_missing_or_broken_head_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="build_head"):
        HeadBasis.load(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not tensors")
    with pytest.raises(Problem, match=r"broken\.safetensors"):
        HeadBasis.load(broken)
