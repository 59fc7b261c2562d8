"""OpenEXR files, by FFmpeg's encoder (OpenCV's wheels are built without)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_exr(path: Path, rgb: NDArray[np.float32]) -> None:
    """A picture (h, w, 3) float32 RGB, any values, as 32-bit floats, losslessly compressed (ZIP, 16 lines a block)."""
    height, width = rgb.shape[:2]
    picture = av.VideoFrame(width, height, "gbrpf32le")
    for samples, colour in zip(picture.planes, (1, 2, 0), strict=True):
        rows = np.frombuffer(memoryview(samples), np.float32).reshape(height, -1)
        rows[:, :width] = rgb[..., colour]
    encoder = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "gbrpf32le", Fraction(1, 25)
    encoder.options = {"compression": "zip16", "format": "float"}
    encoder.thread_count = 1  # one picture goes in, one must come out
    path.write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)]))
