"""What the content gate looked at, as it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from stages.artifacts.looked_at import LookedAt
from stages.novelty import CELLS
from stages.problems import Problem

CELLS_OF_THREE = np.random.default_rng(0).integers(0, 256, (3, CELLS, CELLS, 3), np.uint8)


def test_it_comes_back_and_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    seen = LookedAt.of([0, 12, 24], [0.1, 0.5, 0.2], list(CELLS_OF_THREE))
    for name in ("one", "two"):
        seen.write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = LookedAt.read(tmp_path / "one")
    np.testing.assert_array_equal(found.cells, CELLS_OF_THREE)
    assert found.frames.tolist() == [0, 12, 24]
    told = found.told_by(0.4)
    assert {frame for frame, cells in told.items() if cells is not None} == {0, 24}
    assert told[12] is None, "it was in doubt"
    np.testing.assert_array_equal(told[24], CELLS_OF_THREE[2])


def test_of_a_clip_that_nobody_looked_at_it_is_empty(tmp_path: Path) -> None:
    LookedAt.of([], [], []).write(tmp_path / "none")
    assert LookedAt.read(tmp_path / "none").told_by(1.0) == {}


def test_what_is_not_there_or_damaged_is_told(tmp_path: Path) -> None:
    LookedAt.of([0], [0.1], [CELLS_OF_THREE[0]]).write(tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:100])
    save_file({"frames": np.arange(2), "scores": np.ones(1, np.float32), "cells": CELLS_OF_THREE}, tmp_path / "uneven")
    save_file({"frames": np.arange(2)}, tmp_path / "part")
    for name in ("missing", "cut", "uneven", "part"):
        with pytest.raises(Problem, match="dvc repro"):
            LookedAt.read(tmp_path / name)
