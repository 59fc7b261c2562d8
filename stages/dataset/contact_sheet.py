"""One picture from which a person can judge a face set."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.face_set import HELD_OUT, FaceSet

COLUMNS: Final = 12
ROWS: Final = 8
TILE: Final = 112
LINE: Final = 16
BACKGROUND: Final = (24, 24, 24)
TEXT: Final = (225, 225, 225)
HELD_OUT_FRAME: Final = (255, 176, 0)


def chosen(index: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most ``count`` rows, evenly over the faces sorted by yaw, from the left to the right."""
    ordered = index.sort_values(["yaw", "frame"], kind="stable")
    places = np.unique(np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int))
    return ordered.iloc[places]


def draw(face_set: FaceSet, title: str) -> NDArray[np.uint8]:
    """The contact sheet, (h, w, 3) uint8 RGB.

    Faces are sorted by yaw, darkened outside their mask; below each its frame, yaw and pitch. Held-out ones are framed.
    """
    rows = chosen(face_set.index, COLUMNS * ROWS)
    lines = -(-len(rows) // COLUMNS)
    sheet = np.full((2 * LINE + lines * (TILE + LINE), COLUMNS * TILE, 3), BACKGROUND, np.uint8)
    _write(sheet, f"{title}; sorted by yaw; orange: held out", 4, LINE + 4, 0.5)
    stream = zip(rows.itertuples(), face_set.crops(rows), face_set.masks(rows), strict=True)
    for number, (row, crop, mask) in enumerate(stream):
        line, column = divmod(number, COLUMNS)
        y, x = 2 * LINE + line * (TILE + LINE), column * TILE
        shade = 0.45 + 0.55 * (mask[:, :, None] / 255.0)
        tile = cv2.resize((crop * shade).astype(np.uint8), (TILE, TILE), interpolation=cv2.INTER_AREA)
        sheet[y : y + TILE, x : x + TILE] = tile
        if row.split == HELD_OUT:
            cv2.rectangle(sheet, (x + 1, y + 1), (x + TILE - 2, y + TILE - 2), HELD_OUT_FRAME, 2)
        _write(sheet, f"{row.frame}  {row.yaw:+.0f} {row.pitch:+.0f}", x + 3, y + TILE + 12, 0.38)
    return sheet


def write(picture: NDArray[np.uint8], path: Path) -> None:
    """As PNG."""
    done, coded = cv2.imencode(".png", np.ascontiguousarray(picture[:, :, ::-1]))
    assert done
    path.write_bytes(coded.tobytes())


def _write(sheet: NDArray[np.uint8], words: str, x: int, y: int, scale: float) -> None:
    cv2.putText(sheet, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, TEXT, 1, cv2.LINE_AA)
