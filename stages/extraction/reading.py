"""A clip read once, from its first picture to the last that is whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.container
import av.error

from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts, facts_of, plainly_named, video_stream

TRANSPORT_PACKETS: Final = ((188, 0), (192, 4), (204, 0))
"""Sizes in bytes of the packets of a transport stream, and where in each the byte ``G`` lies by which it is told."""

MOST_WAITING: Final = 32
"""Pictures that are held back at most; no codec decodes one more than 16 ahead of those that are shown before it."""

SEGMENT: Final = b"\x18\x53\x80\x67"
"""The name of the element that holds all of a Matroska file."""


@dataclass(frozen=True)
class BrokenTail:
    """What is known of the end that a file lacks.

    Attributes:
        kept: whole frames before it.
        expected: frames that the file says it has, None if it does not say.
        why: in a few words.
    """

    kept: int
    expected: int | None
    why: str

    def facts(self) -> dict[str, Any]:
        """For ``facts.json``."""
        return asdict(self)


def _threads(stream: Any) -> str:
    """How its decoder may share work among threads.

    With pictures side by side, H.264's and MPEG-4's decoders give one out while another thread still works on it, and
    that thread alone comes to know what it lacks: damage was told in none to two thirds of trials with a clip of
    1280 x 720 on a busy machine. Pictures that stand for themselves leave the thread that has decoded them.
    """
    codec = stream.codec_context.codec
    return "AUTO" if codec.intra_only or codec.name == "png" else "SLICE"


class ClipReader:
    """The frames of an open clip in presentation order, each once.

    Afterwards ``broken`` says what its end lacks, and ``headless`` how many of its first pictures can not be decoded,
    since the file begins after the key frame that they need.

    A picture that can not be decoded, or for which the decoder made up what was missing, is no footage. At the end of
    a file it is left out with all that follows. Before the end the clip is refused, since its frames would no longer
    be those that were shot: a whole key frame after the damage, which needs no other picture, tells that it is not
    the end, if it lies after it in the file too; others shown later may lie before it there. Damage outside of the
    part that is wanted does no harm.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        path: Path,
        *,
        start: Fraction = Fraction(0),
        end: Fraction | None = None,
    ) -> None:
        """Reads nothing yet.

        Args:
            container: the open clip.
            path: of its file or folder, told of faults.
            start, end: seconds from the first picture to the part that is wanted; all frames are given nevertheless.

        Raises:
            Problem: the clip has what a decoder would silently leave out.
        """
        self._container, self._path = container, path
        self._start, self._end = start, end
        self._stream = video_stream(container, path)
        self._stream.thread_type = _threads(self._stream)
        self.facts: VideoFacts = facts_of(container)
        self.broken: BrokenTail | None = None
        self.headless = 0
        self._why = ""  # of the damage, once there is some
        self._bad: int | None = None  # time of the first damaged picture
        self._bad_packet = 0  # its packet's number
        self._first: int | None = None  # time of the first picture
        self._fed: dict[int, int] = {}  # times of packets whose pictures have not come out yet -> their numbers
        self._spoilt: set[int] = set()  # times of packets that lack a part
        self._packets, self._number = 0, 0
        self._shown_to: int | None = None  # half a frame after the end of the last one that was given
        self._decoded_to: int | None = None
        self._steady = container.format.name == "mpegts"  # which says no length, and has no variable rate
        self._given: int | None = None  # time of the last one that was given
        self._spacing = 0  # the least time between two, 0 as long as there are no two
        if self._stream.metadata.get("alpha_mode") == "1" and not self.facts.pixel_format.startswith("yuva"):
            raise Problem(
                "it has alpha beside its pictures, which their decoder leaves out",
                where=path,
                mend="convert it: ffmpeg -c:v libvpx-vp9 -i IN -c:v ffv1 -c:a copy OUT.mkv",
            )

    def __iter__(self) -> Iterator[NativeFrame]:
        waiting: deque[av.VideoFrame] = deque()
        for packet in self._demuxed():
            for picture in self._pictures(packet):
                if self._is_whole(picture):
                    waiting.append(picture)
            # What is shown no later than this packet is decoded is complete: no packet to come is shown before.
            while waiting and (
                self._decoded_to is None or _time(waiting[0]) <= self._decoded_to or len(waiting) > MOST_WAITING
            ):
                yield self._frame(waiting.popleft())
        why = self._why or self._lacks()
        for picture in waiting:
            # Of a broken end a picture may be there, but not those that are shown before it.
            if (why or self._steady) and self._shown_to is not None and _time(picture) > self._shown_to:
                why = why or "its last pictures lack those that are shown before them"
                break
            yield self._frame(picture)
        if why and not (self._bad is not None and self._is_after_end(self._bad)):
            self.broken = BrokenTail(self._number, int(self._stream.frames) or None, why)

    def _demuxed(self) -> Iterator[Any]:
        """The pictures' packets, then None."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.dts is None and packet.size == 0:
                    continue  # PyAV's flushing packets
                self._packets += 1
                if packet.pts is not None and not packet.is_discard:
                    self._fed[packet.pts] = self._packets
                    if packet.is_corrupt:
                        self._spoilt.add(packet.pts)
                if packet.dts is not None and not packet.is_corrupt:
                    self._decoded_to = packet.dts
                yield packet
        except av.error.FFmpegError as error:
            self._why = f"the file breaks off ({error.strerror})"
        yield None

    def _pictures(self, packet: Any) -> list[av.VideoFrame]:
        """What comes out of the decoder for a packet; at the end (None) all that is still in it."""
        found: list[av.VideoFrame] = []
        for _ in range(64 if packet is None else 1):  # each damaged picture in the decoder fails once
            try:
                return found + self._stream.decode(packet)
            except EOFError:
                return found
            except av.error.FFmpegError as error:
                self._why = self._why or f"a picture can not be decoded ({error.strerror})"
        return found

    def _is_whole(self, picture: av.VideoFrame) -> bool:
        """Whether a picture is footage.

        Raises:
            Problem: it is, and comes after one that is not.
        """
        time = picture.pts
        if time is None:
            raise Problem(
                f"frame {self._number} has no time",
                where=self._path,
                mend="put its pictures into a container with times: ffmpeg -r RATE -i IN -c copy OUT.mkv",
            )
        number = self._fed.get(time, self._packets)
        before = {fed: at for fed, at in self._fed.items() if fed < time}
        lost = before if self._why else {}
        self._fed = {fed: at for fed, at in self._fed.items() if fed > time}
        spoilt = picture.is_corrupt or time in self._spoilt
        self._spoilt.discard(time)
        if spoilt:
            self._why = self._why or "a picture is incomplete"
        if self._bad is None and (lost or spoilt):
            self._bad = min([*lost, time])
            self._bad_packet = min([*lost.values(), *([number] if spoilt else ())])
        if self._bad is None:
            if self._first is None:
                self._first, self.headless = time, len(before)
            return True
        if picture.key_frame and not spoilt and time > self._bad and number > self._bad_packet:
            if self._is_before_start(time):
                self._why, self._bad = "", None
                return True
            if not self._is_after_end(self._bad):
                raise Problem(
                    f"{self._why} at {float(self._bad * self._base):.3f} s, with whole ones after it",
                    where=self._path,
                    mend="copy or export the clip again, or leave that part out with the clip's `start` and `end`",
                )
        return False

    @property
    def _base(self) -> Fraction:
        return self._stream.time_base or Fraction(1)

    def _is_before_start(self, time: int) -> bool:
        """Whether all that is shown before this time lies before the part that is wanted."""
        return self._first is not None and (time - self._first) * self._base <= self._start

    def _is_after_end(self, time: int) -> bool:
        """Whether the part that is wanted has ended at this time."""
        return self._end is not None and self._first is not None and (time - self._first) * self._base >= self._end

    def _frame(self, picture: av.VideoFrame) -> NativeFrame:
        self._number += 1
        if picture.time_base is None:  # as of pictures that were still in the decoder at the end
            picture.time_base = self._stream.time_base
        time, duration = _time(picture), picture.duration or 0
        if self._given is not None:
            gap = time - self._given
            self._spacing = min(self._spacing, gap) if self._spacing else gap
        self._given = time
        if self._steady:  # fields that were coded one by one are said to last half as long as the frame that they make
            duration = max(duration, self._spacing)
        self._shown_to = time + duration * 3 // 2
        return NativeFrame(self._number - 1, time, duration, plainly_named(picture), self.facts)

    def _lacks(self) -> str:
        """What the file says that it has and has not; empty if it is all there or it does not say."""
        if not self._path.is_file():
            return ""
        size = self._path.stat().st_size
        for stream in (self._stream, *self._container.streams.audio):
            if any(entry.pos + entry.size > size for entry in stream.index_entries):
                return "the file is shorter than its index says"
        kind = self._container.format.name
        # AVI counts pictures that are left out to show others longer, and a picture's time is its number.
        if kind == "avi" and (self._decoded_to or 0) + 1 < self._stream.frames:
            return "the file has fewer pictures than its header says"
        if "matroska" in kind and size < segment_end(self._path):
            return "the file is shorter than its header says"
        if kind == "mpegts" and (packet := transport_packet(self._path)) and size % packet:
            return "the file ends within a packet"
        return ""


def transport_packet(path: Path) -> int:
    """Bytes in one packet of a transport stream; 0 if its first packets do not tell."""
    with path.open("rb") as stream:
        start = stream.read(1024)
    for size, at in TRANSPORT_PACKETS:
        if set(start[at::size]) == {ord("G")}:
            return size
    return 0


def segment_end(path: Path) -> int:
    """The byte at which a Matroska file's segment, which is all of it, ends by its header; 0 if it does not say.

    An element is its name, its size and its content; how long name and size are is told by the leading zeros of their
    first byte (RFC 8794).
    """
    with path.open("rb") as stream:
        for _ in range(2):  # the header, then the segment
            name = stream.read(4)
            first = stream.read(1)
            if len(name) < 4 or not first or not first[0]:
                return 0
            length = 8 - first[0].bit_length()
            bits = 7 * (length + 1)
            size = int.from_bytes(first + stream.read(length), "big") & ((1 << bits) - 1)
            if name == SEGMENT:
                return 0 if size == (1 << bits) - 1 else stream.tell() + size
            stream.seek(size, 1)
    return 0


def _time(picture: av.VideoFrame) -> int:
    assert picture.pts is not None
    return int(picture.pts)
