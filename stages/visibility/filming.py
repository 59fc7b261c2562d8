"""What real footage has and renders lack: hard tones, few pixels, a codec, and faces of other proportions.

A network that learnt from renders alone takes a lit brow, a shaded eye or the gleam on a nose for things before the
face. So half of what it learns from goes through a worse camera than any that was rendered, and through faces that no
head of ours has (domain randomisation, Tobin et al. 2017): none of it covers anything.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.visibility.masquerade import Example

F32 = NDArray[np.float32]

_LIT: Final = 0.4  # share that is lit from aside, into what a sensor can not hold
_GLEAM: Final = 0.4  # whose highlights gleam
_HAZE: Final = 0.4  # whose contrast is another's: haze, backlight, a flat profile, a hard one
_DYED: Final = 0.4  # whose colours are paler or stronger
_SMALL: Final = 0.5  # that are few pixels, made more
_CODED: Final = 0.5  # that went through a codec
_LEAST: Final = 32
"""Pixels across the crop of the smallest face: one of some twenty pixels."""


def other_face(example: Example, chance: np.random.Generator) -> Example:
    """The crop as if the face had other proportions: all that is there is pulled about, smoothly, by some percent."""
    size = example.face.shape[0]
    cells = int(chance.integers(3, 7))
    pull = chance.normal(0.0, float(chance.uniform(0.005, 0.025)) * size, (cells, cells, 2)).astype(np.float32)
    pull = np.asarray(cv2.resize(pull, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    across, down = np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2)
    parts = [
        np.asarray(
            cv2.remap(part, across + pull[..., 0], down + pull[..., 1], cv2.INTER_LINEAR, borderMode=edge), np.float32
        )
        for part, edge in (
            (example.rgb, cv2.BORDER_REPLICATE),
            (example.face, cv2.BORDER_CONSTANT),
            (example.cover, cv2.BORDER_CONSTANT),
            (example.hull, cv2.BORDER_CONSTANT),
        )
    ]
    return Example(*parts)


def creased(rgb: F32, chance: np.random.Generator) -> F32:
    """A crop (s, s, 3) with faint lines, darker or lighter, and blotches: wrinkles, scars, stubble, make-up."""
    size = len(rgb)
    strength = np.zeros((2 * size, 2 * size), np.float32)
    for _ in range(int(chance.integers(0, 7))):
        middle, axes = chance.uniform(0.4, 1.6, 2) * size, chance.uniform(0.04, 0.5, 2) * size
        first, long = chance.uniform(0, 360), chance.uniform(20, 120)
        faint = float(chance.uniform(-0.3, 0.12))
        whole = [tuple(int(v) for v in pair) for pair in (middle, axes)]
        cv2.ellipse(
            strength, whole[0], whole[1], chance.uniform(0, 180), first, first + long, faint, int(chance.integers(2, 5))
        )
    lines = cv2.resize(strength, (size, size), interpolation=cv2.INTER_AREA)
    lines = cv2.GaussianBlur(lines, (0, 0), float(chance.uniform(0.3, 1.2)))
    cells = int(2 ** chance.uniform(1.5, 6.0)) + 1
    blotches = cv2.resize(
        chance.normal(0.0, 1.0, (cells, cells)).astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR
    )
    tint = np.exp(chance.normal(0.0, 0.3, 3)).astype(np.float32)
    change = lines[..., None] + np.float32(chance.uniform(0.0, 0.08)) * blotches[..., None] * tint
    return np.asarray(np.clip(rgb * (1.0 + change), 0.0, 1.0), np.float32)


def filmed(rgb: F32, chance: np.random.Generator) -> F32:
    """A crop (s, s, 3) float32 0..1 in a hard light, of another camera's tones, small, and coded, each by chance."""
    size = len(rgb)
    if chance.random() < _LIT:
        field = chance.normal(0.0, 1.0, (int(chance.integers(2, 5)),) * 2).astype(np.float32)
        field = np.asarray(cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
        soft = 1.0 / (1.0 + np.exp(-field * np.float32(np.exp(chance.uniform(0.0, 2.5)))))
        rgb = rgb * (1.0 + np.float32(chance.uniform(0.3, 1.3)) * soft[..., None])
    if chance.random() < _GLEAM:
        rgb = _gleaming(rgb, chance)
    if chance.random() < _DYED:
        rgb = _luma(rgb) + np.float32(chance.uniform(0.2, 1.6)) * (rgb - _luma(rgb))
    if chance.random() < _HAZE:
        rgb = np.float32(chance.uniform(0.3, 0.6)) + np.float32(chance.uniform(0.4, 1.5)) * (rgb - np.float32(0.4))
    rgb = rgb * np.exp(chance.normal(0.0, 0.1, 3)).astype(np.float32)
    return _seen_small(np.asarray(np.clip(rgb, 0.0, 1.0), np.float32), chance)


def _luma(rgb: F32) -> F32:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)[..., None]


def _gleaming(rgb: F32, chance: np.random.Generator) -> F32:
    """With what is brightest in its middle raised towards the light's colour."""
    luma = np.asarray(cv2.GaussianBlur(_luma(rgb), (0, 0), float(chance.uniform(0.5, 3.0))), np.float32)[..., None]
    quarter = len(rgb) // 4
    from_, top = np.quantile(luma[quarter:-quarter, quarter:-quarter], [float(chance.uniform(0.5, 0.95)), 1.0])
    share = np.clip((luma - np.float32(from_)) / np.float32(max(top - from_, 0.02)), 0.0, 1.0)
    share = share ** np.float32(chance.uniform(0.7, 2.5)) * np.float32(chance.uniform(0.1, 0.8))
    light = np.exp(chance.normal(0.0, 0.08, 3)).astype(np.float32)
    return np.asarray(rgb + share * (light - np.minimum(rgb, 1.0)), np.float32)


def _seen_small(rgb: F32, chance: np.random.Generator) -> F32:
    """As fewer pixels and by a codec's blocks; a codec comes before what makes pixels more."""
    size = len(rgb)
    fewer = int(np.exp(chance.uniform(np.log(_LEAST), np.log(size)))) if chance.random() < _SMALL else size
    small = cv2.resize(rgb, (fewer, fewer), interpolation=cv2.INTER_AREA)
    if chance.random() < _CODED:
        small = small + chance.normal(0.0, float(np.exp(chance.uniform(-6.0, -3.5))), small.shape)
        codes = np.rint(255.0 * np.clip(small, 0.0, 1.0)).astype(np.uint8)
        quality = int(chance.integers(20, 85))
        done, data = cv2.imencode(".jpg", codes[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        small = decoded[..., ::-1].astype(np.float32) / np.float32(255.0)
    how = cv2.INTER_CUBIC if chance.random() < 0.5 else cv2.INTER_LINEAR
    return np.asarray(np.clip(cv2.resize(small, (size, size), interpolation=how), 0.0, 1.0), np.float32)
