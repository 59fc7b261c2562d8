"""Frames for the report: the face's surroundings in every version, as pictures that lie in the page itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.evaluation.controls import at_resolution
from stages.evaluation.instruments import Row
from stages.evaluation.untouched import changed
from stages.evaluation.views import Picture, View
from stages.picture_bytes import jpeg

_MARGIN = 0.05
"""Share of the crop's side that is shown around it."""

_TINT = np.array([255.0, 64.0, 129.0])
"""Colour of the pixels that compositing changed."""

GAIN: Final = 4
"""Differences are shown this many times as strong."""


@dataclass(frozen=True)
class Still:
    """One frame of the report.

    Attributes:
        row: its figures.
        pictures: by caption, data URIs of JPEG pictures, all of one size.
        width, height: of each, in pixels.
    """

    row: Row
    pictures: dict[str, str]
    width: int
    height: int

    @classmethod
    def of(cls, view: View, row: Row, source: Picture, width: int, quality: int) -> Self:
        """The still of a view, its pictures ``width`` pixels wide.

        Args:
            view: of the frame.
            row: its figures.
            source: (s, s, 3) uint8 RGB, an aligned crop of the source's own footage that does about the same.
            width: of the pictures.
            quality: as libjpeg counts.
        """
        frame_height, frame_width = view.delivered.shape[:2]
        x0, y0, x1, y1 = geometry.region(view.transform, frame_width, frame_height, margin=_MARGIN)
        if x1 <= x0 or y1 <= y0:
            x0, y0, x1, y1 = 0, 0, frame_width, frame_height
        height = max(1, round(width * (y1 - y0) / (view.shape.widening * (x1 - x0))))
        into_box = np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]])
        empty = np.full((y1 - y0, x1 - x0, 3), 24, np.uint8)
        box = (slice(y0, y1), slice(x0, x1))
        compared = view.untouched if view.truth is None else view.truth
        versions = {
            "Source": at_resolution(empty, source, geometry.compose(into_box, view.transform)),
            "Target": view.untouched[box],
            "Swap": view.delivered[box],
            "Mask": changed_tinted(view)[box],
            "Difference": difference(view.delivered[box], compared[box]),
        }
        if view.truth is not None:
            versions["Truth"] = view.truth[box]
        pictures = {
            caption: data_uri(_resized(picture, width, height), quality) for caption, picture in versions.items()
        }
        return cls(row, pictures, width, height)


def changed_tinted(view: View) -> Picture:
    """The target in grey, what compositing changed in it in colour, (h, w, 3) uint8."""
    grey = cv2.cvtColor(view.untouched, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None].repeat(3, axis=2) * 0.7
    tinted = np.where(changed(view.target, view.finished)[..., None], 0.55 * grey + 0.45 * _TINT, grey)
    return np.asarray(tinted, dtype=np.uint8)


def difference(one: Picture, other: Picture) -> Picture:
    """The absolute difference of two pictures, four times as strong, (h, w, 3) uint8."""
    return np.asarray(cv2.convertScaleAbs(cv2.absdiff(one, other), alpha=GAIN), np.uint8)


def _resized(picture: Picture, width: int, height: int) -> Picture:
    smaller = width < picture.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)


def data_uri(picture: NDArray[np.uint8], quality: int) -> str:
    """An RGB picture as a JPEG in a ``data:`` URI (RFC 2397)."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(picture, "report.html", quality=quality)).decode("ascii")
