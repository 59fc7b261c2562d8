"""Rows of arrays in safetensors shards: what is added comes back, in the library's own bytes, in flat memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from stages.artifacts.files import read_rows
from stages.artifacts.shards import ShardWriter


def test_rows_come_back_from_their_places(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 255, (7, 4, 4, 3), np.uint8)
    with ShardWriter(tmp_path, rows=3) as writer:
        places = [writer.add(crops=row, masks=row[:, :, 0]) for row in rows]
    assert places == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"shard-000{i}.safetensors" for i in range(3)]
    np.testing.assert_array_equal(list(read_rows(tmp_path, "crops", places[::-1])), rows[::-1])
    np.testing.assert_array_equal(list(read_rows(tmp_path, "masks", places)), rows[:, :, :, 0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(1, 5),
    shapes=st.dictionaries(
        st.text("abcxyz_", min_size=1, max_size=9), st.lists(st.integers(1, 4), max_size=3), min_size=1, max_size=3
    ),
)
def test_the_bytes_are_those_of_safetensors(tmp_path: Path, count: int, shapes: dict[str, list[int]]) -> None:
    rng = np.random.default_rng(count)
    arrays = {name: rng.integers(0, 255, (count, *shape), np.uint8) for name, shape in shapes.items()}
    with ShardWriter(tmp_path) as writer:
        for row in range(count):
            writer.add(**{name: np.asarray(array[row]) for name, array in arrays.items()})
    assert (tmp_path / "shard-0000.safetensors").read_bytes() == save(arrays)


def test_memory_does_not_grow_with_the_shard(tmp_path: Path) -> None:
    crop = np.zeros((128, 128, 3), np.uint8)
    peaks = []
    for count in (20, 400):
        (tmp_path / str(count)).mkdir()
        tracemalloc.start()
        with ShardWriter(tmp_path / str(count)) as writer:
            for _ in range(count):
                writer.add(crops=crop)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4 * crop.nbytes


def test_what_fails_leaves_no_shard_and_no_scratch(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ShardWriter(tmp_path) as writer:
        writer.add(crops=np.zeros((2, 2, 3), np.uint8))
        raise KeyError("elsewhere")
    assert not list(tmp_path.iterdir())
