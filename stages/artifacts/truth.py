"""A rendered performance and all that is exactly known about it; also the right answer of a swap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stages.artifacts.files import missing, read_facts, read_table
from stages.video import NativeFrame, decode

TRUTH: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("landmarks", pa.list_(pa.float32())),
        ("yaw", pa.float32()),
        ("pitch", pa.float32()),
        ("roll", pa.float32()),
    ]
)
"""The columns that every truth has; the performance track (jaw, blink_left, ...) follows as further float32 columns."""


@dataclass(frozen=True)
class Truth:
    """``table`` has a row per frame; ``landmarks`` are 70 x, y pairs in frame pixels (iBUG 68, then the irises)."""

    folder: Path
    table: pd.DataFrame
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Truth | None:
        """The truth in a folder; None for the null object ``data/truth/none``, which says that there is none.

        Raises:
            Problem: a part is missing or damaged.
        """
        facts = read_facts(folder / "facts.json")
        if facts.get("truth", True) is None:
            return None
        return cls(folder, read_table(folder / "truth.parquet", TRUTH), facts)

    @staticmethod
    def write_table(folder: Path, table: pd.DataFrame) -> None:
        """The columns of :data:`TRUTH` and, as float32, every further column."""
        further = [(name, pa.float32()) for name in table.columns if name not in TRUTH.names]
        schema = pa.schema([*TRUTH, *(pa.field(*column) for column in further)])
        arrow = pa.Table.from_pandas(table[schema.names], schema=schema, preserve_index=False).replace_schema_metadata(
            None
        )
        pq.write_table(arrow, folder / "truth.parquet", compression="zstd")

    @property
    def clip(self) -> Path:
        """The rendered video.

        Raises:
            Problem: it is missing.
        """
        path = self.folder / "clip.mp4"
        if not path.is_file():
            raise missing(path)
        return path

    def frames(self) -> Iterator[NativeFrame]:
        """The rendered frames in order, one at a time."""
        yield from decode(self.clip)

    def parts(self) -> Iterator[NativeFrame]:
        """Part labels as grey frames (labels in ``facts['parts']``), one at a time."""
        yield from decode(self.folder / "parts.mkv")
