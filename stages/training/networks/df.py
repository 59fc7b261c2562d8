"""Family ``df``: one code for all identities, a residual decoder for each. It keeps the source's own shape of face."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from stages.training.networks.classic import initialise_
from stages.training.networks.network import SharedEncoder
from stages.training.networks.saehd import Decoder, Inter, encoder
from stages.training.settings import NetworkSettings


class Df(SharedEncoder):
    """Encoder and inter are shared, decoders are each identity's own.

    Args:
        identities: names, each gets a decoder.
        settings: ``encoder_channels`` after each halving, ``decoder_channels`` after each doubling, of which the
            first is the inter's (usually as many as ``latent``) and the last is at half of the answer's side.
    """

    def __init__(self, identities: Sequence[str], settings: NetworkSettings) -> None:
        super().__init__()
        shared, *channels = settings.decoder_channels
        self.encoder = nn.Sequential(encoder(settings), Inter(settings))
        self.decoders = nn.ModuleDict({name: Decoder(shared, channels, settings.mask_channels) for name in identities})
        self.apply(initialise_)
