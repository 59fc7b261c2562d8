"""Which frames need a look of the networks, and which lie between two that say enough.

A face that was seen here and three frames on, alone, of one person and in nearly the same place, is between them where
a straight line between the two says, and alignment's own looks go on from there. Where faces come or go, pass one
another, move far, or where the shot begins or ends, every frame is looked at: interpolation knows nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from stages.detection.looking import Sight
from stages.detection.tracking import overlap, passing

STILL: Final = 0.7
"""Overlap (IoU) of a face's boxes in two frames from which on it has hardly moved between them."""

DOUBTED: Final = 0.85
"""Score below which a face may be one that is tilted, or is there the other way up: upright ones score more."""

TILT: Final = 25.0
"""Degrees from which on a head is tilted: upright looks begin to miss it."""


def first_looks(shots: Sequence[int] | NDArray[np.integer], every: int) -> list[int]:
    """The frames that are looked at whatever is in them: each n-th of a shot, its first and its last.

    Args:
        shots: of every frame.
        every: n.
    """
    shots = np.asarray(shots)
    starts = np.flatnonzero(np.diff(shots, prepend=shots[:1] - 1))
    ends = np.append(starts[1:], len(shots))
    return [
        number
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        for number in sorted({*range(start, end, every), end - 1})
    ]


def second_looks(seen: dict[int, Sight], shots: Sequence[int] | NDArray[np.integer], same: float) -> list[int]:
    """The frames between those that were looked at, of which the two around do not say enough.

    Args:
        seen: the faces of the frames that were looked at.
        shots: of every frame.
        same: similarity from which on two faces are one person's.
    """
    return [
        number
        for before, after in pairwise(sorted(seen))
        if shots[before] == shots[after] and not agree(seen[before], seen[after], same)
        for number in range(before + 1, after)
    ]


def missed(seen: Mapping[int, Sight], shots: Sequence[int] | NDArray[np.integer]) -> list[int]:
    """The frames in which an upright look may have missed somebody, or may have taken a head for one the other way up.

    Those are the frames without a face, with fewer faces than others of the shot, or with one that the detector doubts;
    one in the middle of each shot, whatever it shows; and all of a shot in which a head is seen that is tilted.

    Args:
        seen: the faces of the frames that were looked at.
        shots: of every frame.
    """
    looks: dict[int, list[int]] = {}
    for number in sorted(seen):
        looks.setdefault(int(shots[number]), []).append(number)
    result: list[int] = []
    for numbers in looks.values():
        found = {number: seen[number].found for number in numbers}
        most = max(1, *map(len, found.values()))
        anew = any((_tilt(faces.points) > TILT).any() for faces in found.values())
        result += [
            number
            for number, faces in found.items()
            if anew or len(faces) < most or float(faces.scores.min()) < DOUBTED or number == numbers[len(numbers) // 2]
        ]
    return result


def _tilt(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """By how many degrees of 0..180 heads are tilted, (n,), by their eyes and mouths, (n, 5, 2)."""
    down = points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1)
    return np.asarray(np.degrees(np.abs(np.arctan2(down[:, 0], down[:, 1]))), np.float64)


def agree(before: Sight, after: Sight, same: float) -> bool:
    """Whether two frames show the same people, each of them apart from the others and hardly moved."""
    if len(before.found) != len(after.found):
        return False
    if len(before.found) == 0:
        return True
    shared = overlap(before.found.boxes, after.found.boxes)
    one, other = linear_sum_assignment(shared, maximize=True)
    if float(shared[one, other].min()) < STILL:
        return False
    # somebody else may have stepped before them in the meantime
    if float((before.embeddings[one] * after.embeddings[other]).sum(axis=1).min()) < same:
        return False
    # people who pass each other are followed frame by frame
    return not any(passing(sight.found.boxes).any() for sight in (before, after))
