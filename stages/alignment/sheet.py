"""The sheet of what the network took for things before faces: a hand that it missed, or an eye that it took for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import FINE, unpacked
from stages.contact_sheet import COLUMNS, Section, Tile, draw, place, spread
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
    words = "red: taken for what is before the face, which stays as in the clip (beside the face it does not count)"
    heading = f"{words}; the most hidden first: {len(table)} faces"
    return draw(about, [Section(heading, list(_tiles(frames, alignments, some)))])


def _tiles(frames: Frames, alignments: Alignments, some: pd.DataFrame) -> Iterator[Tile]:
    wide = alignments.widened(some)
    pictures: dict[int, Picture] = {}
    for frame in frames.pick(np.unique(some["frame"]).tolist()):
        for row in some.index[some["frame"] == frame.number].tolist():
            pictures[row] = frame.crop(as_matrix(some.loc[row, "transform"]), FINE)
    for row, seen in zip(some.index.tolist(), wide["seen"], strict=True):
        sized = cv2.resize(unpacked(seen), (FINE, FINE), interpolation=cv2.INTER_NEAREST)
        hidden = _STRONG * (1.0 - sized)[..., None]
        tinted = pictures[row] * (1.0 - hidden) + np.array(_TINT) * hidden
        frame, face, visible = (some.loc[row, name] for name in ("frame", "face", "visible"))
        yield Tile(np.asarray(np.rint(tinted), np.uint8), (f"{place(frame, face)}  {visible:.0%} seen",))
