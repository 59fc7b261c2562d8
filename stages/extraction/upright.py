"""Frames stood upright and judged for cuts on their way from the decoder, by ffmpeg's own filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import av.filter

from stages.video import NativeFrame, VideoFacts

_TURNS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}
"""Filters that apply a clockwise turn exactly: planes are permuted, no sample is computed."""


def clockwise(rotation: int) -> int:
    """Degrees clockwise that stand a frame upright, from PyAV's counter-clockwise ``VideoFrame.rotation``."""
    return (-rotation) % 360


def turned(facts: VideoFacts, degrees: int) -> VideoFacts:
    """The facts of the frames after a clockwise turn by a multiple of 90 degrees."""
    if degrees not in (90, 270):
        return facts.model_copy(update={"rotation": degrees})
    numerator, denominator = facts.sample_aspect.split("/")
    return facts.model_copy(
        update={
            "width": facts.height,
            "height": facts.width,
            "sample_aspect": f"{denominator}/{numerator}",
            "rotation": degrees,
        }
    )


class Turner:
    """Turns frames clockwise by 90, 180 or 270 degrees without changing a sample."""

    def __init__(self, facts: VideoFacts, degrees: int) -> None:
        self._facts = turned(facts, degrees)
        self._graph = _graph(facts, _TURNS[degrees])

    def __call__(self, frame: NativeFrame) -> NativeFrame:
        """The turned frame; number and times are kept."""
        self._graph.push(frame.picture)
        return replace(frame, picture=_pulled(self._graph), facts=self._facts)


class CutFinder:
    """Numbers the shots: a new one begins where ffmpeg's ``scdet`` score of a frame passes a threshold.

    The score (0 to 100) is the smaller of the mean absolute luma difference to the frame before and that
    difference's own change, so that fast motion, which is different from frame to frame throughout, does not count.
    """

    def __init__(self, facts: VideoFacts, threshold: float) -> None:
        self._graph = _graph(facts, ["scdet=threshold=100"])
        self._threshold, self._shot = threshold, 0

    def shot_of(self, frame: NativeFrame) -> int:
        """The number of the frame's shot; frames must come in order."""
        self._graph.push(frame.picture)
        seen = _pulled(self._graph)
        score = float(seen.metadata.get("lavfi.scd.score", 0.0))
        if frame.number > 0 and score >= self._threshold:
            self._shot += 1
        return self._shot


def _graph(facts: VideoFacts, filters: list[str]) -> av.filter.Graph:
    graph = av.filter.Graph()
    nodes = [
        graph.add_buffer(
            width=facts.width,
            height=facts.height,
            format=av.VideoFormat(facts.pixel_format),
            time_base=Fraction(facts.time_base),
        )
    ]
    for text in filters:
        name, _, arguments = text.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes)
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> av.VideoFrame:
    frame = graph.pull()
    assert isinstance(frame, av.VideoFrame)
    return frame


def each_upright(frames: Iterator[NativeFrame]) -> Iterator[NativeFrame]:
    """The frames turned as their display matrix asks; most clips need no turn and pass untouched."""
    turner: Turner | None = None
    for frame in frames:
        degrees = clockwise(frame.picture.rotation)
        if degrees == 0:
            yield frame
            continue
        if turner is None:
            turner = Turner(frame.facts, degrees)
        yield turner(frame)
