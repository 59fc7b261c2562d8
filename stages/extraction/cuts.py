"""Where one shot ends and the next begins, by ffmpeg's own measure."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from stages.extraction.filters import filter_graph, pulled
from stages.video import NativeFrame, VideoFacts

CALM: Final = 8
"""Frames before that tell how much the picture changes from one to the next."""

JUMP: Final = 5.0
"""Times that, a change is a jump cut: the same camera and person, some time later."""

LEAST: Final = 0.25
"""Share of the threshold that a jump cut must have nevertheless."""


class CutFinder:
    """Numbers the shots: a new one begins where ffmpeg's ``scdet`` score of a frame passes a threshold.

    The score (0 to 100) is the smaller of the mean absolute luma difference to the frame before and that
    difference's own change, so that fast motion, which is different from frame to frame throughout, does not count.
    Where one camera goes on after a cut the score is small; there a quarter of the threshold is enough if it stands out
    against the differences of the frames before, as in PySceneDetect's adaptive detector.
    """

    def __init__(self, facts: VideoFacts, threshold: float) -> None:
        self._graph = filter_graph(facts, ["scdet=threshold=100"])
        self._threshold, self._shot = threshold, 0
        self._before: deque[float] = deque(maxlen=CALM)

    def shot_of(self, frame: NativeFrame) -> int:
        """The number of the frame's shot; frames must come in order."""
        self._graph.push(frame.picture)
        seen = pulled(self._graph)
        score, change = (float(seen.metadata.get(f"lavfi.scd.{name}", 0.0)) for name in ("score", "mafd"))
        if frame.number > 0 and (score >= self._threshold or self._jumps(score)):
            self._shot += 1
            self._before.clear()
        elif frame.number > 0:
            self._before.append(change)
        return self._shot

    def _jumps(self, score: float) -> bool:
        calm = len(self._before) == CALM
        return calm and score >= max(LEAST * self._threshold, JUMP * float(np.median(self._before)))
