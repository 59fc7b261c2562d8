"""The pieces that encoder and decoders are built from. None normalises over the picture: its colour survives."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.1
"""Negative slope of every leaky rectifier."""


def he_(layer: nn.Conv2d | nn.Linear, gain_slope: float = SLOPE) -> None:
    """Initialise a layer that feeds a leaky rectifier (He et al. 2015), its bias with zeros."""
    nn.init.kaiming_normal_(layer.weight, a=gain_slope, nonlinearity="leaky_relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def icnr_(layer: nn.Conv2d, scale: int) -> None:
    """Give all ``scale ** 2`` kernels of a sub-pixel group the same weights: the layer starts without a checkerboard.

    Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution".
    """
    with torch.no_grad():
        outputs, inputs, height, width = layer.weight.shape
        kernels = torch.empty(outputs // scale**2, inputs, height, width)
        nn.init.kaiming_normal_(kernels, a=SLOPE, nonlinearity="leaky_relu")
        layer.weight.copy_(kernels.repeat_interleave(scale**2, dim=0))
        if layer.bias is not None:
            layer.bias.zero_()


class Residual(nn.Module):
    """``x + gain * conv(act(conv(act(x))))`` with a learnt gain per channel that starts small.

    The small gain makes a deep stack start as almost the identity, which stands in for normalisation
    (LayerScale, Touvron et al. 2021; SkipInit, De and Smith 2020).

    Shape: (n, channels, h, w) -> the same.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((1, channels, 1, 1), 0.1))
        he_(self.first)
        he_(self.second)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(F.leaky_relu(x, SLOPE))
        moved: Tensor = x + self.gain * self.second(F.leaky_relu(inner, SLOPE))
        return moved


class Down(nn.Module):
    """Halve the picture with a strided convolution. Shape: (n, inputs, h, w) -> (n, outputs, h/2, w/2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        he_(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x), SLOPE)


class Up(nn.Module):
    """Enlarge the picture with a sub-pixel convolution (Shi et al. 2016), free of a checkerboard at the start.

    Shape: (n, inputs, h, w) -> (n, outputs, scale * h, scale * w).
    """

    def __init__(self, inputs: int, outputs: int, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(inputs, outputs * scale**2, 3, padding=1)
        icnr_(self.conv, scale)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), self.scale)


def halvings(size: int, smallest: int) -> int:
    """How often ``size`` is halved to reach ``smallest``.

    Raises:
        ValueError: ``size`` is not ``smallest`` times a power of two.
    """
    count = round(math.log2(size / smallest))
    if smallest << count != size:
        raise ValueError(f"{size} is not {smallest} times a power of two")
    return count
