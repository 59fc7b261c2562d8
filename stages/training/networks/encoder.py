"""The encoder that all identities share: what a face does, not whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from stages.training.networks.blocks import SLOPE, Down, Residual, he_

PATCH = 4
"""The stem folds squares of this many pixels into channels: a quarter of the picture's side costs a sixteenth."""


class Encoder(nn.Module):
    """A crop to a short code, and the code to the small picture that every decoder starts from.

    The code is what keeps identities apart from performances: it is too narrow to carry all of both, and the decoders
    already know the identity. So it is mostly pose, expression, gaze and light that pass, and less of whose face it is;
    free of that no code is (see docs/base.md).

    Shape: (n, 3, size, size) 0..1 -> (n, base_channels, base, base).

    Args:
        size: of the crop in pixels; a multiple of ``4 * 2 ** (len(channels) - 1)``.
        channels: width after the stem and after each halving.
        latent: length of the code.
        base: side of the small picture.
        base_channels: its channels.
    """

    def __init__(self, size: int, channels: Sequence[int], latent: int, base: int, base_channels: int) -> None:
        super().__init__()
        smallest, rest = divmod(size, PATCH * 2 ** (len(channels) - 1))
        if rest or not smallest:
            raise ValueError(f"an input of {size} pixels can not be halved {len(channels) - 1} times after the stem")
        self.stem = nn.Conv2d(3 * PATCH**2, channels[0], 3, padding=1)
        he_(self.stem)
        self.stages = nn.Sequential(Residual(channels[0]))
        for inputs, outputs in pairwise(channels):
            self.stages.append(Down(inputs, outputs))
            self.stages.append(Residual(outputs))
        self.to_code = nn.Linear(channels[-1] * smallest**2, latent)
        self.norm = nn.LayerNorm(latent)
        self.from_code = nn.Linear(latent, base_channels * base**2)
        self.base, self.base_channels = base, base_channels
        nn.init.xavier_normal_(self.to_code.weight)
        he_(self.from_code)

    def code(self, crops: Tensor) -> Tensor:
        """The code of each crop, (n, latent), of zero mean and unit variance before the learnt scale."""
        folded = F.pixel_unshuffle(2.0 * crops - 1.0, PATCH)
        features = self.stages(F.leaky_relu(self.stem(folded), SLOPE))
        code: Tensor = self.norm(self.to_code(features.flatten(1)))
        return code

    def grown(self, code: Tensor) -> Tensor:
        """Codes (n, latent) to the small pictures that decoders start from."""
        flat = F.leaky_relu(self.from_code(code), SLOPE)
        return flat.view(-1, self.base_channels, self.base, self.base)

    def forward(self, crops: Tensor) -> Tensor:
        return self.grown(self.code(crops))
