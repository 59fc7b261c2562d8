"""The sheet of what the network took for things before faces: a hand that it missed, or an eye that it took for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import FINE, unpacked
from stages.contact_sheet import COLUMNS, Section, Tile, draw, spread
from stages.geometry import as_matrix

Picture = NDArray[np.uint8]

SHOWN: Final = 3 * COLUMNS
"""Faces: half of them those of which most is hidden, the others an even choice of the rest."""

_TINT: Final = (255, 40, 40)
_STRONG: Final = 0.6
"""Share of the tint where a pixel is surely hidden."""


def drawn(frames: Frames, alignments: Alignments, clip: str) -> Picture:
    """The sheet of a clip, uint8 RGB: its faces, of which most is hidden first; what is said to be hidden is red.

    Only what lies within the face counts: background, neck and ears beside it are red in most faces.
    """
    table = alignments.table.sort_values(["visible", "frame", "face"], kind="stable")
    some = table.iloc[spread(len(table), SHOWN)]
    about = f"{clip}; footage {frames.fingerprint}; below each face: frame, share of the face that is seen"
    words = "red: taken for what is before the face, which stays as it is in the clip; the most hidden faces first"
    return draw(about, [Section(f"{words}: {len(table)} faces", list(_tiles(frames, alignments, some)))])


def _tiles(frames: Frames, alignments: Alignments, some: pd.DataFrame) -> Iterator[Tile]:
    wide = alignments.widened(some)
    pictures: dict[int, Picture] = {}
    for frame in frames.pick(np.unique(some["frame"]).tolist()):
        for row in some.index[some["frame"] == frame.number].tolist():
            pictures[row] = frame.crop(as_matrix(some.loc[row, "transform"]), FINE)
    for row, seen in zip(some.index.tolist(), wide["seen"], strict=True):
        hidden = _STRONG * (1.0 - _sized(unpacked(seen)))[..., None]
        tinted = pictures[row] * (1.0 - hidden) + np.array(_TINT) * hidden
        frame, face, visible = (some.loc[row, name] for name in ("frame", "face", "visible"))
        where = str(frame) if face == 0 else f"{frame}/{face}"
        yield Tile(np.asarray(np.rint(tinted), np.uint8), (f"{where}  {visible:.0%} seen",))


def _sized(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """At the size of the picture, whatever size it was stored at."""
    many = FINE // len(seen)
    return seen.repeat(many, 0).repeat(many, 1)
