"""Video in and out: decoding with exact times and colour facts, lossless shards, the ffmpeg program."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import av
import av.container
import av.error
import av.video.stream
import imageio_ffmpeg
import numpy as np
from av.codec.context import Flags
from av.stream import Disposition
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stages import geometry
from stages.hdr import is_hdr, shown
from stages.problems import Problem, told_as_problem

# Names as the ffmpeg program takes them, by their numbers in ITU-T H.273, which is how streams carry them.
PRIMARIES: Final = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
                    11: "smpte431", 12: "smpte432"}  # fmt: skip
TRANSFERS: Final = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear",
                    13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
                    18: "arib-std-b67"}  # fmt: skip
MATRICES: Final = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc",
                   10: "bt2020c"}  # fmt: skip
RANGES: Final = {1: "tv", 2: "pc"}
_FULL_RANGE_NAMES: Final = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p"}
"""FFmpeg's deprecated names that hide the range in the format; here the range is always said by ``range``."""
UNKNOWN: Final = "unknown"
_LISTS: Final = ("concat", "dash", "hls", "imf")
"""Formats, by FFmpeg's names, that hold no pictures but names of files that do."""
_REACH: Final = 2.0
"""Pixels for each by which a crop is coarser that its filter reaches, and for itself that sampling does."""
_GRID: Final = 16
"""Pixels on which parts of a picture begin."""


class VideoFacts(BaseModel):
    """What must be known to show, convert and re-encode a stream's frames as they were.

    Fractions are strings "n/d"; colour words are ffmpeg's names or "unknown"; ``rotation`` is what was applied to the
    coded frames to stand them upright, in degrees clockwise.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    width: int
    height: int
    pixel_format: str
    time_base: str
    rate: str
    primaries: str = UNKNOWN
    transfer: str = UNKNOWN
    matrix: str = UNKNOWN
    range: str = UNKNOWN
    rotation: int = 0
    sample_aspect: str = "1/1"

    @property
    def matrix_number(self) -> int:
        """The H.273 matrix to convert with; where the stream does not say, by height as players guess."""
        numbers = {name: number for number, name in MATRICES.items()}
        return numbers.get(self.matrix, 1 if self.height >= 720 else 6)

    @property
    def full_range(self) -> bool:
        """Whether code values span the whole of their bits; unsaid means limited, as for broadcast."""
        return self.range == "pc"


@dataclass(frozen=True)
class NativeFrame:
    """One frame as the file holds it, with what is needed to see it as RGB.

    Attributes:
        number: from 0 in presentation order.
        pts: presentation time in units of the stream's time base.
        duration: in the same units, 0 if the file does not say.
        picture: the decoded planes, in the clip's own pixel format.
        facts: of the stream.
    """

    number: int
    pts: int
    duration: int
    picture: av.VideoFrame
    facts: VideoFacts

    def rgb(self, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 RGB, full range, converted with the stream's matrix and range; of high dynamic range as a
        standard screen shows it (:mod:`stages.hdr`).

        Args:
            size: (w, h) to squeeze it to on the way, smoothly; None for its own.
        """
        return self._rgb_of(self.picture, size)

    def lit_as(self, facts: VideoFacts) -> NativeFrame:
        """This frame, seen by the transfer and primaries of another stream: some files can not say their own."""
        light = {"transfer": facts.transfer, "primaries": facts.primaries}
        return replace(self, facts=self.facts.model_copy(update=light))

    def crop(self, transform: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
        """The aligned crop, (size, size, 3) uint8 RGB; of a large frame only the face's neighbourhood is converted.

        That of :func:`stages.geometry.crop` of all of :meth:`rgb`, but for a code value where sampling rounds.

        Args:
            transform: (2, 3), frame pixels to the unit crop.
            size: of the crop in pixels.
        """
        width, height = self.picture.width, self.picture.height
        scale = max(geometry.scale_of(transform), 1e-9)
        reach = _REACH * (1.0 / (scale * size) + 1.0)
        x0, y0, x1, y1 = geometry.region(transform, width, height, margin=reach * scale)
        if x1 <= x0 or y1 <= y0 or not _whole_samples(self.picture):
            return geometry.crop(self.rgb(), transform, size)
        # dithering repeats every eight pixels, and converting looks at neighbours
        left, top = (max(low - _GRID, 0) // _GRID * _GRID for low in (x0, y0))
        right, bottom = (min(-(-high // _GRID) * _GRID + _GRID, end) for high, end in ((x1, width), (y1, height)))
        part = self._rgb_of(part_of(self.picture, (left, top, right, bottom)))
        moved = geometry.compose(np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]]), transform)
        return geometry.crop(part[y0 - top : y1 - top, x0 - left : x1 - left], moved, size)

    def _rgb_of(self, picture: av.VideoFrame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        width, height = size or (None, None)
        hdr = is_hdr(self.facts.transfer)
        converted = picture.reformat(
            width,
            height,
            interpolation="BILINEAR" if size else None,
            format="rgb48le" if hdr else "rgb24",
            src_colorspace=self.facts.matrix_number,
            dst_colorspace=self.facts.matrix_number,
            src_color_range=2 if self.facts.full_range else 1,
            dst_color_range=2,
        )
        if hdr:
            return shown(np.asarray(converted.to_ndarray(), np.uint16), self.facts.transfer, self.facts.primaries)
        return np.asarray(converted.to_ndarray(), dtype=np.uint8)

    def planes(self) -> list[NDArray[Any]]:
        """The planes without padding: (h, w) uint8, or uint16 where a component has more than 8 bits."""
        return planes_of(self.picture)

    def digest(self) -> str:
        """BLAKE2b-128 of the planes, in hexadecimal."""
        state = hashlib.blake2b(digest_size=16)
        for plane in self.planes():
            state.update(np.ascontiguousarray(plane).data)
        return state.hexdigest()


def planes_of(picture: av.VideoFrame) -> list[NDArray[Any]]:
    """Views of a picture's planes, (h, w) each; writing to them writes to the picture.

    Packed formats (rgb24, bgr0 ...) come as one plane whose width counts components, unused ones too.
    """
    depth = max(component.bits for component in picture.format.components)
    kind = np.dtype(np.uint16 if depth > 8 else np.uint8)
    planes = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), dtype=kind).reshape(plane.height, plane.line_size // kind.itemsize)
        packed = len(picture.planes) == 1 and len(picture.format.components) > 1
        width = plane.width * (picture.format.padded_bits_per_pixel // (8 * kind.itemsize) if packed else 1)
        planes.append(rows[:, : min(width, rows.shape[1])])
    return planes


def _whole_samples(picture: av.VideoFrame) -> bool:
    """Whether no sample of chroma lies half beyond the edge: swscale spreads that half over all of the others."""
    return all(
        picture.height % -(-picture.height // rows) == 0 and picture.width % -(-picture.width // columns) == 0
        for rows, columns in (plane.shape for plane in planes_of(picture))
    )


def part_of(picture: av.VideoFrame, box: tuple[int, int, int, int]) -> av.VideoFrame:
    """A part of a picture in its own pixel format, copied.

    Args:
        picture: in a format of planes that all span the picture, or of one that is packed.
        box: x0, y0, x1, y1; the first two on whole samples of every plane.
    """
    x0, y0, x1, y1 = box
    part = av.VideoFrame(x1 - x0, y1 - y0, picture.format.name)
    for mine, whole in zip(planes_of(part), planes_of(picture), strict=True):
        rows, columns = whole.shape
        down = -(-picture.height // rows)
        # samples a pixel in a packed format, pixels a sample else
        many, across = max(columns // picture.width, 1), -(-picture.width // columns)
        top, left = y0 // down, x0 // across * many
        mine[:] = whole[top : top + mine.shape[0], left : left + mine.shape[1]]
    return part


def ffmpeg_program() -> str:
    """The ffmpeg to run: the system's own if there is one, else the one that the imageio-ffmpeg wheel brings."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


@contextmanager
def running_ffmpeg(command: Any, out: Path, *, mend: str, where: Path | None = None) -> Iterator[IO[bytes]]:
    """Run the ffmpeg program beside the block, which feeds its standard input; after the block `out` is whole.

    If the block raises, ffmpeg is killed; whenever `out` did not become whole, it is removed.

    Args:
        command: an ffmpeg-python node that reads ``pipe:0`` and writes `out`.
        out: the file that it writes.
        mend: what the user can do if ffmpeg refuses.
        where: the file that is then named as being at fault, `out` by default.

    Yields:
        the pipe into ffmpeg. A ``BrokenPipeError`` may leave the block: ffmpeg has ended then, and its words are told.

    Raises:
        Problem: ffmpeg failed, with its first words, or the disk is full.
    """
    with tempfile.TemporaryFile() as said:  # a file, since nobody reads a pipe while the block writes to the other
        process = subprocess.Popen(
            command.compile(cmd=ffmpeg_program()), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        assert process.stdin is not None
        broken = False
        try:
            try:
                yield process.stdin
            except (BrokenPipeError, av.error.PyAVCallbackError) as error:
                if not _is_broken_pipe(error):
                    raise
                broken = True
            process.communicate()
            if process.returncode != 0 or broken:
                said.seek(0)
                _tell(said.read().decode(errors="replace"), process.returncode, out, where or out, mend)
        except BaseException:
            process.kill()
            process.communicate()
            if out.is_dir():
                shutil.rmtree(out, ignore_errors=True)
            out.unlink(missing_ok=True)
            raise


def _is_broken_pipe(error: BaseException | None) -> bool:
    """Whether an error is that of a broken pipe, or came up while one was handled, as PyAV's does at closing."""
    return error is not None and (isinstance(error, BrokenPipeError) or _is_broken_pipe(error.__context__))


def _tell(words: str, status: int, out: Path, where: Path, mend: str) -> NoReturn:
    """Raise what ffmpeg said before it failed as a Problem."""
    if os.strerror(errno.ENOSPC) in words:
        with told_as_problem(out):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    said = " / ".join(words.strip().splitlines()[:3])  # the cause comes first, then who else ended for it
    raise Problem(f"ffmpeg could not write it: {said or f'status {status}'}", where=where, mend=mend)


def open_clip(path: Path) -> av.container.InputContainer:
    """A file opened for reading, with a video stream in it.

    Raises:
        Problem: it is missing, unreadable, or has no video.
    """
    container = open_file(path)
    try:
        video_stream(container, path)
    except Problem:
        container.close()
        raise
    return container


def open_file(path: Path) -> av.container.InputContainer:
    """A file opened for reading, whatever streams are in it.

    Raises:
        Problem: it is missing or unreadable.
    """
    if not path.is_file():
        raise Problem("the clip is not there", where=path, mend="put the file there or correct its path in params.yaml")
    try:
        container = av.open(os.fspath(path))
    except (av.error.FFmpegError, ValueError) as error:
        raise Problem(
            f"it can not be read as video ({error})",
            where=path,
            mend="give a file that a video player can play",
        ) from error
    if container.format.name in _LISTS:
        container.close()
        raise Problem(
            "it is a list of other files: what those hold, no hash of this one and no consent to it would tell",
            where=path,
            mend="name the film itself, or join its parts: ffmpeg -i IN -c copy OUT.mkv",
        )
    return container


def video_stream(container: av.container.InputContainer, path: Path | None = None) -> av.video.stream.VideoStream:
    """The stream that is the clip: the first of moving pictures, not a picture that stands for the file.

    Raises:
        Problem: there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise Problem("it has no video stream", where=path or container.name, mend="give a file with pictures in it")


def facts_of(container: av.container.InputContainer) -> VideoFacts:
    """The facts of a file's first video stream, as coded: the display rotation is not yet applied."""
    stream = video_stream(container)
    codec = stream.codec_context
    aspect = stream.sample_aspect_ratio
    coded = codec.pix_fmt or UNKNOWN
    return VideoFacts(
        width=codec.width,
        height=codec.height,
        pixel_format=_FULL_RANGE_NAMES.get(coded, coded),
        time_base=ratio(stream.time_base or Fraction(1, 1000)),
        rate=ratio(stream.average_rate or stream.guessed_rate or Fraction(25)),
        primaries=PRIMARIES.get(int(codec.color_primaries), UNKNOWN),
        transfer=TRANSFERS.get(int(codec.color_trc), UNKNOWN),
        matrix=MATRICES.get(int(codec.colorspace), UNKNOWN),
        range="pc" if coded in _FULL_RANGE_NAMES else RANGES.get(int(codec.color_range), UNKNOWN),
        sample_aspect=ratio(aspect) if aspect else "1/1",
    )


def timecode_of(container: av.container.InputContainer) -> str | None:
    """The timecode of a file's first picture, None if it says none. Matroska writes the names of tags in capitals."""
    for metadata in (video_stream(container).metadata, container.metadata):
        for name, value in metadata.items():
            if name.lower() == "timecode":
                return value
    return None


def plainly_named(picture: av.VideoFrame) -> av.VideoFrame:
    """The samples under their format's plain name, if the decoder used a deprecated full-range one; else the picture.

    FFmpeg renames it, not we: its copy keeps what lies beside the samples, such as the turn and the field order.
    """
    plain = _FULL_RANGE_NAMES.get(picture.format.name)
    if plain is None:
        return picture
    return picture.reformat(format=plain, src_color_range=2, dst_color_range=2)


def ratio(value: Fraction) -> str:
    """A fraction as "n/d", with the denominator even if it is 1."""
    return f"{value.numerator}/{value.denominator}"


def decode(path: Path, facts: VideoFacts | None = None) -> Iterator[NativeFrame]:
    """All frames of a file in presentation order, one at a time.

    Args:
        path: a video file.
        facts: colour facts to use in place of the file's own, for shards that do not carry them.

    Raises:
        Problem: the file is missing, unreadable, or breaks off while it is read.
    """
    with open_clip(path) as container:
        yield from decoded(container, path, facts)


def decoded(
    container: av.container.InputContainer, path: Path, facts: VideoFacts | None = None
) -> Iterator[NativeFrame]:
    """All frames of an open container, as :func:`decode` gives them; ``path`` is what a fault is told of.

    Raises:
        Problem: it breaks off while it is read.
    """
    stream = video_stream(container, path)
    stream.thread_type = "AUTO"
    known = facts or facts_of(container)
    number = 0
    try:
        for picture in container.decode(stream):
            yield NativeFrame(number, picture.pts or 0, picture.duration or 0, plainly_named(picture), known)
            number += 1
    except av.error.FFmpegError as error:
        raise Problem(
            f"it breaks off after frame {number - 1} ({error})",
            where=path,
            mend="repair or re-export the file",
        ) from error


class ShardEncoder:
    """Writes pictures to one lossless FFV1 file, each a key frame, so that any of them can be read alone.

    FFV1 version 3 (RFC 9043) with checksums per slice. Times inside are only row numbers at 25 a second; the frame
    index keeps the real ones.
    """

    RATE: Final = 25

    def __init__(self, path: Path, facts: VideoFacts) -> None:
        self._container = av.open(os.fspath(path), "w", format="matroska", options={"fflags": "+bitexact"})
        stream = self._container.add_stream("ffv1", rate=self.RATE)
        stream.width, stream.height, stream.pix_fmt = facts.width, facts.height, facts.pixel_format
        stream.time_base = Fraction(1, self.RATE)
        codec = stream.codec_context
        codec.flags |= Flags.bitexact
        codec.gop_size = 1
        codec.options = {"level": "3", "slicecrc": "1", "context": "0", "coder": "1"}
        if facts.width % 2 == 0 and facts.height % 2 == 0:
            codec.options |= {"slices": "4"}  # with odd sizes ffmpeg takes its own choice of slices only
        codec.thread_count = 2
        self._stream, self._row = stream, 0

    def write(self, picture: av.VideoFrame) -> None:
        """Append one picture, in the facts' size and pixel format."""
        picture.pts, picture.time_base = self._row, Fraction(1, self.RATE)
        self._container.mux(self._stream.encode(picture))
        self._row += 1

    def close(self) -> None:
        """Write what is still in the encoder and the file's index."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


_SKIPPED: Final = 8
"""Pictures up to which reading on is quicker than seeking."""


def read_shard(path: Path, rows: list[int], facts: VideoFacts) -> Iterator[av.VideoFrame]:
    """Pictures of one shard by row, ascending; seeks where rows are far apart.

    Raises:
        Problem: the shard is missing, damaged or too short.
    """
    wanted = iter(rows)
    row = next(wanted, None)
    if row is None:
        return
    with open_clip(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "SLICE"
        tick = Fraction(1, ShardEncoder.RATE) / (stream.time_base or Fraction(1, 1000))
        try:
            while row is not None:
                container.seek(int(row * tick), stream=stream)
                for packet in container.demux(stream):
                    if packet.pts is None:
                        continue  # what comes after the last one
                    here = round(packet.pts / tick)
                    if here < row:
                        continue  # every picture stands for itself
                    picture = next(iter(packet.decode()), None)
                    if picture is None or here > row:
                        raise _without(row, path)
                    yield picture
                    row = next(wanted, None)
                    if row is None or row > here + _SKIPPED:
                        break
                else:
                    break
        except av.error.FFmpegError as error:
            raise Problem(f"it is damaged ({error})", where=path, mend="remove it and run `dvc repro`") from error
    if row is not None:
        raise _without(row, path)


def _without(row: int, path: Path) -> Problem:
    return Problem(f"it ends before row {row}", where=path, mend="remove it and run `dvc repro`")
