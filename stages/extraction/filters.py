"""FFmpeg's own filters, run on frames one at a time."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter

from stages.video import VideoFacts


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
