"""Marking the frames of one film, in order."""

from __future__ import annotations

from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stages.watermark.code import CODED_BITS, encoded
from stages.watermark.pattern import CHIPS, SIDE, Floats, Pattern
from stages.watermark.planes import brightness, depth_of, shift
from stages.watermark.raster import chips_of, detail, limited, white_noise

EVERY: Final = 12
"""Frames for which what is added stays the same, unless there is a cut: it is most of the work, and an encoder pays for
each change of it."""

STRONGEST: Final = 1.3
"""Codes of 8 bits (root of the mean square over the frame) that are added at most: 45.8 dB."""

_FAINTEST, _FAINT_PIXELS = 0.31, 56.0
"""Share of :data:`STRONGEST` that would do where a chip has so many pixels (960 x 540): what an encoder leaves out is
noise, which averages out over a chip's pixels. Smaller frames need more."""

_ROUNDED_AWAY: Final = 0.45
"""Share of :data:`STRONGEST` that is used at least: of less, rounding to codes of 8 bits would leave hardly any."""

BIT_GOAL: Final = 2.6
"""Standard deviations by which every bit of the word is to stand out in one frame, if possible: of the noise that the
picture is to a reader that whitens."""

WAVE_GOAL: Final = 6.0
"""The same for every wave, without whitening."""

_LASTING: Final = 0.99
"""Of motion, what still counts in the next frame, but after a cut: where something has passed, the mark has to be coded
once more, and what passes often passes again."""

_OTHER_LIGHT: Final = 3.0
"""Codes of 8 bits by which the mean changes before what is added is made anew: a fade ends in black without a mark."""

_WAVE_LIMIT: Final = 0.13
"""Of a chip's height: 24 waves of 0.3 would be as strong as all chips, which they only have to find."""

_MOTION_WEIGHT, _MOTION_LIMIT = 4.0, 3.0
_CUT: Final = 12.0
"""Codes of 8 bits by which two frames differ in the mean if there is a cut between them."""


class Watermark:
    """Puts one identifier into frames, which must come in order: what is added follows the film.

    Where the picture moves, less is added: there an encoder can not predict the mark, so each frame pays for it again,
    and in the parts at rest it is free. Weighing by texture was tried and left out: at the same PSNR an even mark is
    read better, and makes files smaller. So was taking off what the picture itself adds to each bit (host-interference
    rejection): a reader that whitens (:func:`stages.watermark.raster.whitened`) gains nothing by it.
    """

    def __init__(self, key: bytes, identifier: int, *, full_range: bool = False) -> None:
        """The mark of one film.

        Args:
            key: of the pattern.
            identifier: up to 48 bits.
            full_range: whether black is code 0 and white the last one, as in R, G and B; else 16 and 235 of 8 bits.

        Raises:
            ValueError: the identifier has more bits.
        """
        self._black, self._white = (0.0, 255.0) if full_range else (16.0, 235.0)
        pattern = Pattern.of(key)
        self._chips = np.repeat(np.repeat(pattern.spread(encoded(identifier)), 2, axis=0), 2, axis=1)
        self._waves = pattern.waves
        self._number, self._light = 0, 0.0
        self._before: Floats | None = None
        self._motion = np.zeros((SIDE, SIDE), np.float32)
        self._maps: tuple[NDArray[np.integer], NDArray[np.integer]] | None = None

    def embed(self, picture: av.VideoFrame) -> None:
        """Mark a picture in place: its luma, or all of R, G and B alike.

        Raises:
            Problem: of the pixel format it is not known which samples are luma.
        """
        seen = brightness(picture)
        changed = None if self._before is None else np.abs(seen - self._before)
        cut = _is_cut(changed)
        self._motion = self._moving(None if cut else changed)
        light = float(seen.mean())
        if cut or self._maps is None or self._number % EVERY == 0 or abs(light - self._light) > _OTHER_LIGHT:
            self._maps, self._light = _maps(self._added(seen, _faintest(picture)), picture), light
        self._before = seen
        self._number += 1
        shift(picture, *self._maps)

    def _moving(self, changed: Floats | None) -> Floats:
        """How much moves where, (SIDE, SIDE), with what lasts of before.

        Args:
            changed: by how much a frame differs from the one before it, (SIDE, SIDE); None if it begins a shot.
        """
        if changed is None:
            return np.zeros_like(self._motion)
        moved = cv2.blur(changed, (9, 9), borderType=cv2.BORDER_REFLECT)
        return np.asarray(np.maximum(np.minimum(moved, _MOTION_LIMIT), np.float32(_LASTING) * self._motion), np.float32)

    def _added(self, seen: Floats, faintest: float) -> Floats:
        """What is to be added to a frame, on the raster, in codes of 8 bits."""
        fine, strength = detail(seen)
        read = limited(fine / strength)
        reach = self._reach(seen)
        noise = white_noise(chips_of(read)) * CHIPS / np.sqrt(CODED_BITS)  # of the sum over one bit's chips
        each = float((reach / strength).sum()) / CODED_BITS  # what the full mark would add to that sum
        reach *= np.float32(np.clip(round(BIT_GOAL * noise / each, 3), faintest, 1.0)) if each else 1.0
        half = (float((reach / strength).sum()) + 1e-6) / 2  # a wave's square is a half in the mean
        height = np.clip(WAVE_GOAL * np.sqrt(np.square(read).sum() / 2) / half, 0.05, _WAVE_LIMIT)
        # rounded, so that neither the last digits of sums nor a film that hardly moves change what is added
        added = np.asarray(reach * (self._chips + np.float32(height.round(3)) * self._waves), np.float32)
        strongest = float(np.sqrt(np.square(added).mean())) + 1e-6
        return np.asarray(added * np.float32(min(1.0, STRONGEST / strongest)), np.float32)

    def _reach(self, seen: Floats) -> Floats:
        """How much may be added at most: less where the picture moves, nothing in black, so that bars stay black."""
        share = np.asarray(1.0 / (1.0 + _MOTION_WEIGHT * self._motion), np.float32)
        share = np.asarray(cv2.blur(share, (5, 5), borderType=cv2.BORDER_REFLECT), np.float32)
        reach = np.asarray(STRONGEST * np.minimum(share / share.mean(), 2.0), np.float32)
        light = np.clip((seen - self._black) / 40, 0.0, 1.0) * np.clip((self._white + 15 - seen) / 20, 0.3, 1.0)
        return np.asarray(reach * light, np.float32)


def _is_cut(changed: Floats | None) -> bool:
    """Whether a frame begins a shot, by how much it differs from the one before it; None is the first frame's."""
    return changed is None or float(changed.mean()) > _CUT


def _faintest(picture: av.VideoFrame) -> float:
    """The smallest share of the full mark that is used in pictures of this size."""
    pixels = picture.width * picture.height / CHIPS**2
    return float(np.clip(_FAINTEST * np.sqrt(_FAINT_PIXELS / pixels), _ROUNDED_AWAY, 1.0))


def _maps(added: Floats, picture: av.VideoFrame) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """What is added to, and what is taken from, each sample of a picture, in its own whole codes."""
    depth = depth_of(picture)
    kind = cv2.CV_8U if depth == 8 else cv2.CV_16U
    full = cv2.resize(
        added * np.float32(1 << depth - 8), (picture.width, picture.height), interpolation=cv2.INTER_LINEAR
    )
    # rounded, and what is below zero cut off, in one pass each
    none = np.zeros_like(full)
    return np.asarray(cv2.subtract(full, none, dtype=kind)), np.asarray(cv2.subtract(none, full, dtype=kind))
