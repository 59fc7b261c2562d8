"""Pixels that are not square: pictures and places as a screen shows them.

Anamorphic and television footage says of its pixels that they are shown wider or narrower than high. A face whose
pixels are taken for square is squeezed: the networks know no such faces, nobody is like themselves, and a swap would
put on a face that is shown too broad. So faces are found, placed and measured in square pixels; artifacts and frames
keep the clip's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats
from stages.video import VideoFacts

_WIDEST: Final = 4
"""Beyond, or below its inverse, a shape is a damaged file's: cinema's is two, television's 1.46 at most."""

Real = TypeVar("Real", bound=np.floating[Any])


@dataclass(frozen=True)
class PixelShape:
    """The shape of a clip's pixels. Only widths change: what settings say of heights holds.

    Attributes:
        widening: square pixels that one pixel is wide.
    """

    widening: float = 1.0

    @classmethod
    def of(cls, facts: VideoFacts) -> Self:
        """That of a clip; rounded so that its pictures are whole square pixels wide."""
        shape = Fraction(facts.sample_aspect)
        if not Fraction(1, _WIDEST) <= shape <= _WIDEST:
            return cls()
        return cls(round(facts.width * shape) / facts.width)

    def picture(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (h, w, 3) in square pixels, (h, w * widening, 3); the same one if it is."""
        if self.widening == 1.0:
            return picture
        height, width = picture.shape[:2]
        how = cv2.INTER_CUBIC if self.widening > 1.0 else cv2.INTER_AREA
        return np.asarray(cv2.resize(picture, (round(width * self.widening), height), interpolation=how), np.uint8)

    def points(self, points: NDArray[Real]) -> NDArray[Real]:
        """Places (..., 2 or 3) of the frame, x first, in square pixels."""
        return self._stretched(points, self.widening)

    def back(self, points: NDArray[Real]) -> NDArray[Real]:
        """Places (..., 2 or 3) in square pixels, as they lie in the frame."""
        return self._stretched(points, 1.0 / self.widening)

    def transforms(self, transforms: Floats) -> Floats:
        """Transforms (..., 2, 3) that take square pixels somewhere, for those of the frame: no similarities then."""
        return self._stretched(transforms, self.widening)

    @staticmethod
    def _stretched(values: NDArray[Real], factor: float) -> NDArray[Real]:
        if factor == 1.0:
            return values
        stretched = values.copy()
        stretched[..., 0] *= factor
        return stretched


SQUARE: Final = PixelShape()
