"""The decoder of one identity: how this person looks while doing it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.training.networks.blocks import SLOPE, Residual, Up
from stages.training.networks.network import Answer
from stages.training.networks.surface import Surface

_PLANES = 4
"""Of a side output: red, green, blue, mask."""


class Decoder(nn.Module):
    """The small picture that the encoder gives, to colour and mask at full size.

    Each channel count but the first doubles the side; the two heads double it once more, straight from sub-pixels,
    so that no feature map is ever as large as the answer. ``start`` is this person's face at rest, added to whatever
    the encoder says of the performance.

    With a texture, what the colour's head gives is the face without its fine detail, and the :class:`Surface` adds that
    inside the mask.

    Side outputs give the picture at half the side, at a quarter and so on, each straight from the features below it, so
    that the loss there reaches the early stages by a short way (Lee et al. 2015, "Deeply-supervised nets"; Karnewar and
    Wang 2020, "MSG-GAN"). They have no texture and are for training alone: :meth:`forward` does without.

    Shape: (n, channels[0], base, base) -> (n, 3, r, r) and (n, 1, r, r), both 0..1, r = base * 2 ** len(channels).

    Args:
        channels: of the small picture, then after each doubling.
        mask_channels: width of the mask's own branch.
        base: side of the small picture.
        texture: layers of the texture; 0 for none.
        texture_size: its side.
        side_outputs: how many.
    """

    def __init__(
        self,
        channels: Sequence[int],
        mask_channels: int,
        base: int,
        texture: int = 0,
        texture_size: int = 192,
        side_outputs: int = 0,
    ) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(1, channels[0], base, base))
        self.stages = nn.Sequential(Residual(channels[0]))
        for inputs, outputs in pairwise(channels):
            self.stages.append(Up(inputs, outputs))
            self.stages.append(Residual(outputs))
        self.rgb = Up(channels[-1], 3)
        self.mask = nn.Sequential(
            nn.Conv2d(channels[-1], mask_channels, 3, padding=1), nn.LeakyReLU(SLOPE), Up(mask_channels, 1)
        )
        side = base * 2 ** (len(channels) - 1)
        self.surface = Surface(channels[-1], texture, texture_size, side) if texture else None
        self.sides = nn.ModuleList(Up(width, _PLANES) for width in channels[-2 : -2 - side_outputs : -1])

    def forward(self, small: Tensor) -> Answer:
        """The answer to the small picture."""
        return self.finish(self.stages(small + self.start))

    def every_size(self, small: Tensor, mirrored: Tensor | None = None) -> Answer:
        """The answer with its side outputs, the largest first; mirrored as in :class:`Surface`."""
        features = small + self.start
        levels = []
        for stage in self.stages:
            features = stage(features)
            if isinstance(stage, Residual):
                levels.append(features)
        sides = []
        for head, level in zip(self.sides, levels[-2::-1], strict=False):
            planes = torch.sigmoid(head(F.leaky_relu(level, SLOPE)))
            sides.append(Answer(planes[:, :3], planes[:, 3:]))
        return self.finish(features, mirrored)._replace(sides=tuple(sides))

    def finish(self, features: Tensor, mirrored: Tensor | None = None) -> Answer:
        """The answer from the last stage's features, (n, channels[-1], r/2, r/2); mirrored as in :class:`Surface`."""
        features = F.leaky_relu(features, SLOPE)
        colour, mask = self.rgb(features), torch.sigmoid(self.mask(features))
        if self.surface is None:
            return Answer(torch.sigmoid(colour), mask)
        detail, chart = self.surface(features, mirrored)
        return Answer(torch.sigmoid(colour + mask.detach() * detail), mask, chart)
