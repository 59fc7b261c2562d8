"""The blocks that the field's autoencoders share since 2018: strided 5x5 convolutions down, sub-pixels up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Downscale(nn.Sequential):
    """Halve the picture. Shape: (n, inputs, h, w) -> (n, outputs, h/2, w/2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 5, stride=2, padding=2), nn.LeakyReLU(0.1))


class Upscale(nn.Sequential):
    """Double the picture with sub-pixels (Shi et al. 2016). Shape: (n, inputs, h, w) -> (n, outputs, 2h, 2w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, 4 * outputs, 3, padding=1), nn.LeakyReLU(0.1), nn.PixelShuffle(2))


class ResidualBlock(nn.Module):
    """``act(x + conv(act(conv(x))))`` (He et al. 2016). Shape: (n, channels, h, w) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.second(F.leaky_relu(self.first(x), 0.2)), 0.2)


class PixelNorm(nn.Module):
    """Each feature vector to a mean square of 1 (Karras et al. 2018). Shape: (n, features) -> the same."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-6)


def downscales(channels: Sequence[int]) -> list[nn.Module]:
    """A :class:`Downscale` from a picture to the first width, and from each width to the next."""
    return [Downscale(inputs, outputs) for inputs, outputs in pairwise((3, *channels))]


def mask_branch(inputs: int, width: int, doublings: int) -> nn.Sequential:
    """The mask's own way up, half as wide after each doubling and ``width`` wide after the last.

    Shape: (n, inputs, h, w) -> (n, 1, h * 2 ** doublings, w * 2 ** doublings), 0..1.
    """
    widths = [width * 2**left for left in reversed(range(doublings))]
    ups = [Upscale(before, after) for before, after in pairwise((inputs, *widths))]
    return nn.Sequential(*ups, nn.Conv2d(width, 1, 1), nn.Sigmoid())


def initialise_(module: nn.Module) -> None:
    """First weights as the field has them: convolutions by He et al. 2015, dense layers by Glorot and Bengio 2010."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight)
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    else:
        return
    assert module.bias is not None
    nn.init.zeros_(module.bias)
