"""Wide rows are written and read some at a time, as if they had been one table."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.artifacts import rows as module
from stages.artifacts.files import SHARD_ROWS
from stages.artifacts.rows import RowWriter, StoredRows, numbers_of
from stages.problems import Problem

SCHEMA = pa.schema([("number", pa.int32()), ("points", pa.list_(pa.float32())), ("seen", pa.binary())])


def table(count: int, length: int = 4) -> pd.DataFrame:
    """Rows that tell their numbers."""
    points = np.arange(count * length, dtype=np.float32).reshape(count, length)
    seen = [bytes([number % 251]) * (number % 7) for number in range(count)]
    numbers = np.arange(count, dtype=np.int32)
    return pd.DataFrame({"number": numbers, "points": pd.Series(list(points), dtype=object), "seen": seen})


def write(path: Path, rows: pd.DataFrame, cuts: Sequence[int] = ()) -> Path:
    """The rows in parts that end at the cuts."""
    with RowWriter(path, SCHEMA) as writer:
        for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            writer.add(rows.iloc[first:last])
    return path


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2 * SHARD_ROWS + 50), st.data())
def test_they_are_the_same_bytes_however_they_came(
    tmp_path_factory: pytest.TempPathFactory, count: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    cuts = sorted(data.draw(st.lists(st.integers(0, count), max_size=5)))
    whole, parts = write(folder / "whole", table(count)), write(folder / "parts", table(count), cuts)
    assert whole.read_bytes() == parts.read_bytes()
    pd.testing.assert_frame_equal(pq.read_table(parts).to_pandas(), pq.read_table(whole).to_pandas())
    assert pq.read_table(parts)["number"].to_pylist() == list(range(count))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 3 * SHARD_ROWS + 9), max_size=40))
def test_any_rows_come_in_the_order_asked_for(tmp_path_factory: pytest.TempPathFactory, asked: list[int]) -> None:
    path = write(tmp_path_factory.mktemp("rows") / "rows", table(3 * SHARD_ROWS + 10))
    with StoredRows(path, ("points", "seen")) as rows:
        found = rows.take(asked)
        assert found.column_names == ["points", "seen"]
        expected = np.array(asked, np.float32)[:, None] * 4 + np.arange(4, dtype=np.float32)
        np.testing.assert_array_equal(numbers_of(found, "points").reshape(-1, 4), expected)
        assert found["seen"].to_pylist() == [bytes([row % 251]) * (row % 7) for row in asked]


@pytest.mark.parametrize(("count", "groups"), [(0, 1), (SHARD_ROWS, 1), (2 * SHARD_ROWS, 2), (2 * SHARD_ROWS + 1, 3)])
def test_no_row_group_is_empty_but_that_of_an_empty_table(tmp_path: Path, count: int, groups: int) -> None:
    with pq.ParquetFile(write(tmp_path / "t.parquet", table(count), [count])) as file:  # the last part has no row
        assert file.num_row_groups == groups
        assert len(file.read()) == count


def test_a_row_that_is_not_there_is_no_other_one(tmp_path: Path) -> None:
    with StoredRows(write(tmp_path / "rows", table(5)), ("points",)) as rows:
        assert len(rows) == 5
        for wrong in ([5], [-1]):
            with pytest.raises(IndexError, match="rows has 5 rows"):
                rows.take(wrong)


def test_threads_read_side_by_side(tmp_path: Path) -> None:
    with StoredRows(write(tmp_path / "rows", table(6 * SHARD_ROWS)), ("points",)) as rows:
        asked = [list(range(start, 6 * SHARD_ROWS, 701)) for start in range(16)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda each: numbers_of(rows.take(each), "points")[:, 0].tolist(), asked))
    assert found == [[4.0 * row for row in each] for each in asked]


def test_a_row_group_is_read_once_by_who_goes_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a look back and ahead, as smoothing has it."""
    read: list[int] = []
    real = module.StoredRows._read

    def counted(self: StoredRows, group: int) -> pa.Table:
        read.append(group)
        return real(self, group)

    monkeypatch.setattr(module.StoredRows, "_read", counted)
    count = 6 * SHARD_ROWS
    with StoredRows(write(tmp_path / "rows", table(count)), ("points",)) as rows:
        for start in range(0, count, SHARD_ROWS):
            rows.take(range(start, start + SHARD_ROWS))
            rows.take(range(max(start - 6, 0), min(start + SHARD_ROWS + 6, count)))
    assert read == list(range(6))


def test_memory_holds_some_of_them(tmp_path: Path) -> None:
    """Python's part of it: what lies in Arrow's own memory is the row groups that a reader holds."""
    path, count, length = tmp_path / "rows", 12 * SHARD_ROWS, 500
    held = pa.total_allocated_bytes()
    tracemalloc.start()
    with RowWriter(path, SCHEMA, compression=None) as writer:
        for start in range(0, count, 100):
            part = table(100, length)
            writer.add(part.assign(points=[each + start for each in part["points"]]))
    written = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with StoredRows(path, ("points",)) as rows:
        for start in range(0, count, 10):
            rows.take(range(start, start + 10))
        group = SHARD_ROWS * length * 4
        assert pa.total_allocated_bytes() - held < 5 * group
    assert written < 4 * group
    assert path.stat().st_size > 12 * group


def test_what_is_wrong_with_the_file_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "rows", table(SHARD_ROWS + 5))
    with pytest.raises(Problem, match="lacks the columns other"):
        StoredRows(path, ("points", "other"))
    with pytest.raises(Problem, match="not there"):
        StoredRows(tmp_path / "none", ("points",))
    data = bytearray(path.read_bytes())
    rows = StoredRows(path, ("points",))
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(600)
    path.write_bytes(data)
    with pytest.raises(Problem, match="can not be read"):
        rows.take([0])
    path.write_bytes(data[:100])
    with pytest.raises(Problem, match="no readable Parquet"):
        StoredRows(path, ("points",))


def test_a_table_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lacks the columns"), RowWriter(tmp_path / "rows", SCHEMA) as writer:
        writer.add(table(3).drop(columns="seen"))
