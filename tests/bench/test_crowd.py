"""Several people in one picture: what is said to be true of them is what the picture shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stages.bench.crowd import CAMERA, Mark, Role, Scene, between, cast, named, shoot
from stages.rendering.head import HeadBasis
from stages.rendering.render import Performer, Sensor

NOISELESS = Sensor(noise=0.0, shot=0.0, blur=0.0)
SCENE = Scene(
    seed=3,
    frames=3,
    rate=5,
    roles=(
        Role("near", 21, 100.0, (Mark(0.0, -12.0, 30.0), Mark(0.4, 8.0, 30.0)), acting=None),
        Role("far", 34, 160.0, (Mark(0.0, 13.0, -20.0),), acting=None),
    ),
    width=320,
    height=192,
    sensor=NOISELESS,
)
"""The near one walks from beside the far one to before it."""


@pytest.fixture(scope="module")
def performers() -> dict[str, Performer]:
    return cast(SCENE, HeadBasis.load())


def test_who_stands_in_front_covers_and_is_not_covered(performers: dict[str, Performer]) -> None:
    both = list(shoot(SCENE, performers))
    alone = {name: list(shoot(named(SCENE, [name]), performers)) for name in ("near", "far")}
    covered = [shot.people[1].covered for shot in both]
    assert covered[0] < 0.1 < 0.9 < covered[-1]
    assert [shot.people[0].covered for shot in both] == [0.0] * 3
    for together, near, far in zip(both, alone["near"], alone["far"], strict=True):
        face = _inside(together.people[0].landmarks)
        np.testing.assert_array_equal(together.rgb[face], near.rgb[face])
        assert far.people[0].covered == 0.0
        np.testing.assert_array_equal(far.people[0].landmarks, together.people[1].landmarks)
    far_face = _inside(both[0].people[1].landmarks)
    np.testing.assert_array_equal(both[0].rgb[far_face], alone["far"][0].rgb[far_face])
    assert (both[-1].rgb[_inside(both[-1].people[1].landmarks)] != alone["far"][-1].rgb[far_face]).mean() > 0.9


def test_turn_and_size_are_as_the_scene_says(performers: dict[str, Performer]) -> None:
    for shot in shoot(SCENE, performers):
        assert [round(person.yaw) for person in shot.people] == pytest.approx([30, -20], abs=4)
        assert [person.size for person in shot.people] == pytest.approx([17.7 * 3.84, 17.7 * 2.4], rel=0.12)
        for person in shot.people:
            corners = person.landmarks[[36, 45]].astype(float)
            expected = person.eyes * np.cos(np.radians(person.yaw))
            assert np.linalg.norm(corners[0] - corners[1]) == pytest.approx(expected, rel=0.05)


def test_a_person_outside_of_the_picture_is_covered_in_full(performers: dict[str, Performer]) -> None:
    away = replace(SCENE.roles[1], marks=(Mark(0.0, 200.0),))
    scene = replace(SCENE, frames=1, roles=(SCENE.roles[0], away))
    assert next(shoot(scene, performers)).people[1].covered == 1.0


def test_the_same_scene_gives_the_same_pictures(performers: dict[str, Performer]) -> None:
    noisy = replace(SCENE, frames=2, sensor=CAMERA)
    for first, second in zip(shoot(noisy, performers), shoot(noisy, performers), strict=True):
        np.testing.assert_array_equal(first.rgb, second.rgb)


def test_people_who_could_reach_into_each_other_are_refused(performers: dict[str, Performer]) -> None:
    close = replace(SCENE, roles=(SCENE.roles[0], replace(SCENE.roles[1], distance=110.0)))
    with pytest.raises(ValueError, match="at least 30 cm apart"):
        next(shoot(close, performers))


def test_paths_go_through_their_marks_and_rest_there() -> None:
    marks = (Mark(0.0, 1.0), Mark(1.0, 5.0), Mark(2.0, -1.0))
    np.testing.assert_allclose(between(marks, "x", np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 9.0])), [1, 1, 3, 5, -1, -1])
    near = between(marks, "x", np.array([0.99, 1.0, 1.01]))
    assert np.abs(np.diff(near)).max() < 1e-3


def _inside(landmarks: np.ndarray) -> tuple[slice, slice]:
    """The inner square of a face: rows and columns."""
    (x0, y0), (x1, y1) = landmarks[27:68].min(axis=0).astype(int) + 2, landmarks[27:68].max(axis=0).astype(int) - 2
    return slice(y0, y1), slice(x0, x1)
