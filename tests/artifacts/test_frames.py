"""Frames read back from their shards: those that were asked for, or which one is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.artifacts.frames import Frames, shard_path
from stages.problems import Problem
from stages.video import read_shard
from tests.film import film

COUNT = 24


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    pictures = [np.full((48, 64, 3), 10 * number, np.uint8) for number in range(COUNT)]
    return film(tmp_path_factory.mktemp("film") / "frames", pictures, rows=COUNT)


@given(st.sets(st.integers(0, COUNT - 1)))
@settings(max_examples=20)
def test_any_frames_are_picked_however_far_apart(frames: Frames, numbers: set[int]) -> None:
    picked = [(frame.number, round(frame.rgb().mean() / 10)) for frame in frames.pick(sorted(numbers))]
    assert picked == [(number, number) for number in sorted(numbers)]


@pytest.mark.parametrize("rows", [[COUNT], [COUNT + 40], [3, COUNT + 1]])
def test_a_shard_that_is_too_short_is_told(frames: Frames, rows: list[int]) -> None:
    path: Path = shard_path(frames.folder, 0, "mkv")
    with pytest.raises(Problem, match=rf"ends before row {rows[-1]}"):
        list(read_shard(path, rows, frames.facts))
