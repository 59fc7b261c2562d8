"""Looks at one frame: where its faces are, whether they are faces, and what they are like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.packs import Detector, Found, Landmarker, Recogniser, five_points

CERTAIN: Final = 0.9
"""From this certainty on, the landmarks of the first pass are good enough to describe a face by."""

MORE_PASSES: Final = 2


@dataclass(frozen=True)
class Looking:
    """The three networks that look at a frame together.

    The detector's five points are rough where a head is tilted or small, and now and then it takes a printed pattern
    for a face. The landmark network mends the first and tells the second.

    Attributes:
        detector: finds candidates.
        landmarker: says whether they are faces, and where the five points really are.
        recogniser: describes them by these points.
        confirmed: least certainty of the landmark network that a candidate is a face, 0..1.
    """

    detector: Detector
    landmarker: Landmarker
    recogniser: Recogniser
    confirmed: float

    def at(self, frame: NDArray[np.uint8]) -> tuple[Found, NDArray[np.float32]]:
        """The faces of a frame (h, w, 3) uint8 RGB, and their embeddings (n, d) float32 of length 1."""
        found = self.detector.detect([frame])[0]
        landmarks, sure = self.landmarker.refine(frame, found.points)
        again = np.flatnonzero(sure < CERTAIN)  # a tilted head comes upright step by step
        if again.size:
            more, surer = self.landmarker.refine(frame, landmarks[again], passes=MORE_PASSES)
            better = surer > sure[again]
            landmarks[again[better]], sure[again[better]] = more[better], surer[better]
        faces = sure >= self.confirmed
        kept = Found(found.scores[faces], found.boxes[faces], five_points(landmarks[faces]))
        return kept, self.recogniser.embed(frame, kept.points)
