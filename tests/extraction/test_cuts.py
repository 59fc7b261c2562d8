"""Where a shot ends: hard cuts, and jumps of one camera in time; motion is no cut, however it begins."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np
from numpy.typing import NDArray

from stages.bench.reel import facts_of
from stages.extraction.cuts import CutFinder
from stages.extraction.settings import ExtractionSettings
from stages.video import NativeFrame

HEIGHT, WIDTH = 120, 160
FACTS = facts_of(WIDTH, HEIGHT, 25)
RNG = np.random.default_rng(0)
WALL = np.linspace(80, 140, WIDTH)[None, :].repeat(HEIGHT, 0)
SHIRT = RNG.integers(30, 220, (10, 8)).repeat(7, 0).repeat(6, 1)  # 70 high, 48 wide


def room(x: float) -> NDArray[np.uint8]:
    """A person before a wall, through a sensor with noise."""
    picture = WALL + RNG.normal(0, 1, WALL.shape)
    left = round(x)
    picture[50:, left : left + 48] = SHIRT + RNG.normal(0, 1, SHIRT.shape)
    return np.clip(picture, 16, 235).astype(np.uint8)


def begins(lumas: Iterable[NDArray[np.uint8]]) -> list[int]:
    """The frames at which shots begin."""
    finder = CutFinder(FACTS, ExtractionSettings.model_validate({}).cut_score)
    shots = []
    for number, luma in enumerate(lumas):
        picture = av.VideoFrame.from_ndarray(
            np.concatenate([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)]), format="yuv420p"
        )
        shots.append(finder.shot_of(NativeFrame(number, number, 1, picture, FACTS)))
    return np.flatnonzero(np.diff(shots, prepend=-1)).tolist()


def test_a_cut_to_another_picture_begins_a_shot() -> None:
    assert begins([room(40)] * 12 + [255 - room(40)] * 12) == [0, 12]


def test_a_jump_of_one_camera_in_time_begins_a_shot() -> None:
    """The person has moved by a tenth of the picture meanwhile; all else is the same."""
    before, after = [room(40 + 0.1 * n) for n in range(15)], [room(57 + 0.1 * n) for n in range(15)]
    assert begins(before + after) == [0, 15]


def test_walking_off_fast_is_no_cut() -> None:
    still = [room(20)] * 2 + [room(20) for _ in range(12)]
    fast = [room(20 + 1.5 * n) for n in range(1, 25)]
    assert begins(still + fast) == [0]


def test_a_clip_that_begins_with_motion_has_one_shot() -> None:
    assert begins(room(20 + 8 * n) for n in range(10)) == [0]
