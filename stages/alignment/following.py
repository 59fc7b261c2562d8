"""Places landmarks on faces from frame to frame: where a face was well known a frame ago, one look is enough.

The landmark network wants an upright face of a certain size. Five points tell that roughly, least so of a face that is
turned away, so a face that is new is looked at twice: the first look only finds out where to look. Of a face that was
placed in the frame before, all landmarks are known; they are carried along by the motion of its five points, and tell
it as well as a first look would. Only where that comes out wrong is the face looked at as a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from stages.geometry import apply, scale_of, umeyama
from stages.packs import Landmarker, five_points
from stages.packs.landmarker import POINTS, turned
from stages.topology import RIGID

CERTAIN: Final = 0.9
"""A followed face of which the network is less sure is looked at as a new one; whichever look is surer counts."""

MOVED: Final = 0.012
"""Mean distance of the rigid landmarks from where they were carried to, in diagonals of the face, up to which the look
was one at an upright face of the right size."""

TILT: Final = 12.0
"""Degrees by which faces are tilted where landmarks are placed, one way as they are and the other way mirrored: swaps
between performers came out nearer to their right answer than with upright looks (docs/footage.md)."""

AHEAD: Final = 25.0
ASIDE: Final = 45.0
"""Degrees to either side between which the tilt goes down to none: of a face that is turned away, an upright look tells
more."""

SAME: Final = 0.5
"""Mean distance of five points in two frames, in distances of the eyes, up to which they are one face's."""

ASTRAY: Final = 0.75
"""Mean distance of landmarks from the five points by which a face is known, in distances of the eyes or from eyes to
mouth, whichever is longer, from which on they lie on another face beside it."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Placed:
    """The faces of one frame.

    Attributes:
        frame: its number.
        points: (n, 5, 2) they were known by.
        landmarks: (n, 478, 3) that were placed on them.
        aside: (n, 478, 3), what is to be added to them for the landmarks by which to look, see :func:`carried`.
        sure: (n,).
    """

    frame: int
    points: Floats
    landmarks: Floats
    aside: Floats
    sure: Floats

    @classmethod
    def nothing(cls, frame: int, points: Floats) -> Self:
        """Faces that are not looked at yet."""
        landmarks = np.zeros((len(points), POINTS, 3), np.float32)
        return cls(frame, points, landmarks, np.zeros_like(landmarks), np.zeros(len(points), np.float32))

    def put(self, rows: Sequence[int], aside: Floats, landmarks: Floats, sure: Floats) -> None:
        """What came out of looking at some of the faces."""
        self.aside[rows], self.landmarks[rows], self.sure[rows] = aside, landmarks, sure


class Following:
    """Takes the frames of a span in order.

    Args:
        landmarker: the network.
    """

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self._last: Placed | None = None

    def at(self, frame: int, picture: NDArray[np.uint8], points: Floats) -> tuple[Floats, Floats]:
        """The landmarks of a frame's faces.

        Args:
            frame: its number.
            picture: (h, w, 3) uint8 RGB.
            points: (n, 5, 2), by which the faces are known.

        Returns:
            (n, 478, 3) float32 in the picture's pixels, and how sure they are, (n,) float32.
        """
        last = self._last if self._last is not None and self._last.frame == frame - 1 else None
        now = Placed.nothing(frame, points)
        followed = {row: start for row, face in enumerate(points) if (start := carried(face, last)) is not None}
        new = [row for row in range(len(points)) if row not in followed]
        if followed:
            known, (begun, aside) = list(followed), (np.stack(parts) for parts in zip(*followed.values(), strict=True))
            now.put(known, aside, *self._landmarker.refine(picture, begun, tilt=tilt_of(begun)))
            off = distance(begun, now.landmarks[known] + aside)
            new += [row for row, far in zip(known, off.tolist(), strict=True) if far > MOVED or now.sure[row] < CERTAIN]
        if new:
            first, _ = self._landmarker.refine(picture, points[new], mirror="turned")
            placed, sure = self._landmarker.refine(picture, first, tilt=tilt_of(first))
            better = [
                number
                for number, row in enumerate(new)
                if row not in followed or sure[number] >= min(now.sure[row], CERTAIN)
            ]
            now.put([new[number] for number in better], (first - placed)[better], placed[better], sure[better])
        now.sure[astray(now.landmarks, points)] = 0.0
        self._last = now
        return now.landmarks, now.sure


def astray(landmarks: Floats, points: Floats) -> NDArray[np.bool_]:
    """Which faces (n, 478, 3) lie elsewhere than where they are known to be (n, 5, 2)."""
    apart = np.linalg.norm(five_points(landmarks) - points, axis=2).mean(axis=1)
    across = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    down = np.linalg.norm(points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1), axis=1)
    return np.asarray(apart > ASTRAY * np.maximum(across, down))


def tilt_of(landmarks: Floats) -> NDArray[np.float64]:
    """Degrees (n,) by which faces that lie about at (n, 478, 3) are tilted where their landmarks are placed."""
    return TILT * ((ASIDE - turned(landmarks)) / (ASIDE - AHEAD)).clip(0.0, 1.0)


def carried(points: Floats, last: Placed | None) -> tuple[Floats, Floats] | None:
    """Landmarks (478, 3) by which to look at a face that is at five points (5, 2), and how far aside of its own.

    They are those of the face that was there a frame ago, moved as its five points have, and as far aside as the first
    look's were: that look is a plain one, which sees some people half a degree turned. What an answer depends on a
    little must not depend on whether there was such a look. None if no face was there, or none that was surely placed.
    """
    if last is None or not len(last.points):
        return None
    apart = np.linalg.norm(last.points - points, axis=2).mean(axis=1)
    nearest = int(np.argmin(apart))
    eyes = float(np.linalg.norm(points[1] - points[0]))
    if apart[nearest] > SAME * eyes or last.sure[nearest] < CERTAIN:
        return None
    move, before = umeyama(last.points[nearest], points), last.landmarks[nearest]
    start = moved(before + last.aside[nearest], move)
    return start, start - moved(before, move)


def moved(landmarks: Floats, move: NDArray[np.float64]) -> Floats:
    """Landmarks (478, 3) through a similarity (2, 3)."""
    parts = apply(move, landmarks[:, :2]), landmarks[:, 2:] * scale_of(move)
    return np.concatenate(parts, axis=1).astype(np.float32)


def distance(begun: Floats, found: Floats) -> NDArray[np.float64]:
    """How far the rigid landmarks of faces (n, 478, 3) lie apart in the mean, in diagonals of the face: (n,)."""
    rigid = list(RIGID)
    diagonals = np.linalg.norm(np.ptp(found[..., :2], axis=1), axis=1).clip(min=1e-6)
    apart = np.linalg.norm(begun[:, rigid, :2] - found[:, rigid, :2], axis=2).mean(axis=1)
    return np.asarray(apart / diagonals, np.float64)
