"""Frames turned by multiples of 90 degrees, without changing a sample."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import av.filter
from av.sidedata.sidedata import Type

from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts

_TURNS = {90: ["transpose=clock"], 180: ["hflip", "vflip"], 270: ["transpose=cclock"]}
"""Filters that apply a clockwise turn exactly: planes are permuted, no sample is computed."""


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
        self.facts = turned(facts, degrees)
        self._graph = filter_graph(facts, _TURNS[degrees])

    def __call__(self, frame: NativeFrame) -> NativeFrame:
        """The turned frame; number and times are kept."""
        self._graph.push(frame.picture)
        return replace(frame, picture=pulled(self._graph), facts=self.facts)


def filter_graph(facts: VideoFacts, filters: list[str]) -> av.filter.Graph:
    """A chain of FFmpeg's filters, written ``name=arguments``, for frames of these facts."""
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


def pulled(graph: av.filter.Graph) -> av.VideoFrame:
    """The next frame that comes out of a graph."""
    frame = graph.pull()
    assert isinstance(frame, av.VideoFrame)
    return frame


def each_upright(frames: Iterator[NativeFrame], path: Path) -> Iterator[NativeFrame]:
    """The frames turned as their display matrix asks; most clips need no turn and pass untouched.

    Raises:
        Problem: the matrix asks for something else than a turn by a multiple of 90 degrees, or changes.
    """
    turner: Turner | None = None
    degrees = None
    for frame in frames:
        asked = _asked(frame, path)
        if degrees is not None and asked != degrees:
            raise Problem(
                f"frame {frame.number} is turned by {asked} degrees, those before it by {degrees}",
                where=path,
                mend="split the clip there",
            )
        degrees = asked
        if degrees == 0:
            yield frame
            continue
        turner = turner or Turner(frame.facts, degrees)
        yield turner(frame)


def _asked(frame: NativeFrame, path: Path) -> int:
    """Degrees clockwise that stand a frame upright."""
    try:
        return turn_of(frame.picture)
    except ValueError as error:
        raise Problem(
            f"frame {frame.number} is to be shown {error}",
            where=path,
            mend="make its pictures so: ffmpeg -i IN -c:v ffv1 -c:a copy OUT.mkv",
        ) from None


def turn_of(picture: av.VideoFrame) -> int:
    """Degrees clockwise by which a picture's display matrix asks to turn it.

    Raises:
        ValueError: it asks for something else than a turn by a multiple of 90 degrees.
    """
    try:
        matrix = picture.side_data.get(Type.DISPLAYMATRIX)
    except ValueError:  # PyAV does not know all kinds of side data, such as the Exif of TIFF, and then gives none
        if picture.rotation % 90:
            raise ValueError(_ODD_TURN) from None
        return int(-picture.rotation) % 360
    return 0 if matrix is None else clockwise(bytes(matrix))


_ODD_TURN = "turned or stretched by other than multiples of 90 degrees"


def clockwise(matrix: bytes) -> int:
    """Degrees clockwise that a display matrix asks for.

    Args:
        matrix: 3 x 3 numbers of 32 bits, 16.16 fixed point, by rows, that row vectors are multiplied with.

    Raises:
        ValueError: it asks for something else than a turn by a multiple of 90 degrees.
    """
    a, b, _, c, d = (value / 65536 for value in struct.unpack("=5i", matrix[:20]))
    turns = {(1, 0, 0, 1): 0, (0, 1, -1, 0): 90, (-1, 0, 0, -1): 180, (0, -1, 1, 0): 270}
    if (a, b, c, d) not in turns:
        mirrored = a * d - b * c < 0
        raise ValueError("mirrored" if mirrored else _ODD_TURN)
    return turns[a, b, c, d]
