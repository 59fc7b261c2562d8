"""Which faces the landmarks that were set by hand belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stages.artifacts.decisions import Correction, at
from stages.pixel_shape import PixelShape
from stages.problems import Problem

Points = dict[int, tuple[float, float]]


def corrections_of(
    taken: pd.DataFrame, faces: pd.DataFrame, corrections: Sequence[Correction], clip: str, shape: PixelShape
) -> list[Points]:
    """The corrections of each taken face, in the table's order: (x, y) in square pixels by landmark; empty without any.

    Args:
        taken: the right person's faces, as :class:`stages.artifacts.detections.Detections` holds them.
        faces: all faces.
        corrections: by hand.
        clip: its name, for messages.
        shape: of its pixels.

    Raises:
        Problem: there is no such face, it is not the right person's, or a point lies outside its neighbourhood.
    """
    names = zip(taken["frame"].tolist(), taken["face"].tolist(), strict=True)
    rows = {name: row for row, name in enumerate(names)}
    found: list[Points] = [{} for _ in range(len(taken))]
    for number, correction in enumerate(corrections):
        row = rows.get((correction.frame, correction.face))
        if row is None:
            raise _no_such_face(faces, correction, at(clip, "landmarks", number))
        _require_near(taken.iloc[row], correction, clip, number)
        found[row] = {point: (x * shape.widening, y) for point, (x, y) in correction.points.items()}
    return found


def _no_such_face(faces: pd.DataFrame, correction: Correction, where: str) -> Problem:
    here = faces[faces["frame"] == correction.frame]
    right = here[here["taken"]]["face"].tolist()
    if len(right):
        mend = f"write `face: {right[0]}`, which is the right person's there"
    elif len(here):
        mend = "no face there is the right person's: remove it, or say under `person` which track is"
    else:
        mend = "no face was found there: correct the frame's number, or remove it"
    one = "is not the right person's" if (here["face"] == correction.face).any() else "is not there"
    return Problem(f"face {correction.face} of frame {correction.frame} {one}", where=where, mend=mend)


def _require_near(face: pd.Series, correction: Correction, clip: str, number: int) -> None:
    """No landmark lies farther from the face's box than half its size: of another face, it would."""
    low, high = np.array([face["x0"], face["y0"]], float), np.array([face["x1"], face["y1"]], float)
    room = (high - low) / 2
    for landmark, point in correction.points.items():
        if (np.array(point) < low - room).any() or (np.array(point) > high + room).any():
            corners = " to ".join(f"({x:.0f}, {y:.0f})" for x, y in (low, high))
            raise Problem(
                f"({point[0]:g}, {point[1]:g}) is not on face {correction.face} of frame {correction.frame}, "
                f"which lies from {corners}",
                where=at(clip, "landmarks", number, "points", landmark),
                mend="give the landmark's place in pixels of the whole frame, x to the right, y down; or correct the "
                "frame or face",
            )
