"""One encoder, a decoder for each identity; a swap is a decoder fed with someone else's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from stages.training.networks.blocks import halvings
from stages.training.networks.decoder import Decoder
from stages.training.networks.encoder import Encoder
from stages.training.settings import NetworkSettings


class Answer(NamedTuple):
    """What a decoder gives for n crops: ``rgb`` (n, 3, r, r) and ``mask`` (n, 1, r, r), float32 0..1."""

    rgb: Tensor
    mask: Tensor


class SwapNetwork(nn.Module):
    """The shared encoder and one decoder per identity.

    Args:
        identities: names, each gets a decoder; any number, two for a pair.
        settings: sizes and widths.

    Raises:
        ValueError: the output's side is not the small picture's times the doublings of ``decoder_channels``.
    """

    def __init__(self, identities: Sequence[str], settings: NetworkSettings) -> None:
        super().__init__()
        channels = settings.decoder_channels
        base = settings.output_size // 2 ** len(channels)
        halvings(settings.output_size, base)
        self.encoder = Encoder(settings.input_size, settings.encoder_channels, settings.latent, base, channels[0])
        self.decoders = nn.ModuleDict({name: Decoder(channels, settings.mask_channels, base) for name in identities})

    def forward(self, crops: Mapping[str, Tensor]) -> dict[str, Answer]:
        """Reconstruct each identity's crops (n, 3, s, s) with its own decoder; the encoder sees one batch of all."""
        smalls = self.encoder(torch.cat(list(crops.values()))).split([len(batch) for batch in crops.values()])
        return {name: Answer(*self.decoders[name](small)) for name, small in zip(crops, smalls, strict=True)}

    def swap(self, crops: Tensor, identity: str) -> Answer:
        """Give crops (n, 3, s, s) of anyone the likeness of ``identity``."""
        return Answer(*self.decoders[identity](self.encoder(crops)))
