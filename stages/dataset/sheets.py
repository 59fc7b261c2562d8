"""The contact sheets of a face set: what is in it, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.decisions import spans_of
from stages.artifacts.face_set import HELD_OUT, FaceSet
from stages.artifacts.frames import Frames
from stages.contact_sheet import COLUMNS, TILE, Picture, Section, Tile, draw, place, spread
from stages.dataset.selection import DUPLICATE, GUARD, HAND
from stages.dataset.settings import DatasetSettings, FilterSettings
from stages.geometry import as_matrix, crop

SHOWN: Final = 2 * COLUMNS
"""Faces under one heading."""

HELD_OUT_FRAME: Final = (255, 176, 0)


@dataclass(frozen=True)
class Pose:
    """Faces turned alike: yaw from ``low`` to below ``high``, degrees to the picture's right."""

    name: str
    low: float
    high: float

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Whether each row is one of them."""
        return (table["yaw"] >= self.low) & (table["yaw"] < self.high)

    @property
    def told(self) -> str:
        """With its limits."""
        span = f"yaw {self.low:+.0f} to {self.high:+.0f}".replace("-inf to", "below").replace(" to +inf", " and more")
        return f"{self.name} ({span})"


@dataclass(frozen=True)
class Expression:
    """Faces of which a measure of :mod:`stages.expression`, the mean of its columns, is below or from a limit on."""

    name: str
    columns: tuple[str, ...]
    limit: float
    below: bool = False

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Whether each row is one of them."""
        values = table[[*self.columns]].mean(axis=1)
        return values < self.limit if self.below else values >= self.limit

    @property
    def told(self) -> str:
        """With its limit."""
        return f"{self.name} ({'below' if self.below else 'from'} {self.limit:g})"


POSES: Final = (
    Pose("far to the left", -np.inf, -40.0),
    Pose("to the left", -40.0, -15.0),
    Pose("ahead", -15.0, 15.0),
    Pose("to the right", 15.0, 40.0),
    Pose("far to the right", 40.0, np.inf),
)
"""In the picture; the ranges' headings name their limits."""

EXPRESSIONS: Final = (
    Expression("the mouth open", ("mouth_open",), 0.15),
    Expression("the eyes shut", ("eye_open_left", "eye_open_right"), 0.15, below=True),
    Expression("looking to the left", ("gaze",), -0.1, below=True),
    Expression("looking to the right", ("gaze",), 0.1),
)
"""What most frames do not show, and a model must have seen."""


def kept(face_set: FaceSet, settings: FilterSettings, about: str) -> Picture:
    """The faces of a face set by pose, then the rarer expressions, in each the worst first: the sheet, uint8 RGB.

    Under each heading stand the worst in a row, then an even choice of the others. What lies outside of a face's mask
    is darkened; held-out faces are framed. Below each stand its frame, yaw and pitch, and what it is worst in.
    """
    index = face_set.index
    ranked = graded(index, index, settings).sort_values(["grade", "frame"], kind="stable")
    sections = []
    for kind in (*POSES, *EXPRESSIONS):
        rows = ranked[kind.of(ranked)]
        shown = rows.iloc[spread(len(rows), SHOWN)]
        tiles = []
        if len(shown):
            for (_, row), face, mask in zip(
                shown.iterrows(), face_set.crops(shown), face_set.masks(shown), strict=True
            ):
                shade = 0.45 + 0.55 * (mask[:, :, None] / 255.0)
                frame = HELD_OUT_FRAME if row["split"] == HELD_OUT else None
                tiles.append(Tile((face * shade).astype(np.uint8), _label(row), frame))
        sections.append(Section(f"{kind.told}: {_faces(len(rows))}", tiles))
    held_out = int((index["split"] == HELD_OUT).sum())
    counts = f"{_faces(len(index))}, {len(index) - held_out} to train on, {held_out} held out (orange)"
    return draw(f"{about}; kept {counts}; worst first; {_LEGEND}", sections)


def dropped(frames: Frames, table: pd.DataFrame, index: pd.DataFrame, settings: DatasetSettings, about: str) -> Picture:
    """The faces that were left out by reason, in each the best first, which might be missed: the sheet, uint8 RGB.

    Headings tell all frames as a decisions file takes them. What a person had dropped comes first, what is harmless
    (duplicates, neighbours of held-out faces) last.

    Args:
        frames: the clip's.
        table: rows of the alignments that were left out, with their ``reason``.
        index: the faces that were kept, whose quality is the measure.
        settings: they were chosen by.
        about: what the sheet's title begins with.
    """
    ranked = graded(table, index, settings.filter).sort_values(["grade", "frame"], ascending=[False, True])
    groups = sorted(ranked.groupby("reason"), key=lambda group: _weight(str(group[0]), len(group[1])))
    shown = [(str(reason), rows, rows.iloc[spread(len(rows), SHOWN)]) for reason, rows in groups]
    pictures = _pictures(frames, pd.concat([some for _, _, some in shown]) if shown else ranked)
    sections = [
        Section(
            f"{reason}: {_faces(len(rows))}; frames {', '.join(map(str, spans_of(rows['frame'])))}",
            [Tile(pictures[number], _label(row)) for number, row in some.iterrows()],
        )
        for reason, rows, some in shown
    ]
    return draw(f"{about}; left out {_faces(len(table))}; best first; {_LEGEND}", sections)


_LEGEND: Final = (
    "below each face: frame, yaw, pitch; then what it is worst in, from 0 (at the filter's limit) to 1 (as half of the "
    "faces that are kept)"
)


def graded(table: pd.DataFrame, index: pd.DataFrame, settings: FilterSettings) -> pd.DataFrame:
    """The table with how good each face is: ``grade``, and in what it is ``worst``.

    Each measure is told as the share of the way from the filter's limit to the median of the kept faces: 0 at the limit
    and less beyond, 1 at the median. A face is as good as its worst.

    Args:
        table: with the columns of pose and quality.
        index: the kept faces.
        settings: the limits.
    """
    median = index[["sharpness", "exposure", "confidence", "visible"]].median()
    shares = pd.DataFrame(
        {
            "sharp": _share(table["sharpness"], settings.sharpness * median["sharpness"], median["sharpness"]),
            "sure": _share(table["confidence"], settings.confidence, median["confidence"]),
            "free": _share(table["visible"], median["visible"] - settings.covered, median["visible"]),
            "dark": _share(table["exposure"], settings.darkest, median["exposure"]),
            "bright": _share(table["exposure"], settings.brightest, median["exposure"]),
        }
    )
    if not len(shares):
        return table.assign(grade=[], worst=[])
    return table.assign(grade=shares.min(axis=1), worst=shares.idxmin(axis=1))


def _share(values: pd.Series, limit: float, median: float) -> pd.Series:
    way = median - limit
    return (values - limit) / way if abs(way) > 1e-6 else pd.Series(1.0, values.index)


def _label(row: pd.Series) -> tuple[str, ...]:
    where = place(row["frame"], row["face"])
    return f"{where}  {row['yaw']:+.0f} {row['pitch']:+.0f}", f"{row['worst']} {row['grade']:.2f}"


def _faces(count: int) -> str:
    return f"{count} face{'' if count == 1 else 's'}"


def _weight(reason: str, count: int) -> tuple[bool, bool, int, str]:
    """By hand first, the harmless last, between them the most frequent first."""
    return reason in (GUARD, DUPLICATE), not reason.startswith(HAND), -count, reason


def _pictures(frames: Frames, rows: pd.DataFrame) -> dict[Any, NDArray[np.uint8]]:
    """The aligned crop of each row, (TILE, TILE, 3) uint8 RGB, by the row's label; one frame in memory at a time."""
    found = {}
    wanted: Iterable[int] = np.unique(rows["frame"]).tolist()
    for frame in frames.pick(list(wanted)):
        picture = frame.rgb()
        for number, row in rows[rows["frame"] == frame.number].iterrows():
            found[number] = crop(picture, as_matrix(row["transform"]), TILE)
    return found
