"""Converted crops of a swap: the source's likeness in the target's performance, still in the unit crop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from stages.artifacts.files import read_facts, read_rows, read_table, write_facts, write_table
from stages.artifacts.shards import ShardWriter

CONVERTED: Final = pa.schema([("frame", pa.int32()), ("face", pa.int32()), ("shard", pa.int32()), ("row", pa.int32())])


@dataclass(frozen=True)
class Converted:
    """``index`` has a row per converted face, sorted by frame and face, joined to alignments by these two."""

    folder: Path
    index: pd.DataFrame
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Converted:
        """Raises: Problem if a part is missing or damaged."""
        return cls(folder, read_table(folder / "index.parquet", CONVERTED), read_facts(folder / "facts.json"))

    @staticmethod
    def crops_into(folder: Path) -> ShardWriter:
        """A writer whose ``add(crops=(R, R, 3) RGB, masks=(R, R), shown=(S, S))``, all uint8, gives the row's place.

        ``shown`` is how surely the crop shows a face, 255 surely, S :data:`stages.artifacts.visibility.SIZE`.
        """
        return ShardWriter(folder)

    @staticmethod
    def write_index(folder: Path, index: pd.DataFrame, facts: dict[str, Any]) -> None:
        """After the crops: the table that names them, and facts (``size``, ``model_sha256``, providers ...)."""
        write_table(folder / "index.parquet", index, CONVERTED)
        write_facts(folder / "facts.json", facts)

    def each(self, rows: pd.DataFrame | None = None) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Crop (R, R, 3) and mask (R, R), both uint8, for each row in order, one at a time."""
        places = self._places(rows)
        yield from zip(read_rows(self.folder, "crops", places), read_rows(self.folder, "masks", places), strict=True)

    def shown(self, rows: pd.DataFrame | None = None) -> Iterator[NDArray[np.uint8]]:
        """How surely the crop shows a face, (S, S) uint8, for each row in order, one at a time."""
        yield from read_rows(self.folder, "shown", self._places(rows))

    def _places(self, rows: pd.DataFrame | None) -> list[tuple[int, int]]:
        rows = self.index if rows is None else rows
        return list(zip(rows["shard"].astype(int), rows["row"].astype(int), strict=True))
