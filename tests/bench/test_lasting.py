"""Flicker, edges and late lips of a finished scene: a still one has none, and each is seen where it was put in."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stages.bench.answers import Mask
from stages.bench.lasting import lasting
from stages.bench.playing import Picture, Swapped
from stages.bench.scenes import Take
from stages.packs import Landmarker
from stages.rendering.mesh import Part

Points = NDArray[np.float32]

COUNT, SIDE = 30, 96
RNG = np.random.default_rng(0)
NOTHING = np.zeros((COUNT, 2, SIDE, SIDE), bool)
WALL = RNG.integers(60, 200, (SIDE, SIDE, 3), np.uint8)
MOUTH = 0.5 + 0.4 * np.sin(np.arange(COUNT) * 0.9) + 0.1 * np.sin(np.arange(COUNT) * 0.31)


class Lips:
    """In place of the landmarker: the lips are as open as the picture's first pixel says."""

    def refine(self, picture: Picture, landmarks: Points) -> tuple[Points, Points]:
        found = landmarks.copy()
        found[0, 14] = found[0, 13]
        found[0, 13, 1], found[0, 14, 1] = 40.0, 40.0 + 20.0 * float(picture[0, 0, 0]) / 255.0
        return found, np.ones(1, np.float32)


def landmarks() -> Points:
    points = np.zeros((478, 3), np.float32)
    points[:, :2] = np.random.default_rng(1).uniform(20, 76, (478, 2))
    points[33, :2], points[263, :2] = (30, 30), (66, 30)
    return points


def scene(change: Callable[[int, Picture], Picture], late: int = 0, answers: list[Picture] | None = None) -> Swapped:
    """A still face whose lips move; what is finished is the clip, changed; so is the right answer, if not given."""
    parts = np.full((SIDE, SIDE), Part.SKIN, np.uint8)
    clip, finished = [], []
    for number in range(COUNT):
        here, then = WALL.copy(), WALL.copy()
        here[0, 0] = np.uint8(round(255 * MOUTH[number]))
        then[0, 0] = np.uint8(round(255 * MOUTH[max(number - late, 0)]))
        clip.append(here)
        finished.append(change(number, then))
    takes = [Take(each, each, each, parts, parts, landmarks()[:70, :2]) for each in answers or clip]
    faces = pd.DataFrame(
        {"frame": range(COUNT), "shot": 0, "landmarks": [landmarks().ravel()] * COUNT}
        | {"transform": [np.array([1 / SIDE, 0, 0, 0, 1 / SIDE, 0])] * COUNT}
    )
    return Swapped(takes, clip, faces, finished, finished, NOTHING)


def told(made: Swapped) -> dict[str, float]:
    return lasting(made, cast(Landmarker, Lips()))


def inside() -> Mask:
    away = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2))
    return np.asarray(away < 24)


def noisy(picture: Picture, height: float, number: int) -> Picture:
    noise = np.random.default_rng(number).normal(0.0, height, picture.shape)
    return np.where(inside()[..., None], np.clip(picture + noise, 0, 255), picture).astype(np.uint8)


def test_what_flickers_is_told_by_how_much() -> None:
    # the clip's own noise is what a swap's is held against
    steady = scene(lambda number, picture: picture)
    clip = [noisy(each, 4.0, number) for number, each in enumerate(steady.clip)]
    alike = Swapped(steady.takes, clip, steady.faces, [each.copy() for each in clip], clip, NOTHING)
    assert told(alike)["flicker"] == pytest.approx(1.0)
    worse = [noisy(each, 12.0, 100 + number) for number, each in enumerate(steady.clip)]
    assert told(Swapped(steady.takes, clip, steady.faces, worse, worse, NOTHING))["flicker"] > 1.5


def test_an_edge_is_seen_and_a_frame_as_it_was_has_none() -> None:
    step = told(scene(lambda _, picture: np.where(inside()[..., None], picture // 3, picture).astype(np.uint8)))
    assert step["seam"] > 1.1
    assert np.isnan(told(scene(lambda _, picture: picture))["seam"]), "nothing was replaced"


@pytest.mark.parametrize("late", [0, 2])
def test_lips_are_late_by_so_many_frames(late: int) -> None:
    found = told(scene(lambda _, picture: picture, late))
    assert found["lag"] == pytest.approx(late, abs=0.3)


def opened(amounts: NDArray[np.float64]) -> list[Picture]:
    """The still face with lips as open as that."""
    pictures = [WALL.copy() for _ in amounts]
    for picture, amount in zip(pictures, amounts, strict=True):
        picture[0, 0] = np.uint8(round(255 * amount))
    return pictures


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_how_far_lips_open_is_told_by_the_right_answer_and_not_by_the_clip(share: float) -> None:
    answers, finished = opened(0.6 * MOUTH), opened(share * 0.6 * MOUTH)
    found = told(scene(lambda number, _: finished[number], answers=answers))
    assert found["opens"] == pytest.approx(share, abs=0.03)
    assert found["lag"] == pytest.approx(found["answer_lag"], abs=0.05)


def test_the_right_answers_own_lips_show_what_the_instrument_is_off_by() -> None:
    answers = opened(MOUTH[np.maximum(np.arange(COUNT) - 1, 0)])
    found = told(scene(lambda _, picture: picture, answers=answers))
    assert found["answer_lag"] == pytest.approx(1.0, abs=0.3)
    assert found["lag"] == pytest.approx(0.0, abs=0.1)


def test_how_far_lips_open_is_not_told_by_an_answer_whose_lips_hardly_move() -> None:
    found = told(scene(lambda _, picture: picture, answers=opened(np.full(COUNT, 0.4))))
    assert np.isnan(found["opens"])
    assert np.isfinite(found["lag"])


def test_of_lips_that_hardly_move_nothing_is_told() -> None:
    made = scene(lambda _, picture: picture)
    for picture in (*made.clip, *made.finished):
        picture[0, 0] = 100
    assert all(np.isnan(told(made)[name]) for name in ("lag", "answer_lag", "opens"))
