"""Finished frames that were coded span by span, joined to shards without coding them again."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.packet
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.files import shard_path
from stages.artifacts.frames import Frames, FrameWriter
from stages.video import ShardEncoder, VideoFacts, video_stream


@dataclass(frozen=True)
class Part:
    """Frames that follow each other, coded.

    Attributes:
        shard: a file as :class:`stages.video.ShardEncoder` writes it.
        index: a row for each frame in it, as :class:`stages.artifacts.frames.Frames` has them, numbered from 0.
    """

    shard: bytes
    index: pd.DataFrame


def arrays_of(part: Part) -> dict[str, NDArray[Any]]:
    """A part as arrays of bytes."""
    files = {"shard": part.shard, "index": part.index.to_parquet(index=False)}
    return {name: np.frombuffer(data, np.uint8) for name, data in files.items()}


def part_of(arrays: Mapping[str, NDArray[Any]]) -> Part:
    """What :func:`arrays_of` was given."""
    return Part(arrays["shard"].tobytes(), pd.read_parquet(io.BytesIO(arrays["index"].tobytes())))


def coded(facts: VideoFacts, write: Callable[[FrameWriter], None]) -> Part:
    """The part that ``write`` adds the frames of, at most a shard's.

    Raises:
        OSError: the disk of temporary files is full.
    """
    with tempfile.TemporaryDirectory(prefix="likeness-") as name:
        folder = Path(name)
        with FrameWriter(folder, facts) as writer:
            write(writer)
            writer.close()
        return Part(shard_path(folder, 0, "mkv").read_bytes(), Frames.read(folder).index)


class PartJoiner(FrameWriter):
    """Writes the same bytes as if the frames of all parts were added one by one: each is a key frame of its own."""

    def take(self, part: Part) -> None:
        """Append the frames of a part."""
        columns = [part.index[name].tolist() for name in ("pts", "duration", "shot", "hash", "changed")]
        with av.open(io.BytesIO(part.shard), "r") as container:
            packets = (packet for packet in container.demux(video_stream(container)) if packet.size)
            for packet, pts, duration, shot, digest, changed in zip(packets, *columns, strict=True):
                number = len(self._rows)
                shard, row = divmod(number, self._limit)
                if row == 0:
                    self._end_shard()
                    self._encoder = _Copier(shard_path(self._folder, shard, "mkv"), self._facts)
                assert isinstance(self._encoder, _Copier)
                self._encoder.copy(packet)
                self._rows.append((number, pts, duration, shot, shard, row, digest, changed))


class _Copier(ShardEncoder):
    """Writes a shard of pictures that another encoder, with the same settings, has coded."""

    def copy(self, packet: av.packet.Packet[Any]) -> None:
        """Append one picture."""
        packet.stream, packet.time_base = self._stream, Fraction(1, self.RATE)
        packet.pts = packet.dts = self._row
        packet.duration = 1
        self._container.mux(packet)
        self._row += 1
