"""Whose face was found: what the stages made of a scene, held against its truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.bench.crowd import Person
from stages.rendering.landmarks import five_points

NEAR: Final = 0.25
"""Mean distance of the five points, in heights of the face, up to which a face is a person's."""

HIDDEN: Final = 0.75
"""Share of a face that is covered, or lies outside of the picture, from which on it is nobody's to be seen."""

Points = NDArray[np.floating]


def whose(people: Sequence[Person], points: Points) -> int | None:
    """The number of the person whose face lies at five points (5, 2); None if it is nobody's that can be seen."""
    apart = [
        float(np.linalg.norm(five_points(person.landmarks) - points, axis=1).mean()) / person.size
        if person.covered < HIDDEN
        else np.inf
        for person in people
    ]
    nearest = int(np.argmin(apart))
    return nearest if apart[nearest] <= NEAR else None


def rows_of(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, their cells by name, whatever type these have: which the types of pandas do not tell."""
    return table.itertuples()


def found(faces: pd.DataFrame, truth: Sequence[Sequence[Person]]) -> pd.DataFrame:
    """A row for each person and frame: what is true of it, and whether its face was found in its place.

    Args:
        faces: as :class:`stages.artifacts.detections.Detections` holds them, interpolated ones too.
        truth: the people of every frame.

    Returns:
        Columns ``frame``, ``person``, ``yaw``, ``size``, ``covered``, ``found``.
    """
    seen = {(row.frame, whose(truth[row.frame], _five(row.points))) for row in rows_of(faces)}
    return pd.DataFrame(
        [
            (frame, person.name, person.yaw, person.size, person.covered, (frame, number) in seen)
            for frame, people in enumerate(truth)
            for number, person in enumerate(people)
        ],
        columns=["frame", "person", "yaw", "size", "covered", "found"],
    )


def taken(faces: pd.DataFrame, truth: Sequence[Sequence[Person]]) -> pd.DataFrame:
    """A row for each face taken for the right person: ``frame``, ``face``, and ``person``, None if nobody's."""
    rows = [
        (row.frame, row.face, None if number is None else truth[row.frame][number].name)
        for row in rows_of(faces[faces["taken"]])
        for number in [whose(truth[row.frame], _five(row.points))]
    ]
    return pd.DataFrame(rows, columns=["frame", "face", "person"])


def _five(points: Sequence[float]) -> Points:
    return np.reshape(np.asarray(points, np.float64), (5, 2))
