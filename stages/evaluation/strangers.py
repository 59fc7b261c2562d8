"""People who are neither source nor target, to see whether the source is found among them.

They are rendered performers, so nobody; `python -m stages.bench.strangers` makes their pictures again, and the table of
how the open pack's recogniser sees them. Any other one looks at the pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from stages.evaluation.likeness import mean_direction
from stages.packs import Recogniser
from stages.problems import Problem

PLACE: Final = Path("data/strangers")
TABLE: Final = "open.safetensors"
"""``embeddings`` (n, d) float32 of length 1 by the open pack's recogniser, whose SHA-256 its metadata name, beside the
performers' seeds; ``points`` (n, views, 5, 2) float32, where eyes, nose and mouth lie in each tile, pixels."""

PICTURES: Final = "faces.jpg"
"""A row of square tiles for each of them, a view in each."""

TILE: Final = 144
"""Pixels of a tile's side."""


def strangers_for(recogniser: Recogniser, sha256: str | None = None, place: Path = PLACE) -> NDArray[np.float32]:
    """The strangers as a recogniser sees them, (n, d) float32 of length 1.

    Args:
        recogniser: that looks at their pictures if it is not the one of the table.
        sha256: of its file, if that is known.
        place: where table and pictures lie.

    Raises:
        Problem: the table or the pictures are missing or damaged.
    """
    table = place / TABLE
    try:
        with safe_open(table, framework="numpy") as stored:
            seen_by = (stored.metadata() or {}).get("recogniser")
            embeddings = np.asarray(stored.get_tensor("embeddings"), np.float32)
            points = np.asarray(stored.get_tensor("points"), np.float32)
    except (OSError, SafetensorError) as error:
        raise _unreadable(table, str(error)) from error
    if sha256 is not None and sha256 == seen_by:
        return embeddings
    return embedded(tiles_of(place / PICTURES, points.shape[:2]), points, recogniser)


def tiles_of(path: Path, count: tuple[int, ...]) -> NDArray[np.uint8]:
    """The pictures, (n, views, TILE, TILE, 3) uint8 RGB.

    Args:
        path: of the sheet.
        count: n and views.

    Raises:
        Problem: it is missing, damaged or of another size.
    """
    people, views = count
    sheet = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if sheet is None or sheet.shape != (people * TILE, views * TILE, 3):
        raise _unreadable(path, f"it is no picture of {people} by {views} tiles")
    tiles = sheet[..., ::-1].reshape(people, TILE, views, TILE, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(tiles, np.uint8)


def embedded(tiles: NDArray[np.uint8], points: NDArray[np.float32], recogniser: Recogniser) -> NDArray[np.float32]:
    """What stands for each: the mean embedding of all views, (n, d) float32 of length 1; arguments as stored."""
    people = [
        mean_direction(np.concatenate([recogniser.embed(*view) for view in zip(views, places[:, None], strict=True)]))
        for views, places in zip(tiles, points, strict=True)
    ]
    return np.stack(people)


def _unreadable(where: Path, why: str) -> Problem:
    return Problem(f"the strangers can not be read: {why}", where=where, mend="`git checkout data/strangers`")
