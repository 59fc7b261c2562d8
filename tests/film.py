"""Short films of public-domain portraits moved by known transforms: what the face stages must find is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import av
import cv2
import matplotlib.cbook
import numpy as np
import skimage.data
from numpy.typing import NDArray

from stages.artifacts.files import SHARD_ROWS
from stages.artifacts.frames import Frames, FrameWriter
from stages.geometry import Floats, warp
from stages.video import VideoFacts

WIDTH, HEIGHT = 320, 240
BACKGROUND = np.full((HEIGHT, WIDTH, 3), 96, np.uint8)


@cache
def collins() -> NDArray[np.uint8]:
    """Eileen Collins (NASA, public domain), (240, 200, 3) uint8 RGB; her face is about 100 pixels high."""
    return np.ascontiguousarray(skimage.data.astronaut()[0:240, 120:320])


@cache
def hopper() -> NDArray[np.uint8]:
    """Grace Hopper (US Navy, public domain), (240, 200, 3) uint8 RGB; her face is about 110 pixels high."""
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        coded = np.frombuffer(stream.read(), np.uint8)
    picture = cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(picture[20:380, 110:410], (200, 240), interpolation=cv2.INTER_AREA), np.uint8)


def moved(x: float, y: float, *, scale: float = 1.0, degrees: float = 0.0) -> Floats:
    """The transform, portrait pixels to frame pixels, that puts the portrait's middle at (x, y)."""
    angle = np.radians(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([linear, (np.array([x, y]) - linear @ [100.0, 120.0])[:, None]], axis=1)


def placed(*portraits: tuple[NDArray[np.uint8], Floats]) -> NDArray[np.uint8]:
    """A frame (240, 320, 3) uint8 RGB with portraits laid over one another."""
    frame = BACKGROUND.copy()
    for portrait, transform in portraits:
        inside = warp(np.full(portrait.shape[:2], 255, np.uint8), transform, WIDTH, HEIGHT, edge="zero") > 127
        frame[inside] = warp(portrait, transform, WIDTH, HEIGHT)[inside]
    return frame


def film(
    folder: Path,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    shot_of: Callable[[int], int] = lambda number: 0,
    rows: int = SHARD_ROWS,
    sample_aspect: str = "1/1",
) -> Frames:
    """Lossless frames as the extraction stage would leave them; ``rows`` in a shard."""
    height, width = pictures[0].shape[:2]
    facts = VideoFacts(
        width=width,
        height=height,
        pixel_format="yuv444p",
        time_base="1/25",
        rate="25/1",
        matrix="bt709",
        range="pc",
        sample_aspect=sample_aspect,
    )
    folder.mkdir(parents=True)
    with FrameWriter(folder, facts, rows) as writer:
        for number, picture in enumerate(pictures):
            coded = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
                format="yuv444p", src_color_range=2, dst_color_range=2, dst_colorspace=facts.matrix_number
            )
            writer.add(coded, pts=number, duration=1, shot=shot_of(number))
        writer.close()
    return Frames.read(folder)
