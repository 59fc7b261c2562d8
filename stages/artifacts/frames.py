"""Frames of a clip, losslessly in the clip's own pixel format, with their exact times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import av.error
import pandas as pd
import pyarrow as pa

from stages.artifacts.files import SHARD_ROWS, read_facts, read_table, shard_path, write_facts, write_table
from stages.artifacts.kept import KeptShards
from stages.video import NativeFrame, ShardEncoder, VideoFacts, read_shard

INDEX: Final = pa.schema(
    [
        ("frame", pa.int32()),
        ("pts", pa.int64()),
        ("duration", pa.int64()),
        ("shot", pa.int32()),
        ("shard", pa.int32()),
        ("row", pa.int32()),
        ("hash", pa.string()),
        ("changed", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Frames:
    """``index`` has a row per frame, in order; ``facts`` allow further keys (``source``, ``audio`` ...)."""

    folder: Path
    index: pd.DataFrame
    facts: VideoFacts

    @classmethod
    def read(cls, folder: Path) -> Frames:
        """Raises: Problem if a part is missing or damaged."""
        return cls(
            folder,
            read_table(folder / "index.parquet", INDEX),
            VideoFacts.model_validate(read_facts(folder / "facts.json")),
        )

    def __len__(self) -> int:
        return len(self.index)

    @property
    def fingerprint(self) -> str:
        """Tells these frames from others: how many they are, and a hash of all their pictures."""
        pictures = "".join(self.index["hash"])
        return f"{len(self)}-{hashlib.sha256(pictures.encode()).hexdigest()[:8]}"

    @property
    def audio(self) -> Path | None:
        """The clip's sound, bit for bit as it was, or None. (Its name's ending depends on the codecs in it.)"""
        return next(iter(sorted(self.folder.glob("audio.*"))), None)

    def __iter__(self) -> Iterator[NativeFrame]:
        yield from self.pick(range(len(self.index)))

    def pick(self, numbers: Sequence[int]) -> Iterator[NativeFrame]:
        """The frames with these numbers, which must ascend, one at a time.

        Raises:
            Problem: a shard is missing or damaged.
        """
        rows = self.index.iloc[list(numbers)]
        chosen = list(
            zip(
                *(rows[name].astype(int) for name in ("shard", "row", "frame", "pts", "duration")),
                strict=True,
            )
        )
        for shard, group in groupby(chosen, key=lambda place: place[0]):
            places = list(group)
            pictures = read_shard(shard_path(self.folder, shard, "mkv"), [place[1] for place in places], self.facts)
            for (_, _, number, pts, duration), picture in zip(places, pictures, strict=True):
                yield NativeFrame(number, pts, duration, picture, self.facts)


class FrameWriter:
    """Writes frames in order into an existing folder. ``close`` writes index and facts; an error in the block only ends
    the shard that is open.

    Args:
        folder: of the artifact.
        facts: of the pictures.
        rows: of a shard at most.
        kept: of a killed run and of this one; without it, a killed run leaves nothing.
    """

    def __init__(self, folder: Path, facts: VideoFacts, rows: int = SHARD_ROWS, kept: KeptShards | None = None) -> None:
        self._folder, self._facts, self._limit, self._kept = folder, facts, rows, kept
        self._encoder: ShardEncoder | None = None
        self._rows: list[tuple[Any, ...]] = list(kept.rows) if kept else []
        self._count = 0

    @property
    def has_next(self) -> bool:
        """Whether the next frame lies in a whole shard of a killed run: ``add`` will not look at its picture."""
        return self._count < len(self._rows)

    def add(self, picture: av.VideoFrame, *, pts: int, duration: int, shot: int, changed: bool = False) -> None:
        """Append a frame.

        Args:
            picture: in the facts' size and pixel format.
            pts, duration: in the facts' time base.
            shot: number of its shot.
            changed: whether it differs from the clip's frame (finished frames only).
        """
        number, known = self._count, self.has_next
        self._count += 1
        if known:
            return
        shard, row = divmod(number, self._limit)
        if row == 0:
            self._end_shard()
            path = self._kept.next if self._kept else shard_path(self._folder, shard, "mkv")
            self._encoder = ShardEncoder(path, self._facts)
        assert self._encoder is not None
        digest = NativeFrame(number, pts, duration, picture, self._facts).digest()
        self._encoder.write(picture)
        self._rows.append((number, pts, duration, shot, shard, row, digest, bool(changed)))

    def close(self, **more: Any) -> None:
        """Write the last shard, the index and the facts, with ``more`` facts beside the video's."""
        self._end_shard()
        if self._kept:
            self._kept.give(self._folder)
        write_table(self._folder / "index.parquet", pd.DataFrame(self._rows, columns=INDEX.names), INDEX)
        facts = self._facts.model_dump() | {
            "frames": len(self._rows),
            "shards": -(-len(self._rows) // self._limit),
        }
        write_facts(self._folder / "facts.json", facts | more)

    def _end_shard(self, *, whole: bool = True) -> None:
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.close()
            if self._kept and whole:
                self._kept.keep(self._rows[len(self._kept.rows) :])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            with suppress(OSError, av.error.FFmpegError):  # what happened first is what is told
                self._end_shard(whole=False)
