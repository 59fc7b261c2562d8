"""The index of a face set while it is written, of which memory holds what is small."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.face_set import FACE_SET, WIDE, FaceSet
from stages.artifacts.files import SHARD_ROWS


def name_of(face: pd.Series) -> tuple[int, int]:
    """What a crop is of: its frame and face."""
    return int(face["frame"]), int(face["face"])


class IndexWriter:
    """Writes the rows of a face set's index, and keeps what is small of each.

    Args:
        folder: of the face set.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = FaceSet.index_into(folder)
        self._rows: list[tuple[Any, ...]] = []
        self._told: list[pd.DataFrame] = []

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and (self._rows or not self._told):  # an index without a row has columns too
            self._flush()
        self._writer.__exit__(kind, error, trace)

    def add(self, face: pd.Series, place: tuple[int, int], landmarks: NDArray[np.float64]) -> None:
        """A face of the alignments' table, where its crop lies, and its landmarks (478, 2) in the unit crop."""
        measured = [face[name] for name in POSE_AND_QUALITY]
        self._rows.append((*name_of(face), *place, face["split"], *measured, landmarks.astype(np.float32).ravel()))
        if len(self._rows) == SHARD_ROWS:
            self._flush()

    def narrow(self) -> pd.DataFrame:
        """All rows in their order, without the wide columns."""
        return pd.concat(self._told, ignore_index=True)

    def _flush(self) -> None:
        part = pd.DataFrame(self._rows, columns=FACE_SET.names)
        self._writer.add(part)
        self._told.append(part.drop(columns=[*WIDE]))
        self._rows = []
