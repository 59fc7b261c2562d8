"""Alignments of a clip: landmarks, transform, pose and quality of the right person's face in every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from stages.artifacts.files import SHARD_ROWS, arrow_of, read_facts, read_table, write_facts
from stages.artifacts.rows import Rows, RowWriter, StoredRows, numbers_of

POSE_AND_QUALITY: Final = (
    "yaw",
    "pitch",
    "roll",
    "mouth_open",
    "eye_open_left",
    "eye_open_right",
    "gaze",
    "sharpness",
    "exposure",
    "confidence",
    "visible",
)
"""Columns that a face keeps from its alignment on; float32, degrees and ratios."""

ALIGNMENTS: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("face", pa.int32()),
        ("track", pa.int32()),
        ("shot", pa.int32()),
        ("landmarks", pa.list_(pa.float32())),
        ("transform", pa.list_(pa.float64())),
        *((name, pa.float32()) for name in POSE_AND_QUALITY),
        ("seen", pa.binary()),
    ]
)


WIDE: Final = ("landmarks", "seen")
"""Columns that are kilobytes a row: they stay in the file until somebody asks for some rows of them."""


@dataclass(frozen=True)
class Alignments:
    """The alignments of a clip, of which memory holds what is small.

    Attributes:
        table: a row per taken face, sorted by frame and face, labelled by its number; columns in
            docs/architecture.md, less :data:`WIDE`. ``transform`` are the six numbers of the 2x3 matrix that takes
            frame pixels to the unit crop (see :func:`stages.geometry.as_matrix`).
        wide: the other columns of the same rows: ``landmarks``, 478 x, y, z triples in frame pixels (z as y), and
            ``seen``, a picture of the crop that says how surely each pixel shows the face and nothing before it (see
            :func:`stages.artifacts.visibility.unpacked`).
        facts: of the artifact.
    """

    table: pd.DataFrame
    wide: Rows
    facts: dict[str, Any]

    @classmethod
    def of(cls, table: pd.DataFrame, facts: dict[str, Any]) -> Self:
        """Alignments in memory, of a table with all columns."""
        table = table.reset_index(drop=True)
        wide = arrow_of(table, pa.schema([ALIGNMENTS.field(name) for name in WIDE]))
        return cls(table.drop(columns=[*WIDE]), wide, facts)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises: Problem if a part is missing or damaged."""
        path = folder / "alignments.parquet"
        return cls(read_table(path, ALIGNMENTS, WIDE), StoredRows(path, WIDE), read_facts(folder / "facts.json"))

    def landmarks(self, rows: Sequence[int] | NDArray[np.integer] | pd.Index) -> NDArray[np.float32]:
        """Of the rows with these numbers, (n, 478, 3) float32 in frame pixels, z as y.

        Raises:
            Problem: the file is damaged.
        """
        points = numbers_of(self.wide.take(np.asarray(rows, np.int64)), "landmarks").astype(np.float32)
        return points.reshape(len(rows), -1, 3)

    def each_landmarks(self, rows: NDArray[np.integer] | pd.Index) -> Iterator[NDArray[np.float32]]:
        """The same of any number of rows, in parts of which one at a time is in memory.

        Raises:
            Problem: the file is damaged.
        """
        return (self.landmarks(rows[start : start + SHARD_ROWS]) for start in range(0, len(rows), SHARD_ROWS))

    def widened(self, rows: pd.DataFrame, numbers: str | None = None) -> pd.DataFrame:
        """Some rows with the columns of :data:`WIDE`.

        Args:
            rows: of :attr:`table`, with its labels; or of another table.
            numbers: the other table's column that says which rows of :attr:`table` they are.

        Raises:
            Problem: the file is damaged.
        """
        which = rows.index if numbers is None else rows[numbers]
        wide = self.wide.take(which.to_numpy(np.int64)).to_pandas()
        return rows.assign(**{name: wide[name].to_numpy() for name in WIDE})

    def whole(self) -> pd.DataFrame:
        """The table with all columns, of a clip of which it is known that it is short."""
        whole: pd.DataFrame = self.widened(self.table)[ALIGNMENTS.names]
        return whole

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        with AlignmentsWriter(folder) as writer:
            for start in range(0, len(self.table), SHARD_ROWS):
                writer.add(self.widened(self.table.iloc[start : start + SHARD_ROWS]))
        write_facts(folder / "facts.json", self.facts)


class AlignmentsWriter(RowWriter):
    """Writes the rows of alignments into an existing folder; their facts come after them, by ``write_facts``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "alignments.parquet", ALIGNMENTS)
