"""What the families ``df`` and ``liae`` are built from: the autoencoder with residual decoders, its ``ud`` variant.

``u``: the encoder's features are normalised before the code. ``d``: the last doubling is the colour head's own, in
sub-pixels, so that no feature map is as large as the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from stages.training.networks.classic import (
    PixelNorm,
    ResidualBlock,
    Upscale,
    downscales,
    mask_branch,
)
from stages.training.settings import NetworkSettings


def encoder(settings: NetworkSettings) -> nn.Sequential:
    """Crops (n, 3, s, s) 0..1 to normalised features (n, f), f = channels[-1] * (s / 2 ** len(channels)) ** 2."""
    return nn.Sequential(*downscales(settings.encoder_channels), nn.Flatten(), PixelNorm())


class Inter(nn.Sequential):
    """Features through the code to a small picture, which it doubles once.

    The small picture's side is ``output_size / 2 ** (len(decoder_channels) + 1)``, 4 at 128 pixels.

    Shape: (n, f) -> (n, decoder_channels[0], 2 * small, 2 * small).
    """

    def __init__(self, settings: NetworkSettings) -> None:
        down, outputs = settings.encoder_channels, settings.decoder_channels[0]
        smallest = settings.input_size // 2 ** len(down)
        small = settings.output_size // 2 ** (len(settings.decoder_channels) + 1)
        super().__init__(
            nn.Linear(down[-1] * smallest**2, settings.latent),
            nn.Linear(settings.latent, outputs * small**2),
            nn.Unflatten(1, (outputs, small, small)),
            Upscale(outputs, outputs),
        )


class Decoder(nn.Module):
    """A doubling and a residual block for each width, then the two heads.

    Shape: (n, inputs, h, w) -> (n, 3, r, r) and (n, 1, r, r), both 0..1, r = h * 2 ** (len(channels) + 1).

    Args:
        inputs: channels of what it starts from.
        channels: after each doubling.
        mask_channels: of the mask's branch after its last doubling; twice as many before it, and so on.
    """

    def __init__(self, inputs: int, channels: Sequence[int], mask_channels: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, after in pairwise((inputs, *channels)):
            stages += [Upscale(before, after), ResidualBlock(after)]
        head = (nn.Conv2d(channels[-1], 12, 3, padding=1), nn.PixelShuffle(2), nn.Sigmoid())
        self.rgb = nn.Sequential(*stages, *head)
        self.mask = mask_branch(inputs, mask_channels, len(channels) + 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.rgb(features), self.mask(features)
