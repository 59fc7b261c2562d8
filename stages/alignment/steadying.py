"""Steadies what was seen of a clip's faces, a window of frames at a time: memory holds numbers of a face, no landmarks.

What was seen lies in a file; what is steadied leans on a few frames around it and, where frames are unsure, on the sure
ones before and after. Where a face's crop lies is four numbers, and these are known of all faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from stages.alignment.canonical_crop import fit
from stages.alignment.corrections import Points
from stages.alignment.looking import Seen
from stages.alignment.settings import AlignmentSettings
from stages.alignment.smoothing import (
    ROWS,
    Bridges,
    Window,
    parameters_of,
    places_of,
    smooth,
    smooth_window,
    transforms_of,
)
from stages.artifacts.rows import Rows, numbers_of
from stages.geometry import Floats

MEASURES: Final = ("sure", "sharpness", "exposure", "visible")
LOOKED: Final = pa.schema(
    [("landmarks", pa.list_(pa.float32())), ("seen", pa.binary()), *((name, pa.float64()) for name in MEASURES)]
)
"""A row per taken face: its :class:`~stages.alignment.looking.Seen`."""


def table_of(seen: Sequence[Seen]) -> pd.DataFrame:
    """What was seen, as rows of :data:`LOOKED`."""
    measures = {name: [getattr(face, name) for face in seen] for name in MEASURES}
    landmarks = [face.landmarks.ravel() for face in seen]
    return pd.DataFrame({"landmarks": landmarks, "seen": [face.seen for face in seen], **measures})


@dataclass(frozen=True)
class Steadied:
    """Some faces of the clip, steadied.

    Attributes:
        landmarks: (n, 478, 3) float32, in the frame's pixels made square, as all that follows.
        transforms: (n, 2, 3), these pixels to the unit crop.
        as_seen: (n, 2, 3), to the crop in which the face was seen.
        seen: what was seen of it there, see :mod:`stages.artifacts.visibility`.
    """

    landmarks: NDArray[np.float32]
    transforms: Floats
    as_seen: Floats
    seen: Sequence[bytes]


@dataclass(frozen=True)
class _Run:
    """A track's faces between two gaps, which are steadied together.

    Attributes:
        rows: their numbers, ascending.
        bridges: over those that are not sure.
        counts: (n,) how much each counts for those around it.
        places: (n, 4) where they are.
    """

    rows: NDArray[np.intp]
    bridges: Bridges
    counts: NDArray[np.float64]
    places: Floats


class Steadying:
    """Faces of a clip, to be had steadied a window at a time.

    Corrections go in before, so that the frames around follow; and after unsure frames were bridged, which would undo
    them. A corrected frame then counts in full: a person has looked at it.

    Args:
        taken: the faces, sorted by frame; columns ``frame`` and ``track``.
        looked: rows of :data:`LOOKED`, in the same order.
        sure: (n,) how sure each one's landmarks are, 0..1.
        by_hand: where landmarks of a face lie by hand, (x, y) in square pixels by their number.
        canonical: the face that crops are fitted to.
        settings: how to steady.
    """

    def __init__(
        self,
        taken: pd.DataFrame,
        looked: Rows,
        sure: NDArray[np.float64],
        by_hand: Sequence[Points],
        canonical: Floats,
        settings: AlignmentSettings,
    ) -> None:
        self._looked, self._by_hand = looked, by_hand
        self._canonical, self._settings = canonical, settings
        self._runs: list[_Run] = []
        self._transforms = np.zeros((len(taken), 2, 3))
        self._run_of, self._place_in = np.zeros(len(taken), np.intp), np.zeros(len(taken), np.intp)
        corrected = np.array([bool(points) for points in by_hand], bool)
        for number, rows in enumerate(runs_of(taken)):
            bridges = Bridges.over(sure[rows], settings.confidence)
            rough = parameters_of(np.concatenate(list(self._fits(rows, bridges))))
            run = _Run(rows, bridges, np.where(corrected[rows], 1.0, sure[rows]), places_of(rough))
            steady = smooth(rough, run.counts, run.places, settings.smooth_transform)
            self._transforms[rows] = transforms_of(steady)
            self._run_of[rows], self._place_in[rows] = number, np.arange(len(rows))
            self._runs.append(run)

    def windows(self) -> Iterator[tuple[slice, Steadied]]:
        """All faces in their order, so many at a time, and which they are."""
        for start in range(0, len(self._transforms), ROWS):
            window = slice(start, min(start + ROWS, len(self._transforms)))
            yield window, self._steadied(window)

    def _steadied(self, window: slice) -> Steadied:
        numbers = np.arange(window.start, window.stop)
        looked = self._looked.take(numbers)
        own = numbers_of(looked, "landmarks").reshape(len(numbers), -1, 3)
        landmarks = np.empty_like(own)
        sigma = self._settings.smooth_landmarks
        for number in np.unique(self._run_of[window]):
            here = self._run_of[window] == number
            run, places = self._runs[number], self._place_in[window][here]
            part = Window.of(len(run.rows), int(places[0]), int(places[-1]) + 1, sigma)
            points = self._points(run.rows, run.bridges, part.leant)
            flat = smooth_window(points.reshape(len(points), -1), part, run.counts, run.places, sigma)
            landmarks[here] = flat.reshape(len(flat), -1, 3)
        as_seen = np.stack([fit(points, self._canonical) for points in own])
        return Steadied(landmarks, self._transforms[window], as_seen, looked["seen"].to_pylist())

    def _fits(self, rows: NDArray[np.intp], bridges: Bridges) -> Iterator[Floats]:
        """(n, 2, 3) of a run's faces, some at a time."""
        for start in range(0, len(rows), ROWS):
            points = self._points(rows, bridges, slice(start, start + ROWS))
            yield np.stack([fit(each, self._canonical) for each in points])

    def _points(self, rows: NDArray[np.intp], bridges: Bridges, part: slice) -> NDArray[np.float32]:
        """Landmarks (n, 478, 3) of a part of a run: bridged, then corrected."""

        def seen(places: NDArray[np.intp]) -> NDArray[np.float32]:
            return numbers_of(self._looked.take(rows[places]), "landmarks")

        flat = np.asarray(bridges.crossed(part, seen), np.float32)
        points = flat.reshape(len(flat), -1, 3)
        for place, row in zip(points, rows[part], strict=True):
            for number, at in self._by_hand[row].items():
                place[number, :2] = at
        return points


def runs_of(taken: pd.DataFrame) -> list[NDArray[np.intp]]:
    """The rows of each track, cut where frames are missing: what is steadied together. A track has no cut in it."""
    runs: list[NDArray[np.intp]] = []
    for _, rows in taken.groupby("track", sort=True):
        breaks = np.flatnonzero(np.diff(rows["frame"].to_numpy()) > 1) + 1
        runs += np.split(rows.index.to_numpy(), breaks)
    return runs
