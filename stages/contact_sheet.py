"""Pictures from which a person can judge many faces at a glance: tiles under headings, each with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.picture_bytes import png

COLUMNS: Final = 12
TILE: Final = 112
"""Side of a tile's picture in pixels."""

LINE: Final = 15
SIZE: Final = 13
"""Of the letters in pixels, as OpenCV counts them."""

LETTERS: Final = 170
"""In a line of a heading."""

GAP: Final = 6
BACKGROUND: Final = (24, 24, 24)
TEXT: Final = (225, 225, 225)
HEADING: Final = (255, 205, 110)
WIDTH: Final = COLUMNS * TILE

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Tile:
    """One face.

    Attributes:
        picture: (s, s, 3) uint8 RGB, of any size.
        lines: what stands below it.
        frame: the colour of its frame, RGB; None is none.
    """

    picture: Picture
    lines: tuple[str, ...]
    frame: Colour | None = None


@dataclass(frozen=True)
class Section:
    """Tiles under a heading, from the most to the least worth a look."""

    heading: str
    tiles: Sequence[Tile] = ()


def place(frame: int, face: int) -> str:
    """Where a face is, as tiles tell it: its frame, and which face of it if it is not the first."""
    return str(frame) if face == 0 else f"{frame}/{face}"


def draw(title: str, sections: Sequence[Section]) -> Picture:
    """The contact sheet, (h, WIDTH, 3) uint8 RGB; long headings go over several lines."""
    parts = [_words(title, TEXT)]
    for section in sections:
        parts.append(_words(section.heading, HEADING))
        rows = [section.tiles[at : at + COLUMNS] for at in range(0, len(section.tiles), COLUMNS)]
        parts += [_row(row) for row in rows]
    return np.concatenate(parts)


def write(picture: Picture, path: Path) -> None:
    """As PNG."""
    path.write_bytes(png(picture, path))


def spread(count: int, most: int) -> list[int]:
    """At most ``most`` of 0 .. ``count`` - 1: the first half of them in a row, the others evenly over the rest."""
    if count <= most:
        return list(range(count))
    head = most // 2
    return [*range(head), *np.linspace(head, count - 1, most - head).round().astype(int).tolist()]


def _row(tiles: Sequence[Tile]) -> Picture:
    height = TILE + LINE * max(len(tile.lines) for tile in tiles) + GAP
    row = np.full((height, WIDTH, 3), BACKGROUND, np.uint8)
    for column, tile in enumerate(tiles):
        x = column * TILE
        row[:TILE, x : x + TILE] = cv2.resize(tile.picture, (TILE, TILE), interpolation=cv2.INTER_AREA)
        if tile.frame is not None:
            cv2.rectangle(row, (x + 1, 1), (x + TILE - 2, TILE - 2), tile.frame, 2)
        label = np.full((height - TILE, TILE, 3), BACKGROUND, np.uint8)  # what is too long ends at the tile's edge
        for number, line in enumerate(tile.lines):
            cv2.putText(label, line, (3, LINE * (number + 1) - 3), TEXT, _font(), SIZE)
        row[TILE:, x : x + TILE] = label
    return row


def _words(text: str, colour: Colour) -> Picture:
    """A heading, as many lines high as it needs; broken between words, where OpenCV's own wrapping breaks numbers."""
    lines = wrap(text, LETTERS)
    band = np.full((LINE * len(lines) + 2 * GAP, WIDTH, 3), BACKGROUND, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(band, line, (GAP, GAP + LINE * (number + 1) - 3), colour, _font(), SIZE)
    return band


@cache
def _font() -> Any:
    """OpenCV's own sans-serif, which knows more than ASCII: reasons are in anyone's language."""
    return cv2.FontFace("sans")
