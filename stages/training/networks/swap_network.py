"""Our own family, ``likeness``: a narrow normalised code between residual stacks, heads that answer in sub-pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from stages.training.networks.blocks import halvings
from stages.training.networks.decoder import Decoder
from stages.training.networks.encoder import Encoder
from stages.training.networks.network import Answer, SharedEncoder
from stages.training.settings import NetworkSettings


class SwapNetwork(SharedEncoder):
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
        sizes = channels, settings.mask_channels, base, settings.texture, settings.texture_size, settings.side_outputs
        self.decoders = nn.ModuleDict({name: Decoder(*sizes) for name in identities})

    def _trained(self, features: Tensor, identity: str, mirrored: Tensor | None) -> Answer:
        decoder = self.decoders[identity]
        assert isinstance(decoder, Decoder)
        return decoder.every_size(features, mirrored)
