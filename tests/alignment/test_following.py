"""One look at a face that was well known a frame ago; two at any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from stages.alignment.following import (
    AHEAD,
    ASIDE,
    CERTAIN,
    TILT,
    Following,
    Placed,
    astray,
    carried,
    distance,
    tilt_of,
)
from stages.geometry import apply
from stages.packs import Detector, Landmarker, five_points, open_pack
from stages.packs.canonical import read_canonical
from tests.film import BACKGROUND, collins, moved, placed

Calls = list[tuple[int, int]]
"""Of each look at faces: how many points they were known by, and how many passes were asked for."""


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker(open_pack(), device="cpu", threads=1)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    made: Calls = []
    refine = Landmarker.refine

    def counted(self: Landmarker, frame: Any, points: Any, **more: Any) -> Any:
        made.append((np.shape(points)[1], more.get("passes", 1)))
        return refine(self, frame, points, **more)

    monkeypatch.setattr(Landmarker, "refine", counted)
    return made


def at(number: int) -> np.ndarray:
    """Where the portrait lies: it moves and turns a little from frame to frame."""
    return moved(100 + 4 * number, 110, scale=0.9, degrees=2 * number)


def picture(number: int) -> np.ndarray:
    return placed((collins(), at(number)))


@pytest.fixture(scope="module")
def points(landmarker: Landmarker) -> np.ndarray:
    """The portrait's own five points, by which every frame's are known."""
    found = Detector(open_pack(), score=0.5, device="cpu", threads=1).detect([picture(0)])[0]
    landmarks, sure = landmarker.refine(picture(0), found.points[:1])
    assert sure[0] > CERTAIN
    inverse = cv2.invertAffineTransform(at(0))
    return apply(inverse, five_points(landmarks)[0])


def known_by(points: np.ndarray, number: int) -> np.ndarray:
    return apply(at(number), points)[None].astype(np.float32)


def test_a_face_that_moves_a_little_is_looked_at_once_and_lies_where_two_looks_put_it(
    landmarker: Landmarker, points: np.ndarray, calls: Calls
) -> None:
    follow = Following(landmarker)
    for number in range(4):
        landmarks, sure = follow.at(number, picture(number), known_by(points, number))
        assert calls == ([(5, 1), (478, 1)] if number == 0 else [(478, 1)])
        calls.clear()
        twice, _ = landmarker.refine(picture(number), known_by(points, number), passes=2, tilt=np.full(1, TILT))
        calls.clear()
        eyes = np.linalg.norm(twice[0, 33, :2] - twice[0, 263, :2])
        assert sure[0] > CERTAIN
        assert np.linalg.norm(landmarks[0, :, :2] - twice[0, :, :2], axis=1).mean() < 0.015 * eyes


@pytest.mark.parametrize(
    ("frame", "shift", "why"), [(7, 0.0, "frames are missing"), (1, 60.0, "it is somewhere else, or somebody else")]
)
def test_a_face_that_is_new_is_looked_at_twice(
    landmarker: Landmarker, points: np.ndarray, calls: Calls, frame: int, shift: float, why: str
) -> None:
    follow = Following(landmarker)
    follow.at(0, picture(0), known_by(points, 0))
    calls.clear()
    follow.at(frame, picture(0), known_by(points, 0) + np.float32(shift))
    assert calls == [(5, 1), (478, 1)], why


def test_where_the_face_went_away_it_is_looked_at_as_new_and_not_taken_for_sure(
    landmarker: Landmarker, points: np.ndarray, calls: Calls
) -> None:
    follow = Following(landmarker)
    follow.at(0, picture(0), known_by(points, 0))
    calls.clear()
    _, sure = follow.at(1, BACKGROUND, known_by(points, 0))
    assert calls == [(478, 1), (5, 1), (478, 1)]
    assert sure[0] < 0.5


@pytest.mark.parametrize(("aside", "wrong"), [(0.0, False), (0.4, False), (1.0, True), (3.0, True)])
def test_landmarks_on_the_face_beside_are_told(
    landmarker: Landmarker, points: np.ndarray, aside: float, wrong: bool
) -> None:
    known = known_by(points, 0)
    landmarks, _ = landmarker.refine(picture(0), known)
    across = float(np.linalg.norm(known[0, 1] - known[0, 0]))
    moved_aside = landmarks + np.array([aside * across, 0.0, 0.0], np.float32)
    np.testing.assert_array_equal(astray(moved_aside, known), [wrong])


def test_a_follower_that_was_carried_wrongly_comes_to_where_a_new_look_puts_it(
    landmarker: Landmarker, points: np.ndarray, calls: Calls
) -> None:
    """The landmarks of the frame before lie beside the face, though the network was sure: a second opinion is asked."""
    follow = Following(landmarker)
    landmarks, sure = follow.at(0, picture(0), known_by(points, 0))
    beside = landmarks + np.array([40.0, 0.0, 0.0], np.float32)
    follow._last = Placed(0, known_by(points, 0), beside, np.zeros_like(beside), sure)
    calls.clear()
    again, _ = follow.at(1, picture(0), known_by(points, 0))
    assert calls == [(478, 1), (5, 1), (478, 1)]
    assert np.linalg.norm(again[0, :, :2] - landmarks[0, :, :2], axis=1).mean() < 0.6  # looked at 40 pixels aside


def test_landmarks_are_carried_as_the_five_points_move_with_what_the_first_look_saw_beside_them() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 100, (1, 5, 2)).astype(np.float32)
    before[0, :2] = [[60, 80], [100, 80]]  # eyes
    landmarks, aside = rng.uniform(0, 100, (2, 1, 478, 3)).astype(np.float32)
    move = moved(101, 121, scale=1.1, degrees=4)
    after = apply(move, before[0]).astype(np.float32)
    last = Placed(0, before, landmarks, aside, np.ones(1, np.float32))
    follows = carried(after, last)
    assert follows is not None
    start, beside = follows
    np.testing.assert_allclose(start[:, :2], apply(move, (landmarks + aside)[0, :, :2]), atol=1e-2)
    np.testing.assert_allclose(start[:, 2], 1.1 * (landmarks + aside)[0, :, 2], rtol=1e-3)
    own = carried(after, replace(last, aside=np.zeros_like(aside)))
    assert own is not None
    np.testing.assert_allclose(start - beside, own[0], atol=1e-2)
    assert carried(after, replace(last, sure=np.full(1, CERTAIN / 2, np.float32))) is None
    assert carried(after, None) is None


def test_a_face_is_tilted_less_the_more_it_is_turned_away() -> None:
    face = read_canonical(open_pack().files["canonical_face"])
    face = np.concatenate([face, face[:10]])  # irises count for nothing here
    yaws = np.radians([0.0, AHEAD - 1.0, -(AHEAD + ASIDE) / 2, (AHEAD + ASIDE) / 2, ASIDE + 1.0])
    turns = [[[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]] for yaw in yaws]
    tilts = tilt_of(np.stack([face @ np.array(turn).T for turn in turns]).astype(np.float32))
    np.testing.assert_allclose(tilts, [TILT, TILT, TILT / 2, TILT / 2, 0.0], atol=0.3)


def test_the_distance_does_not_depend_on_how_large_the_face_is() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.uniform(0, 100, (2, 3, 478, 3)).astype(np.float32)
    np.testing.assert_allclose(distance(one, other), distance(7 * one, 7 * other), rtol=1e-5)
    assert (distance(one, one) == 0).all()
