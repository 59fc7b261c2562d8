"""Family ``original``: the classic shared encoder with two decoders, the yardstick for everything newer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from stages.training.networks.classic import Upscale, downscales, initialise_, mask_branch
from stages.training.networks.network import SharedEncoder
from stages.training.settings import NetworkSettings


class Original(SharedEncoder):
    """The autoencoder that face swapping began with, at 64 pixels: a dense code between convolutions.

    The encoder halves the picture, squeezes it through ``latent`` numbers, spreads these over a small picture as wide
    as its last layer, and doubles that once. Each decoder doubles it to full size. The classic has no mask; as
    compositing needs one, each decoder has the light branch that its successors have.

    Args:
        identities: names, each gets a decoder.
        settings: ``encoder_channels`` after each halving (classic: 128, 256, 512, 1024), ``decoder_channels`` after
            each doubling, of which the first is the encoder's (512, 256, 128, 64). The small picture's side is
            ``output_size / 2 ** len(decoder_channels)``, 4 at 64 pixels.
    """

    def __init__(self, identities: Sequence[str], settings: NetworkSettings) -> None:
        super().__init__()
        down, (shared, *up) = settings.encoder_channels, settings.decoder_channels
        smallest = settings.input_size // 2 ** len(down)
        base = settings.output_size // 2 ** len(settings.decoder_channels)
        self.encoder = nn.Sequential(
            *downscales(down),
            nn.Flatten(),
            nn.Linear(down[-1] * smallest**2, settings.latent),
            nn.Linear(settings.latent, down[-1] * base**2),
            nn.Unflatten(1, (down[-1], base, base)),
            Upscale(down[-1], shared),
        )
        self.decoders = nn.ModuleDict({name: _Decoder(shared, up, settings.mask_channels) for name in identities})
        self.apply(initialise_)


class _Decoder(nn.Module):
    """Shape: (n, inputs, h, w) -> (n, 3, r, r) and (n, 1, r, r), both 0..1, r = h * 2 ** len(channels)."""

    def __init__(self, inputs: int, channels: Sequence[int], mask_channels: int) -> None:
        super().__init__()
        ups = [Upscale(before, after) for before, after in pairwise((inputs, *channels))]
        self.rgb = nn.Sequential(*ups, nn.Conv2d(channels[-1], 3, 5, padding=2), nn.Sigmoid())
        self.mask = mask_branch(inputs, mask_channels, len(channels))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.rgb(features), self.mask(features)
