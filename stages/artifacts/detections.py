"""Detections of a clip: every face in every frame, the tracks they form, and which is the right person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from stages.artifacts.files import read_facts, read_table, write_facts, write_table

FACES: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("face", pa.int32()),
        ("track", pa.int32()),
        ("score", pa.float32()),
        ("x0", pa.float32()),
        ("y0", pa.float32()),
        ("x1", pa.float32()),
        ("y1", pa.float32()),
        ("points", pa.list_(pa.float32())),
        ("taken", pa.bool_()),
    ]
)
TRACKS: Final = pa.schema(
    [
        ("track", pa.int32()),
        ("first", pa.int32()),
        ("last", pa.int32()),
        ("faces", pa.int32()),
        ("similarity", pa.float32()),
        ("taken", pa.bool_()),
        ("reason", pa.string()),
        ("embedding", pa.list_(pa.float32())),
    ]
)


@dataclass(frozen=True)
class Detections:
    """Columns are described in docs/architecture.md; ``points`` are x, y pairs, five to a face."""

    faces: pd.DataFrame
    tracks: pd.DataFrame
    facts: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        write_table(folder / "faces.parquet", self.faces, FACES)
        write_table(folder / "tracks.parquet", self.tracks, TRACKS)
        write_facts(folder / "facts.json", self.facts)

    @classmethod
    def read(cls, folder: Path) -> Detections:
        """Raises: Problem if a part is missing or damaged."""
        return cls(
            read_table(folder / "faces.parquet", FACES),
            read_table(folder / "tracks.parquet", TRACKS),
            read_facts(folder / "facts.json"),
        )
