"""Alignments of a clip: landmarks, transform, pose and quality of the right person's face in every frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from stages.artifacts.files import read_facts, read_table, write_facts, write_table

POSE_AND_QUALITY: Final = (
    "yaw",
    "pitch",
    "roll",
    "mouth_open",
    "eye_open_left",
    "eye_open_right",
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


@dataclass(frozen=True)
class Alignments:
    """``table`` has a row per taken face, sorted by frame and face; columns in docs/architecture.md.

    ``landmarks`` are 478 x, y, z triples in frame pixels, ``transform`` the six numbers of the 2x3 matrix that takes
    frame pixels to the unit crop (see :func:`stages.geometry.as_matrix`), ``seen`` a picture of that crop that says how
    surely each pixel shows the face and nothing before it (see :func:`stages.artifacts.visibility.unpacked`).
    """

    table: pd.DataFrame
    facts: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        write_table(folder / "alignments.parquet", self.table, ALIGNMENTS)
        write_facts(folder / "facts.json", self.facts)

    @classmethod
    def read(cls, folder: Path) -> Alignments:
        """Raises: Problem if a part is missing or damaged."""
        return cls(read_table(folder / "alignments.parquet", ALIGNMENTS), read_facts(folder / "facts.json"))
