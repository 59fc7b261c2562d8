"""Where the marked frame lies in what is seen of it: found in the spectrum of the waves.

A crop that shows the share r of the marked frame's width divides the waves' frequencies across by r; where it was cut
moves their phases. So shares are found first, by the power at the places where the spectrum should then have its
peaks, whatever their phases; the place after that, by how well the phases agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Final

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from stages.watermark.pattern import SIDE, WAVES, Floats, Pattern

_SHARES: Final = np.arange(0.66, 1.36, 0.008)
"""Of the marked frame's width, and of its height, that are looked for: below 1 for crops, above for borders."""

_BINS: Final = 2 * SIDE
_CAP: Final = 12.0
"""Power, in units of what lies around, above which a peak counts no more: pictures have peaks of their own."""

_STEPS: Final = 256
"""Places along the marked frame's side at which what is seen may have its middle: five in the fastest wave's period."""

_NEAR: Final = 15
_CANDIDATES: Final = 12
_PLACES: Final = 2


@dataclass(frozen=True)
class Transform:
    """What part of the marked frame is seen, in shares of the marked frame.

    Attributes:
        width, height: that are seen; above 1 if there is a border around it.
        x, y: of the middle of what is seen.
        mirrored: left and right are swapped in what is seen.
    """

    width: float = 1.0
    height: float = 1.0
    x: float = 0.5
    y: float = 0.5
    mirrored: bool = False

    def warped(self, raster: Floats) -> Floats:
        """What was seen, laid where it belongs on the marked frame's raster: (SIDE, SIDE), 0 where nothing is seen."""
        if self == Transform():
            return raster
        across = -self.width if self.mirrored else self.width
        # pixel centres at + 0.5; the matrix leads from the marked frame to what is seen
        matrix = np.array(
            [
                [1 / across, 0.0, SIDE * (0.5 - self.x / across) + 0.5 / across - 0.5],
                [0.0, 1 / self.height, SIDE * (0.5 - self.y / self.height) + 0.5 / self.height - 0.5],
            ]
        )
        return np.asarray(
            cv2.warpAffine(raster, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP), np.float32
        )


def candidates(raster: Floats, pattern: Pattern, most: int) -> list[tuple[float, Transform]]:
    """The likeliest transforms, best first, with how many standard deviations their waves stand out.

    Args:
        raster: (SIDE, SIDE) evened frames, added up.
        pattern: of the key.
        most: how many.
    """
    spectrum, power = _spectrum(raster)
    found: list[tuple[float, Transform]] = []
    for mirrored in (False, True):
        scores = _scores(power, pattern, mirrored)
        for _ in range(_CANDIDATES):
            row, column = np.unravel_index(int(scores.argmax()), scores.shape)
            width, height = float(_SHARES[column]), float(_SHARES[row])
            scores[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -np.inf
            found += _placed(spectrum, pattern, Transform(width, height, mirrored=mirrored))
    found.sort(key=lambda each: -each[0])
    return found[:most]


def refined(raster: Floats, pattern: Pattern, first: Transform) -> Transform:
    """A transform made exact: the four numbers that make the waves agree best, near those that were found."""
    columns = np.ascontiguousarray(raster.T)
    best, score = first, _agreement(columns, pattern, first)
    step = 0.004
    while step > 0.0004:
        better = False
        for name, sign in product(("width", "height", "x", "y"), (1, -1)):
            tried = replace(best, **{name: getattr(best, name) + sign * step})
            if (value := _agreement(columns, pattern, tried)) > score:
                best, score, better = tried, value, True
        if not better:
            step /= 2
    return best


def _spectrum(raster: Floats) -> tuple[NDArray[np.complex64], Floats]:
    """The spectrum about the raster's middle, in steps of half a cycle, over the strength around each place of it.

    Returns:
        (_BINS, _BINS) complex64, whose mean power is 1 where there is noise only; and its power.
    """
    padded = np.zeros((_BINS, _BINS), np.float32)
    padded[:SIDE, :SIDE] = raster
    spectrum = scipy.fft.fft2(padded)
    turn = np.exp(2j * np.pi * np.fft.fftfreq(_BINS) * (SIDE - 1) / 2).astype(np.complex64)
    spectrum *= turn[:, None] * turn[None, :]
    power = np.abs(spectrum) ** 2
    around = cv2.blur(power, (2 * _NEAR + 1, 2 * _NEAR + 1), borderType=cv2.BORDER_REFLECT) + np.float32(1e-9)
    return spectrum / np.sqrt(around), np.asarray(power / around, np.float32)


def _scores(power: Floats, pattern: Pattern, mirrored: bool) -> NDArray[np.float32]:
    """Sum of the waves' power for each share of height (rows) and width (columns)."""
    rows, columns = _places(pattern, mirrored)
    capped = np.minimum(power, _CAP)
    scores = np.zeros((len(_SHARES), len(_SHARES)), np.float32)
    for row, column in zip(rows, columns, strict=True):
        scores += capped[row[:, None], column[None, :]]
    return scores


@lru_cache(maxsize=4)
def _bins(frequencies: bytes, mirrored: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    waves = np.frombuffer(frequencies).reshape(-1, 2)
    x = -waves[:, :1] if mirrored else waves[:, :1]
    return (
        np.rint(waves[:, 1:] * _SHARES * _BINS / SIDE).astype(np.intp) % _BINS,
        np.rint(x * _SHARES * _BINS / SIDE).astype(np.intp) % _BINS,
    )


def _places(pattern: Pattern, mirrored: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the spectrum where each wave lies, (WAVES, shares)."""
    return _bins(np.ascontiguousarray(pattern.frequencies, np.float64).tobytes(), mirrored)


def _placed(spectrum: NDArray[np.complex64], pattern: Pattern, shares: Transform) -> list[tuple[float, Transform]]:
    """The places where the phases agree best, for given shares, with their scores in standard deviations."""
    x = pattern.frequencies[:, 0] * (-1 if shares.mirrored else 1)
    rows = np.rint(pattern.frequencies[:, 1] * shares.height * _BINS / SIDE).astype(np.intp) % _BINS
    columns = np.rint(x * shares.width * _BINS / SIDE).astype(np.intp) % _BINS
    read = spectrum[rows, columns] * np.exp(-1j * pattern.phases)
    read /= np.maximum(1.0, np.abs(read) / np.sqrt(_CAP))
    # a middle at (cx, cy) turns the wave by 2 pi (fx cx + fy cy)
    across, down = (_middles(share) for share in (shares.width, shares.height))
    left = np.exp(-2j * np.pi * across[:, None] * pattern.frequencies[:, 0])
    up = np.exp(-2j * np.pi * down[:, None] * pattern.frequencies[:, 1])
    up = (up * read).astype(np.complex64)
    agreement = np.einsum("yw,xw->yx", _parts(up.conj()), _parts(left.astype(np.complex64))) * np.sqrt(2 / WAVES)
    found = []
    for _ in range(_PLACES):
        row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
        score = float(agreement[row, column])
        found.append((score, replace(shares, x=float(across[column]), y=float(down[row]))))
        agreement[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = -np.inf
    return found


def _parts(numbers: NDArray[np.complex64]) -> Floats:
    """Real parts, then imaginary ones, along the last axis."""
    return np.concatenate([numbers.real, numbers.imag], axis=-1)


def _middles(share: float) -> NDArray[np.float64]:
    """Where the middle of what is seen can lie, if it shows this share: inside the frame, or the frame inside it."""
    reach = abs(1.0 - share) / 2 + 0.006
    steps = int(np.ceil(2 * reach * _STEPS))
    return 0.5 + np.linspace(-reach, reach, steps + 1)


def _agreement(columns: Floats, pattern: Pattern, transform: Transform) -> float:
    """How well a raster, given by its columns, agrees with the waves under a transform; in no unit."""
    at = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    across = -transform.width if transform.mirrored else transform.width
    x = 2 * np.pi * np.outer(pattern.frequencies[:, 0], transform.x + across * at) + pattern.phases[:, None]
    y = 2 * np.pi * np.outer(pattern.frequencies[:, 1], transform.y + transform.height * at)
    # each wave is a product of both; einsum, since BLAS would wake its threads for this little
    rows = np.einsum("wr,cr->wc", np.concatenate([np.cos(y), np.sin(y)]).astype(np.float32), columns)
    return float((rows[:WAVES] * np.cos(x)).sum() - (rows[WAVES:] * np.sin(x)).sum())
