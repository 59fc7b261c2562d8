"""The face set of one clip: aligned crops with masks, each in the training or the held-out part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.files import (
    read_facts,
    read_rows,
    read_table,
    sha256_of_all,
    write_facts,
    write_table,
)
from stages.artifacts.kept import KeptShards
from stages.artifacts.rows import Rows, RowWriter, StoredRows, numbers_of
from stages.artifacts.shards import ShardWriter

TRAIN, HELD_OUT = "train", "held-out"

FACE_SET: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("face", pa.int32()),
        ("shard", pa.int32()),
        ("row", pa.int32()),
        ("split", pa.string()),
        *((name, pa.float32()) for name in POSE_AND_QUALITY),
        ("landmarks", pa.list_(pa.float32())),
    ]
)

DROPPED: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("face", pa.int32()),
        ("reason", pa.string()),
        *((name, pa.float32()) for name in POSE_AND_QUALITY),
    ]
)
"""A row per face that was left out."""


WIDE: Final = ("landmarks",)
"""Columns that stay in the file until somebody asks for some rows of them: 478 x, y pairs in the unit crop."""


@dataclass(frozen=True)
class FaceSet:
    """The face set of a clip, of which memory holds what is small.

    Attributes:
        folder: that it lies in.
        index: a row per face, labelled by its number; columns in docs/architecture.md, less :data:`WIDE`.
        wide: those of the same rows.
        statistics: of the artifact.
    """

    folder: Path
    index: pd.DataFrame
    wide: Rows
    statistics: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> FaceSet:
        """Raises: Problem if a part is missing or damaged."""
        path = folder / "index.parquet"
        index = read_table(path, FACE_SET, WIDE)
        return cls(folder, index, StoredRows(path, WIDE), read_facts(folder / "statistics.json"))

    @staticmethod
    def crops_into(folder: Path, kept: KeptShards | None = None) -> ShardWriter:
        """A writer whose ``add(crops=(S, S, 3) uint8 RGB, masks=(S, S) uint8)`` gives the row's shard and row."""
        return ShardWriter(folder, kept=kept)

    @staticmethod
    def index_into(folder: Path) -> RowWriter:
        """A writer of the table that names the crops, with all columns of :data:`FACE_SET`."""
        return RowWriter(folder / "index.parquet", FACE_SET)

    @staticmethod
    def write_index(folder: Path, index: pd.DataFrame, statistics: dict[str, Any]) -> None:
        """After the crops: the table that names them, which is in memory, and the statistics."""
        with FaceSet.index_into(folder) as writer:
            writer.add(index)
        FaceSet.write_statistics(folder, statistics)

    @staticmethod
    def write_statistics(folder: Path, statistics: dict[str, Any]) -> None:
        """After crops and index."""
        write_facts(folder / "statistics.json", statistics)

    @staticmethod
    def write_dropped(folder: Path, dropped: pd.DataFrame) -> None:
        """The table of the faces that were left out, and why."""
        write_table(folder / "dropped.parquet", dropped, DROPPED)

    def dropped(self) -> pd.DataFrame:
        """The faces that were left out, and why.

        Raises:
            Problem: the table is missing or damaged.
        """
        return read_table(self.folder / "dropped.parquet", DROPPED)

    def part(self, split: str) -> pd.DataFrame:
        """The rows of one part, ``TRAIN`` or ``HELD_OUT``."""
        return self.index[self.index["split"] == split]

    def landmarks(self, rows: pd.DataFrame) -> NDArray[np.float32]:
        """(n, 478, 2) float32 in the unit crop, in the order of ``rows``.

        Raises:
            Problem: the index is damaged.
        """
        points = numbers_of(self.wide.take(rows.index.to_numpy(np.int64)), "landmarks").astype(np.float32)
        return points.reshape(len(rows), -1, 2)

    def crops(self, rows: pd.DataFrame) -> NDArray[np.uint8]:
        """(n, S, S, 3) uint8 RGB, in the order of ``rows``."""
        return np.stack(list(read_rows(self.folder, "crops", _places(rows))))

    def masks(self, rows: pd.DataFrame) -> NDArray[np.uint8]:
        """(n, S, S) uint8, 255 inside the face."""
        return np.stack(list(read_rows(self.folder, "masks", _places(rows))))

    def each_crop(self, rows: pd.DataFrame) -> Iterator[NDArray[np.uint8]]:
        """(S, S, 3) uint8 RGB one at a time, for sets that do not fit in memory."""
        yield from read_rows(self.folder, "crops", _places(rows))

    def each_mask(self, rows: pd.DataFrame) -> Iterator[NDArray[np.uint8]]:
        """(S, S) uint8 one at a time, as :meth:`each_crop`."""
        yield from read_rows(self.folder, "masks", _places(rows))


def _places(rows: pd.DataFrame) -> Sequence[tuple[int, int]]:
    return list(zip(rows["shard"].astype(int), rows["row"].astype(int), strict=True))


def clips_of(folder: Path) -> list[Path]:
    """The face sets under an identity's folder, by the clip's name."""
    return sorted(path.parent for path in folder.glob("*/index.parquet"))


def data_hashes(folder: Path) -> dict[str, str]:
    """A SHA-256 for each face set under an identity's folder, over its index and shards, by the clip's name."""
    return {
        clip.name: sha256_of_all(sorted([clip / "index.parquet", *clip.glob("shard-*.safetensors")]))
        for clip in clips_of(folder)
    }
