"""One converted face put into its frame: warped back, blended in the frame's own channels, in the face's box only."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.channels import Channel, channels
from stages.compositing.blending import blend
from stages.compositing.grain import grained
from stages.compositing.settings import BlendSettings
from stages.hdr import coded, is_hdr
from stages.video import VideoFacts

Box = tuple[int, int, int, int]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A face ready to be placed.

    Attributes:
        crop: (r, r, 3) float32 RGB 0..1, as :meth:`~stages.video.NativeFrame.rgb` shows frames, its colours and
            sharpness already matched.
        mask: (m, m) float32 0..1 over the same unit crop, 0 on its border.
        transform: (2, 3), frame pixels to the unit crop.
        free: (m, m) float32 0..1 over the same unit crop, 0 where something passes before the face and stays; None if
            nothing does. It is no part of the mask: bands of detail are blended as if nothing were there, or the
            thing's colours would reach into the face beside it.
        grain: share of what it lacks of the target's grain that it is given.
        texture: share of the target's texture that comes with that.
    """

    crop: Floats
    mask: Floats
    transform: NDArray[np.float64]
    free: Floats | None = None
    grain: float = 0.0
    texture: float = 0.0


@dataclass(frozen=True)
class Piece:
    """What a face makes of one channel of a picture, within the channel's part of a box.

    Attributes:
        channel: of the picture; not yet written to.
        box: of frame pixels.
        values: (h, w) float32 code values, neither rounded nor cut to the channel's range.
        alpha: (h, w) float32 0..1, the face's mask.
    """

    channel: Channel
    box: Box
    values: Floats
    alpha: Floats

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(h, w), the samples that the face reaches; all others stay."""
        return self.alpha > 0

    def write(self) -> None:
        """Into the picture."""
        self.channel.write(self.box, self.values, self.inside)


def put(picture: av.VideoFrame, layer: Layer, facts: VideoFacts, settings: BlendSettings) -> bool:
    """Blend a face into a picture, in place.

    Samples of every plane in which the warped mask is 0 keep their value bit for bit.

    Returns:
        whether anything was written (the mask may be empty, or the face outside the picture).

    Raises:
        Problem: the picture's pixel format can not be written.
    """
    made = pieces(picture, layer, facts, settings)
    for piece in made:
        piece.write()
    return bool(made)


def pieces(picture: av.VideoFrame, layer: Layer, facts: VideoFacts, settings: BlendSettings) -> list[Piece]:
    """What a face makes of each of a picture's channels; none if the mask is empty or outside of the picture.

    Raises:
        Problem: the picture's pixel format can not be written.
    """
    parts = channels(picture, facts)
    box = covered(layer, picture.width, picture.height, _largest_step(parts))
    if box is None:
        return []
    rgb, alpha = warped(layer, box)
    if is_hdr(facts.transfer):
        rgb = coded(rgb, facts.transfer, facts.primaries)
    free = None if layer.free is None else _over(layer.free, layer.transform, box, "replicate")
    if not (alpha if free is None else alpha * free).any():
        return []
    result = []
    for channel in parts:
        share = channel.reduced(alpha)
        left = None if free is None else channel.reduced(free)
        target = channel.part(box).astype(np.float32)
        own = channel.values_of(rgb)
        if layer.grain or layer.texture:
            both = share if left is None else share * left
            own = grained(own, target, both > 0.5, layer.grain, channel.largest, layer.texture)
        values = blend(target, own, share, settings)
        if left is not None:
            values, share = np.asarray(target + left * (values - target), np.float32), share * left
        result.append(Piece(channel, box, values, share))
    return result


def covered(layer: Layer, width: int, height: int, multiple: int = 1) -> Box | None:
    """The box of frame pixels that the mask can reach, on multiples of ``multiple``; None if there are none."""
    rows, columns = (np.flatnonzero(layer.mask.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return None
    size = layer.mask.shape[0]
    # One pixel of the mask on either side: bilinear and cubic sampling reach into their neighbours.
    low = np.array([columns[0] - 1, rows[0] - 1]) / size
    high = np.array([columns[-1] + 2, rows[-1] + 2]) / size
    to_unit = np.concatenate([np.diag(1.0 / (high - low)), (-low / (high - low))[:, None]], axis=1)
    x0, y0, x1, y1 = geometry.region(geometry.compose(layer.transform, to_unit), width, height, multiple=multiple)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def warped(layer: Layer, box: Box) -> tuple[Floats, Floats]:
    """Colours (h, w, 3) and mask (h, w) of a layer over a box of the frame, float32 0..1."""
    return _over(layer.crop, layer.transform, box, "replicate"), _over(layer.mask, layer.transform, box, "zero")


def _over(picture: Floats, transform: NDArray[np.float64], box: Box, edge: str) -> Floats:
    """A picture over the unit crop, as it lies over a box of the frame; float32 0..1."""
    x0, y0, x1, y1 = box
    into_box = geometry.compose(geometry.invert(transform), np.array([[1.0, 0.0, -x0], [0.0, 1.0, -y0]]))
    from_pixels = geometry.invert(geometry.to_pixels(picture.shape[0]))
    moved = geometry.warp(picture, geometry.compose(from_pixels, into_box), x1 - x0, y1 - y0, edge=edge)
    return np.clip(moved.astype(np.float32, copy=False), 0.0, 1.0)


def _largest_step(parts: list[Channel]) -> int:
    return max(max(channel.across, channel.down) for channel in parts)
