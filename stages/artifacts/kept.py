"""Whole shards that a killed run of a stage left, so that the next one goes on after them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.artifacts.files import shard_path
from stages.atomic import whole_file


class KeptShards:
    """Shards beside a table of their rows, in a folder that outlasts a kill.

    A shard counts when its table is there, which is written after it; so one that a kill broke off never does.

    Args:
        folder: of the run, see :mod:`stages.resuming`.
        ending: of the shards' names.

    Attributes:
        folder: as given.
        rows: of all whole shards, each of plain numbers and words.
        count: how many whole shards there are.
    """

    def __init__(self, folder: Path, ending: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._ending = folder, ending
        self.rows: list[tuple[Any, ...]] = []
        self.count = 0
        while self._table(self.count).is_file():
            self.rows += map(tuple, json.loads(self._table(self.count).read_text(encoding="utf-8")))
            self.count += 1

    @property
    def next(self) -> Path:
        """Where the shard after the last whole one is written."""
        return shard_path(self.folder, self.count, self._ending)

    def keep(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Count :attr:`next`, which is written and closed, as whole; ``rows`` are its own."""
        with self.next.open("rb") as written:
            os.fsync(written.fileno())
        with whole_file(self._table(self.count)) as scratch:
            scratch.write_text(json.dumps(rows), encoding="utf-8")
        self.rows += rows
        self.count += 1

    def give(self, folder: Path) -> None:
        """Put all whole shards into an artifact's folder too."""
        for shard in range(self.count):
            source, place = (shard_path(there, shard, self._ending) for there in (self.folder, folder))
            try:
                place.hardlink_to(source)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, place)

    def _table(self, shard: int) -> Path:
        return shard_path(self.folder, shard, "json")
