"""Where the maps of eyes and mouth lie: on what they are named for, soft at the edge, nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.topology import LEFT_EYE, RIGHT_EYE
from stages.training.regions import _EDGE, _LIPS, _MARGIN, eyes_map, mouth_map

SIZE = 128
_FINER = 9
"""Odd, so that a fine pixel lies at the centre of each."""


def ellipse(x: float, y: float, width: float, height: float, count: int) -> NDArray[np.float32]:
    """Points round an ellipse, in the unit crop."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1).astype(np.float32)


def face(x: float = 0.5, y: float = 0.45) -> NDArray[np.float32]:
    """478 landmarks of which eyes and lips are right, about a place between the eyes."""
    points = np.full((478, 2), (x, y), np.float32)
    points[list(RIGHT_EYE)] = ellipse(x - 0.14, y, 0.06, 0.025, len(RIGHT_EYE))
    points[list(LEFT_EYE)] = ellipse(x + 0.14, y, 0.06, 0.025, len(LEFT_EYE))
    points[list(_LIPS)] = ellipse(x, y + 0.3, 0.12, 0.05, len(_LIPS))
    return points


def distances(x: float, y: float, width: float, height: float, size: int) -> NDArray[np.float64]:
    """From each pixel's centre to an ellipse, in shares of the side; negative inside it. Good to a tenth of a pixel."""
    fine = _FINER * size
    down, across = (np.mgrid[:fine, :fine] + 0.5) / fine
    inside = (((across - x) / width) ** 2 + ((down - y) / height) ** 2 < 1).astype(np.uint8)
    far = [cv2.distanceTransform(each, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for each in (1 - inside, inside)]
    return np.asarray((far[0] - far[1])[_FINER // 2 :: _FINER, _FINER // 2 :: _FINER] / fine, np.float64)


@settings(max_examples=15, deadline=None)
@given(x=st.floats(0.4, 0.6), y=st.floats(0.35, 0.55), size=st.sampled_from([64, 128]))
def test_maps_are_full_on_their_parts_and_nothing_away_from_them(x: float, y: float, size: int) -> None:
    points = face(x, y)
    right, left = (distances(x + aside, y, 0.06, 0.025, size) for aside in (-0.14, 0.14))
    for drawn, away in (
        (eyes_map(points, size), np.minimum(right, left)),
        (mouth_map(points, size), distances(x, y + 0.3, 0.12, 0.05, size)),
    ):
        assert (drawn.dtype, drawn.shape) == (np.uint8, (size, size))
        assert drawn[away < -0.012].min() > 230
        assert drawn[away < 0].min() > 200, "the soft edge lies outside of the part"
        assert not drawn[away > _MARGIN + 4 * _EDGE + 1 / size].any()
        soft = drawn[(away > 0) & (away < _MARGIN + 2 * _EDGE)]
        assert ((soft > 20) & (soft < 235)).any()


def test_a_map_falls_with_the_distance() -> None:
    drawn = eyes_map(face(), SIZE)[:, round((0.5 + 0.14) * SIZE)].astype(int)
    middle = round(0.45 * SIZE)
    assert (np.diff(drawn[middle:]) <= 0).all()
    assert (np.diff(drawn[:middle]) >= 0).all()


@pytest.mark.parametrize(("moved", "drawn", "kept"), [(_LIPS, mouth_map, eyes_map), (RIGHT_EYE, eyes_map, mouth_map)])
def test_a_map_follows_its_own_landmarks_alone(moved: tuple[int, ...], drawn: object, kept: object) -> None:
    before, after = face(), face()
    after[list(moved)] += 0.05
    assert callable(drawn)
    assert callable(kept)
    assert np.array_equal(kept(before, SIZE), kept(after, SIZE))
    assert not np.array_equal(drawn(before, SIZE), drawn(after, SIZE))


def test_the_mouth_is_full_between_open_lips() -> None:
    points = face()
    points[list(_LIPS)] = ellipse(0.5, 0.75, 0.1, 0.12, len(_LIPS))
    assert mouth_map(points, SIZE)[round(0.75 * SIZE), SIZE // 2] == 255
