"""Writing a rendered clip: H.264 with sound, and lossless pictures of labels and depth; same frames, same bytes."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from stages.rendering.sound import RATE

_BITEXACT = {"fflags": "+bitexact"}
_BT709 = 1  # of primaries, transfer and matrix alike (ITU-T H.273)
_LIMITED = 1


class Film:
    """clip.mp4: H.264 yuv420p, BT.709 limited range and tagged so, AAC sound.

    x264 runs in one thread, since its rate control depends on their number.
    """

    def __init__(self, path: Path, width: int, height: int, rate: int, crf: int) -> None:
        self._file = av.open(os.fspath(path), "w", format="mp4", options=_BITEXACT | {"movflags": "+faststart"})
        stream = self._file.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        codec = stream.codec_context
        codec.time_base = Fraction(1, rate)
        codec.thread_count = 1
        codec.flags |= Flags.bitexact
        codec.options = {"crf": str(crf), "preset": "slow", "threads": "1"}
        codec.color_primaries, codec.color_trc, codec.colorspace = _BT709, _BT709, _BT709
        codec.color_range = _LIMITED
        self._sound = self._file.add_stream("aac", rate=RATE, layout="mono", bit_rate=64_000)
        self._sound.codec_context.flags |= Flags.bitexact
        self._pictures, self._rate, self._row = stream, rate, 0

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Append a frame (H, W, 3) uint8."""
        full = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = full.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG, interpolation="AREA",
        )  # fmt: skip
        frame.pts, frame.time_base = self._row, Fraction(1, self._rate)
        self._file.mux(self._pictures.encode(frame))
        self._row += 1

    def speak(self, voice: NDArray[np.float32]) -> None:
        """The whole sound, (n,) float32 at 48 kHz."""
        size = 1024
        for start in range(0, len(voice), size):
            piece = voice[start : start + size]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece[None]), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            self._file.mux(self._sound.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._file.mux(self._pictures.encode(None))
            self._file.mux(self._sound.encode(None))
        self._file.close()


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
