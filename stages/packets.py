"""What a file's audio tracks hold, packet for packet, so that a copy can be compared with what it was copied from."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error

from stages.video import UNKNOWN, open_file

ADTS: Final = 0xFFF0
"""First bits of the header that a transport stream puts before each AAC packet, and that MP4 and Matroska leave out."""


@dataclass
class Track:
    """One audio track; eight bytes a packet are kept, so that hours of sound stay small.

    Attributes:
        codec: FFmpeg's name of it.
        base: seconds in one unit of time.
        times: int64, when each packet starts, in units; of PCM, which each container cuts anew, only the first.
        packets: how many there are; 1 for PCM.
        size: bytes in all.
        state: SHA-256 of all packets' bytes, and, but for PCM, of where each ends.
    """

    codec: str
    base: Fraction = Fraction(1)
    times: array[int] = field(default_factory=lambda: array("q"))
    packets: int = 0
    size: int = 0
    state: Any = field(default_factory=hashlib.sha256)

    def add(self, pts: int, data: bytes) -> None:
        """The next packet, which starts at ``pts`` units."""
        data = _without_adts(data) if self.codec == "aac" else data
        pcm = self.codec.startswith("pcm")
        if not (pcm and self.packets):
            self.times.append(pts)
            self.packets += 1
        self.size += len(data)
        if not pcm:
            self.state.update(len(data).to_bytes(8, "little"))
        self.state.update(data)

    def seconds(self) -> list[Fraction]:
        """When each packet starts."""
        return [pts * self.base for pts in self.times]

    def differs_from(self, other: Track, tolerance: Fraction = Fraction(0), *, earlier: Fraction = Fraction(0)) -> str:
        """How this copy differs from ``other``, in a few words; empty if it is the same.

        Args:
            other: the original.
            tolerance: seconds by which a packet may be shown earlier or later than it should.
            earlier: seconds by which the copy is to be shown before the original.
        """
        if _family(self.codec) != _family(other.codec):
            return f"it is {self.codec}, the original is {other.codec}"
        if self.packets != other.packets or self.state.digest() != other.state.digest():
            return f"its packets are not the original's ({self.packets} for {other.packets})"
        both = zip(self.times, other.times, strict=True)
        worst = max((abs(a * self.base - b * other.base + earlier) for a, b in both), default=Fraction(0))
        return f"it is up to {float(worst) * 1000:.3g} ms off" if worst > tolerance else ""


def tracks_in(path: Path, first: Fraction | None = None, end: Fraction | None = None) -> list[Track]:
    """The audio tracks of a file; of a span of seconds, the packets that are heard in it.

    Raises:
        Problem: the file can not be read.
    """
    with open_file(path) as container:
        streams = container.streams.audio
        found = {
            stream.index: Track(
                stream.codec_context.name if stream.codec_context else UNKNOWN, stream.time_base or Fraction(1)
            )
            for stream in streams
        }
        if not found:
            return []
        try:
            for packet in container.demux(*streams):
                if packet.pts is not None and heard(packet, first, end) and not packet.is_corrupt:
                    found[packet.stream_index].add(packet.pts, bytes(packet))
        except av.error.FFmpegError:
            pass  # the file breaks off; the pictures' reader tells of it
        return list(found.values())


def heard(packet: Any, first: Fraction | None, end: Fraction | None) -> bool:
    """Whether an audio packet has sound in it that is heard from ``first`` to ``end``, in seconds; None is no bound."""
    if not packet.size or packet.pts is None:
        return False
    starts = starts_at(packet)
    ends = starts + (packet.duration or 0) * packet.time_base
    return (first is None or ends > first) and (end is None or starts < end)


def starts_at(packet: Any) -> Fraction:
    """Seconds at which a packet's sound begins."""
    return Fraction(packet.pts * packet.time_base)


def _family(codec: str) -> str:
    """MPEG audio is one codec with three layers, and MP4 does not say which it holds."""
    return "mpeg" if codec.startswith(("mp1", "mp2", "mp3")) else codec


def _without_adts(data: bytes) -> bytes:
    if len(data) > 7 and int.from_bytes(data[:2], "big") & 0xFFF6 == ADTS:
        return data[7 if data[1] & 1 else 9 :]
    return data
