"""Where one shot ends and the next begins, by ffmpeg's own measure."""

from __future__ import annotations

from stages.extraction.filters import filter_graph, pulled
from stages.video import NativeFrame, VideoFacts


class CutFinder:
    """Numbers the shots: a new one begins where ffmpeg's ``scdet`` score of a frame passes a threshold.

    The score (0 to 100) is the smaller of the mean absolute luma difference to the frame before and that
    difference's own change, so that fast motion, which is different from frame to frame throughout, does not count.
    """

    def __init__(self, facts: VideoFacts, threshold: float) -> None:
        self._graph = filter_graph(facts, ["scdet=threshold=100"])
        self._threshold, self._shot = threshold, 0

    def shot_of(self, frame: NativeFrame) -> int:
        """The number of the frame's shot; frames must come in order."""
        self._graph.push(frame.picture)
        seen = pulled(self._graph)
        score = float(seen.metadata.get("lavfi.scd.score", 0.0))
        if frame.number > 0 and score >= self._threshold:
            self._shot += 1
        return self._shot
