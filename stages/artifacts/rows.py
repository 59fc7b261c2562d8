"""Tables whose rows are wide, in files: written and read some at a time, so that an hour of them is never in memory.

Parquet in row groups of :data:`~stages.artifacts.files.SHARD_ROWS` rows. Where those are cut depends on the rows' count
alone, so that equal rows are equal bytes however they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, Protocol, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stages.artifacts.files import REMAKE, SHARD_ROWS, arrow_of, opened_table
from stages.problems import Problem

_GROUPS: Final = 3
"""Row groups that a reader holds: who goes through a table and looks a little back and ahead reads each once."""


class Rows(Protocol):
    """Rows that can be had by their numbers: a :class:`StoredRows`, or a table in memory."""

    def take(self, indices: Any, /) -> pa.Table:
        """The rows with these numbers, in their order."""
        ...


class RowWriter:
    """Writes a table of which only a row group is in memory.

    Args:
        path: of the file.
        schema: its columns.
        compression: of their values; None where it is read once and thrown away.

    Used as a context; the file is whole when that ends.
    """

    def __init__(self, path: Path, schema: pa.Schema, compression: str | None = "zstd") -> None:
        self._schema = schema
        kept = compression is not None
        self._writer = pq.ParquetWriter(path, schema, compression=compression or "none", use_dictionary=kept)
        self._waiting: list[pa.Table] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and (self._waiting or not self.count):
            self._write(pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table())
        self._writer.close()

    def add(self, part: pd.DataFrame) -> None:
        """The next rows.

        Raises:
            ValueError: a column is missing or does not fit its type.
        """
        rows = arrow_of(part, self._schema)
        self._waiting += [rows] if len(rows) else []
        self.count += len(rows)
        while sum(map(len, self._waiting)) >= SHARD_ROWS:
            waiting = pa.concat_tables(self._waiting)
            self._write(waiting.slice(0, SHARD_ROWS))
            rest = waiting.slice(SHARD_ROWS)
            self._waiting = [rest] if len(rest) else []

    def _write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows.combine_chunks(), row_group_size=SHARD_ROWS)


class StoredRows:
    """Rows of a Parquet file, read a row group at a time; may be used by several threads.

    Args:
        path: of the file.
        columns: that are read.

    Raises:
        Problem: the file is missing, is no Parquet or lacks a column.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path, self._columns = path, list(columns)
        self._file = opened_table(path, columns)
        groups = range(self._file.metadata.num_row_groups)
        self._starts = np.cumsum([0, *(self._file.metadata.row_group(group).num_rows for group in groups)])
        self._group = lru_cache(_GROUPS)(self._read)
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def take(self, indices: Sequence[int] | NDArray[np.integer], /) -> pa.Table:
        """The rows with these numbers, in their order.

        Raises:
            Problem: the file is damaged.
            IndexError: there is no such row.
        """
        rows = np.asarray(indices, np.int64)
        if not len(rows):
            return self._file.schema_arrow.empty_table().select(self._columns)
        if rows.min() < 0 or rows.max() >= len(self):
            raise IndexError(f"{self._path.name} has {len(self)} rows, not those from {rows.min()} to {rows.max()}")
        within = np.searchsorted(self._starts, rows, side="right") - 1
        cuts = np.flatnonzero(np.diff(within)) + 1
        with self._lock:
            parts = [
                self._group(int(group[0])).take(here - self._starts[group[0]])
                for group, here in zip(np.split(within, cuts), np.split(rows, cuts), strict=True)
            ]
        return pa.concat_tables(parts)

    def _read(self, group: int) -> pa.Table:
        try:
            return self._file.read_row_group(group, columns=self._columns, use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise Problem(f"its rows can not be read: {error}", where=self._path, mend=REMAKE) from error


def numbers_of(rows: pa.Table, name: str) -> NDArray[Any]:
    """A column of equally long lists of numbers as an array (rows, length)."""
    flat = rows[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(len(rows), -1) if len(rows) else flat.reshape(0, 0))
