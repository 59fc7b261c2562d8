"""The second pass of compositing over spans of frames, which gives the finished frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pandas as pd

from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames, FrameWriter
from stages.compositing.faces import weights_over_time
from stages.compositing.inputs import Inputs
from stages.compositing.joining import Part, coded
from stages.compositing.match import Match
from stages.compositing.placing import put
from stages.compositing.settings import CompositingSettings
from stages.execution.work import FRAMES, spans_of, tables_of
from stages.video import VideoFacts

HELD = 64 * 2**20
"""Bytes of pictures in a span at most, so that those in flight do not fill the memory."""


@dataclass(frozen=True)
class Placing:
    """A span.

    Attributes:
        numbers: of the frames.
        faces: those in them, and those before and after that count for their masks; with their wide columns.
        matched: what is done to each of the faces.
        wanted: which of them are in the frames.
    """

    numbers: Sequence[int]
    faces: pd.DataFrame
    matched: Sequence[Match]
    wanted: Sequence[bool]


@dataclass(frozen=True)
class PlaceFaces:
    """The work of a span: the finished frames, coded.

    Attributes:
        frames, converted: folders of the two artifacts.
        settings: of the stage.
    """

    frames: Path
    converted: Path
    settings: CompositingSettings

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        return *tables_of(self.frames), *tables_of(self.converted)

    def begin(self) -> Callable[[Placing], Part]:
        """Open both artifacts.

        Raises:
            Problem: one of them is missing or damaged; later, the pixel format can not be written.
        """
        frames, converted = Frames.read(self.frames), Converted.read(self.converted)
        shots = frames.index["shot"].tolist()

        def place(span: Placing) -> Part:
            inputs = Inputs(frames, converted, span.faces, None, {})
            layers = inputs.layers(span.matched, self.settings, span.wanted)
            faces_in = span.faces[np.asarray(span.wanted, bool)].groupby("frame").size()

            def write(writer: FrameWriter) -> None:
                for frame in frames.pick(span.numbers):
                    # all of a frame before any is put into it: each is seen on the clip's own picture
                    here = list(islice(layers, int(faces_in.get(frame.number, 0))))
                    changed = False
                    for layer in here:
                        changed |= put(frame.picture, layer, frames.facts, self.settings.blend)
                    shot = shots[frame.number]
                    writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=shot, changed=changed)

            return coded(frames.facts, write)

        return place


def spans_of_frames(inputs: Inputs, matched: Sequence[Match], settings: CompositingSettings) -> Iterator[Placing]:
    """All frames of the clip, cut into spans, each with the faces that it needs.

    The weights over time of these faces among themselves are those that they have among all faces.
    """
    frames, faces = inputs.frames, inputs.faces
    reach = max(settings.mask.steady, settings.mask.occlusion_steady if settings.mask.occlusion == "network" else 0.0)
    weights = weights_over_time(faces, frames, reach)
    numbers = faces["frame"].to_numpy()
    length = max(1, min(FRAMES, HELD // _bytes_of(frames.facts)))
    for span in spans_of(frames, range(len(frames)), length):
        first, last = np.searchsorted(numbers, [span[0], span[-1] + 1]).tolist()
        near = sorted({row for here in range(first, last) for row, _ in weights[here]})
        yield Placing(
            span,
            inputs.some(near).faces,
            [matched[row] for row in near],
            [first <= row < last for row in near],
        )


def _bytes_of(facts: VideoFacts) -> int:
    """Of one picture."""
    bits = av.VideoFormat(facts.pixel_format, facts.width, facts.height).padded_bits_per_pixel
    return max(1, facts.width * facts.height * bits // 8)
