"""The contact sheet of a clip's tracks, to decide from which of them are the right person."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from stages.artifacts.detections import Detections
from stages.artifacts.frames import Frames
from stages.contact_sheet import COLUMNS, TILE, Picture, Section, Tile, spread
from stages.contact_sheet import draw as drawn
from stages.geometry import crop
from stages.pixel_shape import PixelShape

MOST: Final = 4 * COLUMNS
"""Tracks shown of each kind; longer lists are in tracks.parquet."""

AROUND: Final = 1.6
"""Side of a tile's picture, in heights of the face."""


def draw(frames: Frames, detections: Detections, clip: str) -> Picture:
    """The sheet, uint8 RGB: a face of each track, the doubtful ones first.

    Doubtful are, of the right person, the least similar tracks; of the others, the most similar.
    """
    tracks = detections.tracks
    kinds = [
        ("the right person, least similar first", tracks[tracks["taken"]].sort_values(["similarity", "track"])),
        (
            "not the right person, most similar first",
            tracks[~tracks["taken"]].sort_values(["similarity", "track"], ascending=[False, True]),
        ),
    ]
    shown = [(heading, rows, rows.iloc[spread(len(rows), MOST)]) for heading, rows in kinds]
    pictures = _pictures(frames, detections.faces, [int(track) for _, _, some in shown for track in some["track"]])
    sections = [
        Section(
            f"{heading}: {len(rows)} track{'' if len(rows) == 1 else 's'}",
            [_tile(row, pictures[int(row["track"])]) for _, row in some.iterrows()],
        )
        for heading, rows, some in shown
    ]
    about = f"{clip}; footage {frames.fingerprint}; below each face: track, its first frame, faces, similarity"
    return drawn(about, sections)


def _tile(track: pd.Series, picture: Picture) -> Tile:
    names = (f"track {track['track']}", f"first {track['first']}", f"{track['faces']} faces, {track['similarity']:.2f}")
    return Tile(picture, (*names, "by hand") if str(track["reason"]).startswith("by hand") else names)


def _pictures(frames: Frames, faces: pd.DataFrame, tracks: list[int]) -> dict[int, Picture]:
    """The largest and surest face of each track, (TILE, TILE, 3) uint8 RGB."""
    clear = faces.assign(clear=faces["score"] * (faces["y1"] - faces["y0"]))
    best = clear.sort_values("clear", ascending=False, kind="stable").drop_duplicates("track")
    best = best[best["track"].isin(tracks)].sort_values("frame")
    found, shape = {}, PixelShape.of(frames.facts)
    for frame in frames.pick(np.unique(best["frame"]).tolist()):
        picture = frame.rgb()
        for _, face in best[best["frame"] == frame.number].iterrows():
            found[int(face["track"])] = crop(picture, _neighbourhood(face, shape), TILE)
    return found


def _neighbourhood(face: pd.Series, shape: PixelShape) -> np.ndarray:
    """The transform (2, 3), frame pixels to the unit crop, of a square, as a screen shows it, about the face's box."""
    scale = 1.0 / (AROUND * (face["y1"] - face["y0"]))
    x, y = shape.points(np.array([face["x0"] + face["x1"], face["y0"] + face["y1"]]) / 2)
    return shape.transforms(np.array([[scale, 0.0, 0.5 - scale * x], [0.0, scale, 0.5 - scale * y]]))
