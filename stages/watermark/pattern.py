"""What is drawn into a frame, as a function of the key alone: chips that carry the word, and waves that tell the place.

The frame is the unit square, whatever its size and shape, so a mark that is scaled or squeezed with its frame is still
where the reader looks. On the square lie ``CHIPS`` x ``CHIPS`` chips, each of which adds to, or takes from, the luma.
Every bit of the word is spread over chips all over the frame (direct-sequence spread spectrum, Cox et al. 1997), so a
crop weakens all bits alike. The waves have known frequencies and phases, and are read in the spectrum first: they tell
which part of the square a cropped frame shows (a registration template, Pereira and Pun 2000).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.watermark.code import CODED_BITS

Floats = NDArray[np.float32]

CHIPS: Final = 96
"""Chips along each side of the frame: 11 to 20 pixels each at 1080p."""

SIDE: Final = 2 * CHIPS
"""Samples along each side of the raster in which frames are marked and read: two for each chip."""

WAVES: Final = 24
_SLOWEST, _FASTEST = 22.0, 48.0
"""Cycles over the frame: slower ones drown in the picture, faster ones are what encoders drop first."""


@dataclass(frozen=True)
class Pattern:
    """The pattern of one key.

    Attributes:
        signs: (CHIPS, CHIPS) float32, -1 or 1.
        bits: (CHIPS, CHIPS) which bit of the word a chip carries.
        frequencies: (WAVES, 2) cycles over the frame in x and y, whole numbers.
        phases: (WAVES,) radians, at the frame's upper left corner.
        waves: (SIDE, SIDE) float32, the sum of all waves on the raster.
    """

    signs: Floats
    bits: NDArray[np.int64]
    frequencies: NDArray[np.float64]
    phases: NDArray[np.float64]
    waves: Floats

    @classmethod
    def of(cls, key: bytes) -> Pattern:
        """The pattern that a key stands for."""
        return _pattern(key)

    def sums(self, chips: NDArray[np.floating]) -> NDArray[np.float64]:
        """What each bit of the word gets from chips: (CODED_BITS,), from (CHIPS, CHIPS)."""
        weighted = (chips * self.signs).ravel()
        return np.bincount(self.bits.ravel(), weights=weighted, minlength=CODED_BITS).astype(np.float64)

    def spread(self, word: NDArray[np.floating]) -> Floats:
        """Chips that carry a word: (CHIPS, CHIPS), from a value for each of the CODED_BITS bits."""
        return (self.signs * np.asarray(word, np.float32)[self.bits]).astype(np.float32)


@lru_cache(maxsize=4)
def _pattern(key: bytes) -> Pattern:
    size = CHIPS * CHIPS
    signs = 1.0 - 2.0 * (_stream(key, "signs", size) & 1)
    # every bit gets as many chips, wherever the key throws them
    bits = np.empty(size, np.int64)
    bits[np.argsort(_stream(key, "bits", size), kind="stable")] = np.arange(size) % CODED_BITS
    frequencies = _frequencies(key)
    phases = _stream(key, "phases", WAVES) / 2.0**64 * 2 * np.pi
    at = (np.arange(SIDE) + 0.5) / SIDE
    angle = (
        2
        * np.pi
        * (frequencies[:, 0, None, None] * at[None, None, :] + frequencies[:, 1, None, None] * at[None, :, None])
        + phases[:, None, None]
    )
    return Pattern(
        signs.reshape(CHIPS, CHIPS).astype(np.float32),
        bits.reshape(CHIPS, CHIPS),
        frequencies,
        phases,
        np.cos(angle).sum(axis=0).astype(np.float32),
    )


def _frequencies(key: bytes) -> NDArray[np.float64]:
    """Frequencies of the upper half plane, none near an axis (where pictures have their own lines) or another's."""
    chosen: list[tuple[int, int]] = []
    fastest = int(_FASTEST)
    drawn = _stream(key, "frequencies", 4096).reshape(-1, 2)
    for x, y in ((int(x) % (2 * fastest + 1) - fastest, int(y) % fastest + 1) for x, y in drawn.tolist()):
        apart = all((x - a) ** 2 + (y - b) ** 2 > 9 and (x + a) ** 2 + (y - b) ** 2 > 9 for a, b in chosen)
        if abs(x) >= 8 and y >= 8 and _SLOWEST <= np.hypot(x, y) <= _FASTEST and apart:
            chosen.append((x, y))
    return np.array(chosen[:WAVES], np.float64)


def _stream(key: bytes, purpose: str, count: int) -> NDArray[np.uint64]:
    """Random-looking numbers of 64 bits (SHAKE-256), the same on every machine and with every numpy."""
    drawn = hashlib.shake_256(purpose.encode() + b"\0" + key).digest(8 * count)
    return np.frombuffer(drawn, "<u8").astype(np.uint64)
