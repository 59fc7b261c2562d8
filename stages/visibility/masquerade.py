"""Faces behind more than was rendered: what covers another face, and shapes of chance, laid over a crop.

What a network is to keep is not a list of things. So half of the crops get something that no renderer made: a shape
with a texture. Things that were rendered are painted anew, soft shadows and colour casts come too, which cover nothing,
what moves is smeared, and some faces reach out of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]


@dataclass
class Example:
    """One crop: ``rgb`` (s, s, 3) float32 0..1; ``face`` and ``cover`` (s, s) float32, shares of each pixel; ``hull``
    (s, s) float32, 1 inside of the landmarks' hull."""

    rgb: F32
    face: F32
    cover: F32
    hull: F32

    def laid_over(self, rgb: F32, alpha: F32) -> None:
        """Something before all that is there."""
        self.rgb += alpha[..., None] * (rgb - self.rgb)
        self.face *= 1.0 - alpha
        self.cover += alpha * (1.0 - self.cover)


def moved(parts: Sequence[U8], reach: float, size: int, chance: np.random.Generator) -> Example:
    """A stored crop, `reach` unit crops wide, as alignment might have cut it: turned, zoomed, shifted, mirrored.

    Args:
        parts: rgb (S, S, 3), face, cover and hull (S, S).
        reach: side of the stored crop in unit crops.
        size: of the result in pixels.
        chance: draws the move.
    """
    stored = parts[0].shape[0]
    scale = size * reach / stored * np.exp(chance.normal(0.0, 0.07))
    angle = np.radians(chance.normal(0.0, 6.0))
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if chance.random() < 0.5:
        linear = linear @ np.diag([-1.0, 1.0])
    # pixel centres at + 0.5; OpenCV has them at 0
    middle = np.full(2, 0.5 * stored - 0.5)
    shift = np.full(2, 0.5 * size - 0.5) + chance.normal(0.0, 0.02 * size, 2) - linear @ middle
    into = np.concatenate([linear, shift[:, None]], 1)
    cut = [
        cv2.warpAffine(
            part,
            into,
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE if part.ndim == 3 else cv2.BORDER_CONSTANT,
        )
        for part in parts
    ]
    return Example(*(part.astype(np.float32) / 255.0 for part in cut))


def centred(parts: Sequence[U8], reach: float, size: int) -> list[F32]:
    """Stored pictures, `reach` unit crops wide, as the unit crop itself, (size, size[, 3]) float32 0..1."""
    stored = parts[0].shape[0]
    scale = size * reach / stored
    shift = (0.5 * size - 0.5) - scale * (0.5 * stored - 0.5)
    into = np.array([[scale, 0.0, shift], [0.0, scale, shift]])
    return [
        cv2.warpAffine(part, into, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32) / 255.0 for part in parts
    ]


def repainted(shown: U8, cover: U8, bare: U8, hair: U8, chance: np.random.Generator) -> U8:
    """A crop whose thing before the face has another colour; its shading stays, so do face, hair and what panes mirror.

    Frames of glasses as light as skin, or a microphone as dark as a mouth, are what is overlooked most, and a
    renderer's palette has few.

    Args:
        shown: (S, S, 3), the face behind the thing.
        cover: (S, S), what is before it there, with the hair.
        bare: (S, S, 3), the same face without the thing.
        hair: (S, S), what is before it there.
        chance: draws the colour; every second one is of the face's own.
    """
    share = np.clip(cover.astype(np.float32) - hair, 0.0, 255.0)[..., None] / np.float32(255.0)
    if share.max() == 0.0:
        return shown
    with_it, without = shown.astype(np.float32) / np.float32(255.0), bare.astype(np.float32) / np.float32(255.0)
    thing = np.clip((with_it - (1.0 - share) * without) / np.maximum(share, 0.25), 0.0, 1.0)
    if chance.random() < 0.5:
        size = len(bare)
        row, column = chance.integers(size // 3, 2 * size // 3, 2)
        colour = without[row, column] * np.exp(chance.normal(0.1, 0.3) + chance.normal(0.0, 0.08, 3))
    else:
        colour = chance.uniform(0.0, 1.0, 3) ** chance.uniform(0.7, 2.5)
    light = thing.mean(-1, keepdims=True)
    shading = np.clip(light / max(float((share * light).sum() / share.sum()), 0.02), 0.3, 2.5)
    painted = with_it + share * (np.clip(colour * shading, 0.0, 1.0) - thing)
    return np.asarray(np.clip(np.rint(255.0 * painted), 0.0, 255.0), np.uint8)


def cut_out(example: Example, chance: np.random.Generator) -> tuple[F32, F32]:
    """What covers a face, as a picture (s, s, 3) and its coverage (s, s), moved to anywhere."""
    size = example.face.shape[0]
    angle, zoom = float(chance.uniform(-60, 60)), float(np.exp(chance.normal(0, 0.3)))
    turn = np.asarray(cv2.getRotationMatrix2D((size / 2, size / 2), angle, zoom), np.float64)
    turn[:, 2] += chance.normal(0.0, 0.18 * size, 2)
    rgb = cv2.warpAffine(example.rgb, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(example.cover, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(rgb * np.exp(chance.normal(0.0, 0.15, 3)), np.float32), np.asarray(alpha, np.float32)


def shape(example: Example, chance: np.random.Generator) -> tuple[F32, F32]:
    """A shape of chance with a texture, (s, s, 3) and its coverage (s, s)."""
    size = example.face.shape[0]
    fine = np.zeros((2 * size, 2 * size), np.uint8)
    kind = int(chance.integers(4))
    middle = chance.uniform(0.15, 0.9, 2) * 2 * size
    reach = float(np.exp(chance.uniform(np.log(0.05), np.log(0.42)))) * 2 * size
    if kind == 0:
        axes = (reach * chance.uniform(0.35, 1.0, 2)).astype(int) + 1
        cv2.ellipse(fine, middle.astype(int).tolist(), axes.tolist(), chance.uniform(0, 180), 0, 360, 255, -1)
    elif kind == 1:
        angles = np.sort(chance.uniform(0, 2 * np.pi, int(chance.integers(3, 9))))
        corners = middle + reach * chance.uniform(0.4, 1.1, (len(angles), 1)) * np.stack(
            [np.cos(angles), np.sin(angles)], 1
        )
        cv2.fillPoly(fine, [corners.astype(np.int32)], 255)
    elif kind == 2:
        width = max(2, int(chance.uniform(0.015, 0.16) * 2 * size))
        walk = middle + np.cumsum(chance.normal(0.0, 0.25 * size, (int(chance.integers(2, 5)), 2)), 0)
        cv2.polylines(fine, [walk.astype(np.int32)], False, 255, width)
    else:
        # a bar through the crop, as arms, poles and edges of doors are
        angle = chance.uniform(0, np.pi)
        along = 3 * size * np.array([np.cos(angle), np.sin(angle)])
        width = max(2, int(chance.uniform(0.03, 0.3) * 2 * size))
        cv2.line(fine, (middle - along).astype(int).tolist(), (middle + along).astype(int).tolist(), 255, width)
    alpha: F32 = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255.0)
    if chance.random() < 0.5:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), float(chance.uniform(0.4, 1.6))), np.float32)
    return _texture(example, chance), np.asarray(alpha, np.float32)


def _texture(example: Example, chance: np.random.Generator) -> F32:
    """A picture (s, s, 3) to cut a shape from: a colour, also the face's own, with unevenness, stripes and shading."""
    size = example.face.shape[0]
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    if chance.random() < 0.35:
        # as another's skin: a colour of this face, changed a little
        row, column = chance.integers(size // 3, 2 * size // 3, 2)
        colour = example.rgb[row, column] * np.exp(chance.normal(0.0, 0.12, 3))
    else:
        colour = chance.uniform(0.0, 1.0, 3) ** chance.uniform(0.7, 2.5)
    picture = np.tile(colour.astype(np.float32), (size, size, 1))
    grain = chance.normal(0.0, 1.0, (int(2 ** chance.uniform(1.0, 6.0)) + 1,) * 2).astype(np.float32)
    noise = cv2.resize(grain, (size, size), interpolation=cv2.INTER_CUBIC)
    picture *= 1.0 + np.float32(chance.uniform(0.0, 0.4)) * noise[..., None]
    if chance.random() < 0.25:
        angle, rate = chance.uniform(0, np.pi), chance.uniform(3.0, 20.0)
        wave = np.sin(2 * np.pi * rate * (np.cos(angle) * columns + np.sin(angle) * rows) + chance.uniform(0, 6.3))
        other = chance.uniform(0.0, 1.0, 3).astype(np.float32)
        picture = np.where((wave > chance.uniform(-0.5, 0.5))[..., None], other, picture)
    slope = chance.normal(0.0, 0.5, 2)
    picture *= np.exp(slope[0] * (columns - 0.5) + slope[1] * (rows - 0.5)).astype(np.float32)[..., None]
    return np.asarray(np.clip(picture, 0.0, 1.0), np.float32)


def smeared(example: Example, chance: np.random.Generator) -> Example:
    """The crop as a slow shutter sees it: all that is there moved one way, up to a twelfth of the crop."""
    size = example.face.shape[0]
    length, angle = float(chance.uniform(2.0, size / 12)), float(chance.uniform(0.0, np.pi))
    reach = int(np.ceil(0.5 * length))
    away = np.arange(-reach, reach + 1, dtype=np.float32)
    along = away[None, :] * np.cos(angle) + away[:, None] * np.sin(angle)
    aside = away[:, None] * np.cos(angle) - away[None, :] * np.sin(angle)
    line = np.clip(0.5 * length + 0.5 - np.abs(along), 0.0, 1.0) * np.clip(1.0 - np.abs(aside), 0.0, 1.0)
    kernel = np.asarray(line / line.sum(), np.float32)
    rgb, face, cover = (
        np.asarray(np.clip(cv2.filter2D(part, -1, kernel, borderType=cv2.BORDER_REPLICATE), 0.0, 1.0), np.float32)
        for part in (example.rgb, example.face, example.cover)
    )
    return Example(rgb, face, cover, example.hull)


def cut_off(example: Example, chance: np.random.Generator) -> Example:
    """The crop of a face that reaches out of the picture: beyond the picture's border its last pixels are repeated, as
    :func:`stages.geometry.crop` does, and nothing is told of what is there."""
    size = example.face.shape[0]
    # below, above, to the right, to the left; the border is turned by as much as the crop is
    side = float(chance.choice([90.0, -90.0, 0.0, 180.0], p=[0.4, 0.3, 0.15, 0.15])) + float(chance.normal(0.0, 8.0))
    away = np.array([np.cos(np.radians(side)), np.sin(np.radians(side))], np.float32)
    across, down = np.meshgrid(*[np.arange(size, dtype=np.float32) - 0.5 * (size - 1)] * 2)
    beyond = np.maximum(across * away[0] + down * away[1] - float(chance.uniform(-0.1, 0.42)) * size, 0.0)
    rgb = cv2.remap(
        example.rgb,
        across - beyond * away[0] + 0.5 * (size - 1),
        down - beyond * away[1] + 0.5 * (size - 1),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = (beyond == 0.0).astype(np.float32)
    return Example(np.asarray(rgb, np.float32), example.face * inside, example.cover * inside, example.hull)


def relit(example: Example, chance: np.random.Generator) -> F32:
    """The crop (s, s, 3) float32 0..1 in another light, through another lens and sensor; nothing is covered by it."""
    size = example.face.shape[0]
    rgb = example.rgb
    if chance.random() < 0.35:
        edge = chance.normal(0.0, 1.0, (int(chance.integers(2, 6)),) * 2).astype(np.float32)
        shadow = cv2.resize(edge, (size, size), interpolation=cv2.INTER_CUBIC)
        soft = 1.0 / (1.0 + np.exp(-shadow * np.float32(np.exp(chance.uniform(0.0, 3.0)))))
        rgb = rgb * (1.0 - np.float32(chance.uniform(0.2, 0.75)) * soft[..., None])
    rgb = np.clip(rgb * np.exp(chance.normal(0.0, 0.12) + chance.normal(0.0, 0.06, 3)), 0.0, 1.0)
    rgb = rgb ** np.exp(chance.normal(0.0, 0.18))
    if chance.random() < 0.3:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(chance.uniform(0.4, 1.6)))
    rgb = rgb + chance.normal(0.0, float(np.exp(chance.uniform(-6.0, -3.2))), rgb.shape)
    return np.asarray(np.clip(rgb, 0.0, 1.0), np.float32)
