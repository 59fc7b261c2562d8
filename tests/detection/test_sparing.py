"""Which frames need no look: those between two that tell enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.detection.looking import Sight
from stages.detection.sparing import DOUBTED, agree, first_looks, missed, second_looks
from stages.packs import Found

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=5)
SHOTS = LENGTHS.map(lambda lengths: np.repeat(range(len(lengths)), lengths))


SAME = 0.9


def faces(*places: tuple[float, float], size: float = 100.0, who: tuple[int, ...] | None = None) -> Sight:
    """Faces of one size about some places, each of another person, in the order of the places' x if not said."""
    boxes = [(x - size / 2, y - size / 2, x + size / 2, y + size / 2) for x, y in places]
    points = np.zeros((len(places), 5, 2), np.float32)
    found = Found(np.ones(len(places), np.float32), np.array(boxes, np.float32).reshape(-1, 4), points)
    people = who if who is not None else tuple(np.argsort(np.argsort([x for x, _ in places])).tolist())
    return Sight(0, found, np.eye(4, dtype=np.float32)[list(people)].reshape(-1, 4))


@given(SHOTS, st.integers(1, 30))
def test_every_shot_is_looked_at_from_its_first_frame_to_its_last(shots: np.ndarray, every: int) -> None:
    looks = first_looks(shots, every)
    assert looks == sorted(set(looks))
    for shot in set(shots.tolist()):
        here = [number for number in looks if shots[number] == shot]
        assert [here[0], here[-1]] == [np.flatnonzero(shots == shot)[0], np.flatnonzero(shots == shot)[-1]]
        assert max(np.diff(here), default=0) <= every


@given(SHOTS)
def test_one_is_every_frame(shots: np.ndarray) -> None:
    assert first_looks(shots, 1) == list(range(len(shots)))


@given(SHOTS, st.integers(1, 30), st.data())
def test_frames_between_are_looked_at_just_where_the_two_around_differ(
    shots: np.ndarray, every: int, data: st.DataObject
) -> None:
    looks = first_looks(shots, every)
    alone = data.draw(st.sets(st.sampled_from(looks)))
    seen = {number: faces((100, 100)) if number in alone else faces() for number in looks}
    more = second_looks(seen, shots, SAME)
    assert not set(more) & set(looks)
    for number in set(range(len(shots))) - set(looks):
        before, after = max(n for n in looks if n < number), min(n for n in looks if n > number)
        assert (number in more) == ((before in alone) != (after in alone))


def test_nothing_is_looked_at_between_the_end_of_a_shot_and_the_next_ones_beginning() -> None:
    seen = {0: faces((100, 100)), 9: faces(), 10: faces((300, 100))}
    assert second_looks(seen, [0] * 10 + [1], SAME) == list(range(1, 9))


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (faces(), faces(), True),
        (faces((100, 100)), faces((104, 98)), True),
        (faces((100, 100)), faces((140, 100)), False),
        (faces((100, 100)), faces((100, 100), size=70.0), False),
        (faces((100, 100)), faces((100, 100), (300, 100)), False),
        (faces((100, 100), (300, 100)), faces((300, 102), (102, 100)), True),
        (faces((100, 100), (160, 100)), faces((100, 100), (160, 100)), False),
        (faces((100, 100), who=(0,)), faces((100, 100), who=(1,)), False),
    ],
    ids=[
        "nobody",
        "still",
        "away",
        "smaller",
        "another",
        "two, told in another order",
        "before each other",
        "somebody else in its place",
    ],
)
def test_two_frames_agree_if_the_same_faces_are_apart_and_hardly_moved(before: Sight, after: Sight, same: bool) -> None:
    assert agree(before, after, SAME) is same
    assert agree(after, before, SAME) is same


def told(*places: tuple[float, float], score: float = 1.0, degrees: float = 0.0) -> Sight:
    """Faces that are told by their scores and their points, the eyes above the mouth but for a tilt."""
    sight = faces(*places)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = np.array([[-20, -20], [20, -20], [0, 0], [-15, 20], [15, 20]])
    points = [np.array(place) + upright @ turn.T for place in places]
    scores = np.full(len(places), score, np.float32)
    return Sight(0, Found(scores, sight.found.boxes, np.array(points, np.float32).reshape(-1, 5, 2)), sight.embeddings)


def test_the_middle_of_every_shot_is_looked_at_for_tilted_heads_and_where_nobody_is_or_one_is_missing() -> None:
    one, two = told((100, 100)), told((100, 100), (300, 100))
    shots = [0] * 10 + [1] * 10 + [2] * 10
    sights = [one] * 10 + [told()] * 10 + [two] * 3 + [one] * 2 + [two] * 5
    assert missed(dict(enumerate(sights)), shots) == [5, *range(10, 20), 23, 24, 25]


@pytest.mark.parametrize(("score", "again"), [(DOUBTED + 0.01, [2]), (DOUBTED - 0.01, [1, 2])])
def test_a_doubtful_face_is_looked_at_again(score: float, again: list[int]) -> None:
    sights = [told((100, 100)), told((100, 100), score=score)] + [told((100, 100))] * 2
    assert missed(dict(enumerate(sights)), [0] * 4) == again


@pytest.mark.parametrize("degrees", [-170.0, -90.0, -30.0, 30.0, 90.0, 180.0])
def test_one_tilted_head_is_reason_to_look_at_all_of_its_shot(degrees: float) -> None:
    sights = [told((100, 100), degrees=angle) for angle in (0.0, 20.0, degrees, -20.0, 0.0, 0.0)]
    assert missed(dict(enumerate(sights)), [0] * 4 + [1] * 2) == [0, 1, 2, 3, 5]


def test_nobody_was_looked_for_nobody_is_missed() -> None:
    assert missed({}, []) == []
