"""Pictures as the extraction stage would leave them: lossless frames in a usual pixel format, cut into shots."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from stages.artifacts.frames import Frames, FrameWriter
from stages.extraction.cuts import CutFinder
from stages.extraction.settings import ExtractionSettings
from stages.video import NativeFrame, VideoFacts


def facts_of(width: int, height: int, rate: int) -> VideoFacts:
    """4:2:0 in BT.709, limited range, as most clips come."""
    return VideoFacts(
        width=width,
        height=height,
        pixel_format="yuv420p",
        time_base=f"1/{rate}",
        rate=f"{rate}/1",
        primaries="bt709",
        transfer="bt709",
        matrix="bt709",
        range="tv",
    )


def reel(folder: Path, pictures: Iterable[NDArray[np.uint8]], facts: VideoFacts) -> Frames:
    """Write pictures (h, w, 3) uint8 RGB as frames, cut into shots by the extraction stage's own finder.

    Args:
        folder: an existing empty one.
        pictures: in order; one at a time is in memory.
        facts: see :func:`facts_of`.
    """
    cuts = CutFinder(facts, ExtractionSettings.model_validate({}).cut_score)
    with FrameWriter(folder, facts) as writer:
        for number, rgb in enumerate(pictures):
            frame = _native(rgb, facts, number)
            writer.add(frame.picture, pts=number, duration=1, shot=cuts.shot_of(frame))
        writer.close()
    return Frames.read(folder)


def as_filmed(rgb: NDArray[np.uint8], facts: VideoFacts) -> NDArray[np.uint8]:
    """What a picture (h, w, 3) uint8 RGB still shows once it has been a frame of a :func:`reel`.

    Of 4:2:0, colours at half the resolution: most of the noise of single channels is gone.
    """
    return _native(rgb, facts, 0).rgb()


def _native(rgb: NDArray[np.uint8], facts: VideoFacts, number: int) -> NativeFrame:
    coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
        format=facts.pixel_format, src_color_range=2, dst_color_range=1, dst_colorspace=facts.matrix_number
    )
    return NativeFrame(number, number, 1, coded, facts)
