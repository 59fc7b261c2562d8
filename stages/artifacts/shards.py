"""Rows of arrays written to safetensors shards, one after the other."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.files import SHARD_ROWS, read_rows, shard_path
from stages.artifacts.kept import KeptShards


class ShardWriter:
    """Writes rows of named uint8 arrays to safetensors shards; memory holds one row.

    A shard's header comes first in its file and says how many rows there are, which is known last. So each array's rows
    wait in a nameless file beside the shard, and are joined when the shard is full.

    Args:
        folder: an existing one.
        rows: of a shard at most.
        kept: of a killed run and of this one; without it, a killed run leaves nothing.

    Attributes:
        there: what the rows that a killed run left are of, in order; the next row comes after them.
    """

    def __init__(self, folder: Path, rows: int = SHARD_ROWS, kept: KeptShards | None = None) -> None:
        self._folder, self._rows, self._kept = folder, rows, kept
        self.there: list[tuple[Any, ...]] = list(kept.rows) if kept else []
        self._of: list[tuple[Any, ...]] = []
        self._waiting: dict[str, IO[bytes]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._count = len(self.there)

    def place(self, number: int) -> tuple[int, int]:
        """The (shard, row) of a row by its number."""
        return divmod(number, self._rows)

    def add(self, of: tuple[Any, ...] = (), /, **arrays: NDArray[np.uint8]) -> tuple[int, int]:
        """Add one row to every array, of the same shape as the rows before; returns its (shard, row).

        Args:
            of: numbers and words by which a later run knows what the row is of.
            arrays: by their names.
        """
        place = self.place(self._count)
        self._of.append(of)
        for name, array in arrays.items():
            if name not in self._waiting:
                self._waiting[name] = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115, closed by _drop
                self._shapes[name] = array.shape
            assert array.dtype == np.uint8
            assert array.shape == self._shapes[name], f"a row of {name} is unlike those before"
            self._waiting[name].write(np.ascontiguousarray(array).data)
        self._count += 1
        if self._count % self._rows == 0:
            self._flush(place[0])
        return place

    def last(self, name: str) -> NDArray[np.uint8]:
        """The row of an array that was the last one a killed run left."""
        assert self._kept is not None
        [row] = read_rows(self._kept.folder, name, [self.place(len(self.there) - 1)])
        return np.asarray(row, np.uint8)

    def close(self) -> int:
        """Write what is left; returns the number of rows."""
        if self._waiting:
            self._flush(self._count // self._rows)
        if self._kept:
            self._kept.give(self._folder)
        return self._count

    def _flush(self, shard: int) -> None:
        """Join the waiting rows: the bytes that ``safetensors.numpy.save_file`` would write."""
        header, end = {}, 0
        for name, waiting in sorted(self._waiting.items()):
            start, end = end, end + waiting.tell()
            shape = [self._count - shard * self._rows, *self._shapes[name]]
            header[name] = {"dtype": "U8", "shape": shape, "data_offsets": [start, end]}
        words = json.dumps(header, separators=(",", ":")).encode()
        words += b" " * (-len(words) % 8)
        path = self._kept.next if self._kept else shard_path(self._folder, shard, "safetensors")
        with path.open("wb") as whole:
            whole.write(len(words).to_bytes(8, "little") + words)
            for _, waiting in sorted(self._waiting.items()):
                waiting.seek(0)
                shutil.copyfileobj(waiting, whole)
        if self._kept:
            self._kept.keep(self._of)
        self._drop()

    def _drop(self) -> None:
        for waiting in self._waiting.values():
            waiting.close()
        self._waiting, self._of = {}, []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(OSError):  # what happened first is what is told
                self._drop()
