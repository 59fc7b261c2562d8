"""The index of a face set as it is written, some rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.face_set import FACE_SET, TRAIN, WIDE
from stages.artifacts.files import SHARD_ROWS
from stages.dataset.index import IndexWriter


@pytest.mark.parametrize(("count", "parts"), [(0, 1), (1, 1), (SHARD_ROWS, 1), (SHARD_ROWS + 1, 2)])
def test_no_part_of_it_is_empty_but_that_of_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, parts: int
) -> None:
    made: list[int] = []
    flush = IndexWriter._flush

    def counted(self: IndexWriter) -> None:
        made.append(len(self._rows))
        flush(self)

    monkeypatch.setattr(IndexWriter, "_flush", counted)
    face = pd.Series({"frame": 0, "face": 0, "split": TRAIN} | dict.fromkeys(POSE_AND_QUALITY, 0.5))
    with IndexWriter(tmp_path) as index:
        for row in range(count):
            index.add(face, (0, row), np.zeros((2, 2)))
    assert (len(made), sum(made)) == (parts, count)
    assert list(index.narrow().columns) == [name for name in FACE_SET.names if name not in WIDE]
    with pq.ParquetFile(tmp_path / "index.parquet") as file:
        assert file.num_row_groups == parts
        assert file.read()["row"].to_pylist() == index.narrow()["row"].to_list() == list(range(count))
