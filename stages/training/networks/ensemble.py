"""Many identities in one network: an encoder and a decoder that all share, and for each identity what is its own."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from stages.training.networks.blocks import Up
from stages.training.networks.decoder import Decoder
from stages.training.networks.encoder import Encoder
from stages.training.networks.network import Answer
from stages.training.settings import NetworkSettings


class EnsembleNetwork(nn.Module):
    """One encoder and one decoder for N identities, told apart by a face at rest and by gains.

    An identity is its ``start`` (added to the small picture) and, after each enlargement, a scale and a shift of every
    channel (FiLM, Perez et al. 2018). Both can be folded into a plain :class:`Decoder`, see :meth:`decoder_of`. A
    texture is everybody's: what faces have in common.

    Args:
        identities: how many.
        settings: sizes and widths, as of a :class:`SwapNetwork`.
    """

    def __init__(self, identities: int, settings: NetworkSettings) -> None:
        super().__init__()
        channels = settings.decoder_channels
        base = settings.output_size // 2 ** len(channels)
        self.encoder = Encoder(settings.input_size, settings.encoder_channels, settings.latent, base, channels[0])
        self.decoder = Decoder(channels, settings.mask_channels, base, settings.texture, settings.texture_size)
        self.starts = nn.Parameter(torch.zeros(identities, channels[0], base, base))
        widths = channels[1:]
        self.scales = nn.ParameterList(nn.Parameter(torch.zeros(identities, width)) for width in widths)
        self.shifts = nn.ParameterList(nn.Parameter(torch.zeros(identities, width)) for width in widths)

    def forward(self, crops: Tensor, who: Tensor, mirrored: Tensor | None = None) -> Answer:
        """Give crops (n, 3, s, s) of anyone the likenesses ``who``, (n,) int64; mirrored as in a swap network."""
        features: Tensor = torch.add(self.encoder(crops), self.decoder.start + self.starts[who])
        level = 0
        for stage in self.decoder.stages:
            features = stage(features)
            if isinstance(stage, Up):
                scale, shift = self.scales[level][who], self.shifts[level][who]
                features = features * (1 + scale[:, :, None, None]) + shift[:, :, None, None]
                level += 1
        return self.decoder.finish(features, mirrored)

    @torch.no_grad()
    def decoder_of(self, who: int | None) -> Decoder:
        """A plain decoder that gives what this network gives for one identity; for None, for the mean of all."""

        def own(table: Tensor) -> Tensor:
            return table.mean(dim=0) if who is None else table[who]

        decoder = copy.deepcopy(self.decoder)
        decoder.start.add_(own(self.starts))
        enlarging = [stage for stage in decoder.stages if isinstance(stage, Up)]
        for stage, scales, shifts in zip(enlarging, self.scales, self.shifts, strict=True):
            # the sub-pixel convolution gives each channel's scale ** 2 kernels one after the other
            gain = (1 + own(scales)).repeat_interleave(stage.scale**2)
            assert stage.conv.bias is not None
            stage.conv.weight.mul_(gain[:, None, None, None])
            stage.conv.bias.mul_(gain).add_(own(shifts).repeat_interleave(stage.scale**2))
        return decoder
