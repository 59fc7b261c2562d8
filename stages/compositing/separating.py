"""What compositing did to a frame, as one picture over another: the face and its matte, in RGB.

Compositing joins a face and its target in the clip's own channels, each at its own resolution, and by default in
several bands of detail, so it is not one picture over another. But for any finished frame F, target T and matte a > 0
wherever they differ, the face ``T + (F - T) / a`` gives F when it is laid over T. With the matte that compositing hides
the target by, this face lies between the target and what compositing joined: it looks like a face up to its rim.

RGB, since compositors work in it: code values of the channels are an affine function of RGB, "over" is affine too, so
it does not matter in which of them it is done. With samples of chroma repeated over the pixels that they span, the way
to RGB and back is exact, if negative values and those above 1 are kept: hence floats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stages.channels import Channel, channels
from stages.compositing.blending import hidden
from stages.compositing.placing import Layer, Piece, pieces
from stages.compositing.settings import BlendSettings
from stages.video import NativeFrame

Floats = NDArray[np.float32]
Values = NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)

OPAQUE = 65535
"""Of a matte of 16 bits."""


@dataclass(frozen=True)
class Element:
    """The face of one frame.

    Attributes:
        face: (h, w, 3) float32, non-linear RGB, 1.0 is the white of the clip; values beyond 0..1 are meant. Straight,
            that is not multiplied by the matte; 0 where the matte is 0.
        matte: (h, w) uint16, 65535 hides the target. Equal in all pixels that share a sample of chroma.
    """

    face: Floats
    matte: NDArray[np.uint16]


def place_and_separate(frame: NativeFrame, layers: Iterable[Layer], settings: BlendSettings) -> Element | None:
    """Put faces into a frame's picture, in place, as compositing does, and tell what that comes to.

    Returns:
        the element which, laid over the frame as it was, gives the frame as it is now, but for rounding; None if
        nothing was replaced.

    Raises:
        Problem: the picture's pixel format can not be written.
    """
    parts = channels(frame.picture, frame.facts)
    down, across = max(part.down for part in parts), max(part.across for part in parts)
    target = [part.samples.astype(np.float64) for part in parts]
    wanted = [samples.copy() for samples in target]
    # One number for every block of pixels that shares a sample of chroma: how much of the target is still seen there.
    seen = np.ones((-(-frame.facts.height // down), -(-frame.facts.width // across)))
    for layer in layers:
        made = pieces(frame.picture, layer, frame.facts, settings)
        for samples, piece in zip(wanted, made, strict=False):
            values = np.clip(piece.values, 0, piece.channel.largest)
            _within(samples, piece)[piece.inside] = values[piece.inside]
            piece.write()
        if made:
            x0, y0, x1, y1 = made[0].box
            hides = _hidden(made, settings, down, across)
            seen[y0 // down : -(-y1 // down), x0 // across : -(-x1 // across)] *= 1.0 - hides
    # Rounded up, so that nothing that was changed, however faintly, is left without a matte.
    matte = np.ceil((1.0 - seen) * OPAQUE).astype(np.uint16)
    if not matte.any():
        return None
    return _element(parts, target, wanted, matte, (frame.facts.height, frame.facts.width))


def _within(samples: Values, piece: Piece) -> Values:
    """The part of a channel's samples that a piece is about; a view."""
    return replace(piece.channel, samples=samples).part(piece.box)


def _hidden(made: list[Piece], settings: BlendSettings, down: int, across: int) -> Values:
    """The most that any channel hides of the target in each block of ``down`` x ``across`` pixels of a box."""
    tops = []
    for piece in made:
        tall, wide = down // piece.channel.down, across // piece.channel.across
        share = hidden(piece.alpha, settings)  # 0 where the mask is
        beyond = (-share.shape[0] % tall, -share.shape[1] % wide)
        share = np.pad(share, ((0, beyond[0]), (0, beyond[1])))
        tops.append(share.reshape(share.shape[0] // tall, tall, -1, wide).max(axis=(1, 3)))
    return np.asarray(np.maximum.reduce(tops))


def _element(
    parts: list[Channel], target: list[Values], wanted: list[Values], matte: NDArray[np.uint16], size: tuple[int, int]
) -> Element:
    """The face that turns ``target`` into ``wanted`` under a matte of one number a block, computed where that is."""
    down, across = max(part.down for part in parts), max(part.across for part in parts)
    (top, bottom), (left, right) = _reach(matte, 1), _reach(matte, 0)
    blocks = matte[top:bottom, left:right]
    area = np.s_[top * down : bottom * down, left * across : right * across]
    face = np.zeros((*size, 3), np.float32)
    height, width = face[area].shape[:2]
    codes = np.empty((height, width, len(parts)))
    for place, part in enumerate(parts):
        tall, wide = down // part.down, across // part.across
        here = np.s_[top * tall : bottom * tall, left * wide : right * wide]
        was, now = target[place][here], wanted[place][here]
        share = _spread(blocks, tall, wide)[: was.shape[0], : was.shape[1]] / OPAQUE
        whole = was + np.divide(now - was, share, out=np.zeros_like(was), where=share > 0)
        codes[..., place] = _spread(whole, part.down, part.across)[:height, :width]
    covered = _spread(blocks, down, across)[:height, :width] > 0
    face[area] = np.where(covered[..., None], to_rgb(parts, codes), 0.0)
    return Element(face, np.ascontiguousarray(_spread(matte, down, across)[: size[0], : size[1]]))


def _reach(matte: NDArray[np.uint16], across: int) -> tuple[int, int]:
    """The first row (``across`` 1) or column (0) with anything in it, and the one after the last."""
    places = np.flatnonzero(matte.any(axis=across))
    return int(places[0]), int(places[-1]) + 1


def _spread(values: NDArray[Number], down: int, across: int) -> NDArray[Number]:
    """Each value repeated over the samples that it stands for."""
    return values.repeat(down, axis=0).repeat(across, axis=1)


def to_rgb(parts: list[Channel], codes: Values) -> Values:
    """Code values (h, w, channels) as RGB (h, w, 3), neither rounded nor cut: the inverse of ``Channel.values_of``."""
    weights = np.stack([part.weights for part in parts]).astype(np.float64)
    offsets = np.array([part.offset for part in parts])
    if len(parts) == 1:  # of grey, all three are alike
        return np.asarray((codes - offsets) / weights.sum()).repeat(3, axis=2)
    return np.asarray((codes - offsets) @ np.linalg.inv(weights).T)
