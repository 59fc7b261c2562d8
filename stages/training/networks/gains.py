"""A gain for every channel that a convolution gives: what a person is, where the kernels say what faces do."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

KERNEL = "parametrizations.weight.original"
"""How the name of a kernel ends that has gains."""


class Gain(nn.Module):
    """``kernel * gain``, one gain for each channel that it gives; before anything is learnt, 1.

    With the bias this is a scale and a shift of every channel (FiLM, Perez et al. 2018), as those by which the base
    tells its identities apart (:class:`stages.training.networks.ensemble.EnsembleNetwork`).

    Args:
        channels: that the convolution gives.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, kernel: Tensor) -> Tensor:
        return kernel * self.gain[:, None, None, None]


def add_gains(network: nn.Module) -> None:
    """Give all convolutions of a network gains. Its answers stay as they are; its kernels change their names."""
    for layer in _convolutions(network).values():
        parametrize.register_parametrization(layer, "weight", Gain(layer.out_channels).to(layer.weight.device))


def folded(network: nn.Module) -> dict[str, Tensor]:
    """The weights of the same network without gains, which are multiplied into its kernels; as they are without any."""
    layers = _convolutions(network)
    weights: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        layer, _, rest = name.partition(".parametrizations.")
        if rest:
            weights[f"{layer}.weight"] = layers[layer].weight.detach()
        else:
            weights[name] = tensor
    return weights


def _convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)}
