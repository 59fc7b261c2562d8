"""A small U-Net (Ronneberger et al. 2015) of residual blocks without normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.training.networks.blocks import SLOPE, Residual, he_


class VisibilityNetwork(nn.Module):
    """Crops (n, 3, s, s) in 0..1 to logits (n, 1, s, s): how surely each pixel shows the face, before the sigmoid.

    Args:
        channels: of the levels, each half as fine as the one before; s is a multiple of 2 ** (levels - 1).
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels[0], 3, padding=1)
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairs)
        # the finest levels are the dearest: on the way down they only pass on what they see
        inner = [Residual(coarse) if level else nn.Identity() for level, (_, coarse) in enumerate(pairs)]
        self.inner = nn.ModuleList(inner)
        # what comes from below and what was passed on are weighed together, each at its own size: a kernel of one pixel
        # and enlarging may change places, and before it there are a quarter of the pixels
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1, bias=False) for fine, coarse in pairs)
        self.across = nn.ModuleList(nn.Conv2d(fine, fine, 1) for fine, _ in pairs)
        # on the way up also the finest decides anew: gaps between fingers, rims and hairs are a pixel or two wide
        self.outer = nn.ModuleList(Residual(fine) for fine, _ in pairs)
        self.head = nn.Conv2d(channels[0], 1, 3, padding=1)
        for layer in (self.stem, *self.down, *self.up, *self.across):
            assert isinstance(layer, nn.Conv2d)
            he_(layer)
        with torch.no_grad():
            for layer in (*self.up, *self.across):
                layer.weight.mul_(2.0**-0.5)  # two of them make one sum

    def forward(self, crop: Tensor) -> Tensor:
        x = F.leaky_relu(self.stem(2.0 * crop - 1.0), SLOPE)
        skips = []
        for down, inner in zip(self.down, self.inner, strict=True):
            skips.append(x)
            x = inner(F.leaky_relu(down(x), SLOPE))
        for up, across, outer, skip in reversed(list(zip(self.up, self.across, self.outer, skips, strict=True))):
            wider = F.interpolate(up(x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = outer(F.leaky_relu(wider + across(skip), SLOPE))
        logits: Tensor = self.head(x)
        return logits
