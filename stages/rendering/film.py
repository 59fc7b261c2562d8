"""Writing a rendered clip: H.264 with sound, and lossless pictures of labels and depth; same frames, same bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import av
import ffmpeg
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from stages.exact_h264 import exact_h264
from stages.rendering.sound import RATE
from stages.video import running_ffmpeg

_BITEXACT = {"fflags": "+bitexact"}


class Film:
    """Takes the pictures of a clip.mp4, see :func:`filming`."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Append a frame (H, W, 3) uint8, both even."""
        self._pipe.write(np.ascontiguousarray(rgb).tobytes())


@contextmanager
def filming(path: Path, voice: NDArray[np.float32], width: int, height: int, rate: int, crf: int) -> Iterator[Film]:
    """Write clip.mp4: H.264 yuv420p, BT.709 limited range and tagged so, AAC sound.

    Args:
        path: of the file; it is there only once the block has ended well.
        voice: the whole sound, (n,) float32 in -1..1 at 48 kHz.
        width, height: of the pictures, even.
        rate: pictures a second.
        crf: x264's rate factor, 0..51.

    Raises:
        Problem: ffmpeg could not write it, or the disk is full.
    """
    # the sound lies in a file while ffmpeg runs: two pipes into one process could wait for each other
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".f32") as sound:
        sound.write(voice.astype("<f4").tobytes())
        sound.flush()
        command = _command(path, Path(sound.name), width, height, rate, crf)
        mend = "see that `ffmpeg -encoders` names libx264 and aac; if not, take that ffmpeg off the PATH, run again"
        with running_ffmpeg(command, path, mend=mend) as pipe:
            yield Film(pipe)


def _command(path: Path, sound: Path, width: int, height: int, rate: int, crf: int) -> Any:
    """The ffmpeg-python node that encodes raw RGB pictures from standard input, and raw sound from a file.

    Packets of the two streams wait for each other however long it takes (``max_interleave_delta``): their order in the
    file must not depend on who is faster.
    """
    voice = ffmpeg.input(str(sound), format="f32le", ar=RATE, ac=1)
    options = {"c:a": "aac", "b:a": "64k", "max_interleave_delta": 0}
    return exact_h264(path, width, height, rate, crf, sound=voice.audio, sound_options=options)


class Lossless:
    """A lossless FFV1 file of grey pictures, of 8 or of 16 bits."""

    def __init__(self, path: Path, width: int, height: int, rate: int, bits: int = 8) -> None:
        self._format = "gray" if bits == 8 else "gray16le"
        self._file = av.open(os.fspath(path), "w", format="matroska", options=_BITEXACT)
        stream = self._file.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, self._format
        codec = stream.codec_context
        codec.flags |= Flags.bitexact
        codec.options = {"level": "3", "slicecrc": "1", "context": "1", "coder": "1", "g": str(rate)}
        codec.thread_count = 1
        self._pictures, self._rate, self._row = stream, rate, 0

    def add(self, grey: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
        """Append a picture (H, W), contiguous."""
        frame = av.VideoFrame.from_ndarray(grey, format=self._format)
        frame.pts, frame.time_base = self._row, Fraction(1, self._rate)
        self._file.mux(self._pictures.encode(frame))
        self._row += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._file.mux(self._pictures.encode(None))
        self._file.close()
