"""Interlaced frames made whole: one frame out for each that goes in, at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import av.error

from stages.extraction.filters import filter_graph
from stages.problems import Problem
from stages.video import NativeFrame

BWDIF = "bwdif=mode=send_frame:parity=auto:deint=interlaced"
"""FFmpeg's deinterlacer for the interlaced frames alone; the first field of each keeps its lines."""


class Deinterlacer:
    """Passes frames on, the interlaced ones deinterlaced; afterwards ``count`` says how many those were.

    From the first interlaced frame on all go through the filter, which looks at a frame's neighbours; progressive
    ones come out of it as they were. Before it the filter is not there at all.
    """

    def __init__(self, path: Path, *, refuse: bool) -> None:
        """With ``refuse`` an interlaced frame is a Problem."""
        self._path, self._refuse = path, refuse
        self.count = 0

    def facts(self) -> dict[str, Any]:
        """For ``facts.json``; empty if no frame was interlaced."""
        return {"deinterlaced": {"frames": self.count, "filter": BWDIF}} if self.count else {}

    def __call__(self, frames: Iterator[NativeFrame]) -> Iterator[NativeFrame]:
        """Raises: Problem if a frame is interlaced and that is refused, or in a format that the filter lacks."""
        graph = None
        inside: deque[NativeFrame] = deque()
        for frame in frames:
            if frame.picture.interlaced_frame:
                if self._refuse:
                    raise Problem(
                        f"frame {frame.number} is interlaced",
                        where=self._path,
                        mend="set extraction.interlaced to deinterlace, or deinterlace it first",
                    )
                self.count += 1
                graph = graph or filter_graph(frame.facts, [BWDIF])
            if graph is None:
                yield frame
                continue
            graph.push(frame.picture)
            inside.append(frame)
            yield from self._out(graph, inside)
        if graph is not None:
            graph.push(None)
            yield from self._out(graph, inside)

    def _out(self, graph: av.filter.Graph, inside: deque[NativeFrame]) -> Iterator[NativeFrame]:
        while inside:
            try:
                picture = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(picture, av.VideoFrame)
            frame = inside.popleft()
            if picture.format.name != frame.facts.pixel_format:
                raise Problem(
                    f"it is interlaced, and {frame.facts.pixel_format} can not be deinterlaced without a conversion",
                    where=self._path,
                    mend="deinterlace it first: ffmpeg -i IN -vf bwdif=mode=send_frame -c:v ffv1 OUT.mkv",
                )
            yield replace(frame, picture=picture)
