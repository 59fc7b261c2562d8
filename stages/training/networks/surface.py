"""What one person's skin looks like close by: a learnt texture that moves with the face, in place of redrawn pores."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_FIRST_GAIN = 0.3
"""Of the layers but the first, before anything is learnt: gradients reach all of them, none alike."""


class Surface(nn.Module):
    """Deferred neural rendering (Thies et al. 2019) with a chart that the network finds itself.

    For every pixel the features say which place of the face it shows, as coordinates of a chart that is the same for
    all poses (:mod:`stages.training.chart`), and how much each of the texture's layers counts there. A mole, a lash or
    the edge of a brow is then learnt once, from all pictures, and not for every pose anew.

    Args:
        channels: of the features.
        layers: pictures of the skin that are mixed, for what moves in itself: lids, lips, teeth.
        size: side of the texture.
        side: of the features; the answer has twice that.
    """

    def __init__(self, channels: int, layers: int, size: int, side: int) -> None:
        super().__init__()
        self.layers, self.size = layers, size
        self.chart = nn.Conv2d(channels, 2, 3, padding=1)
        self.gains = nn.Conv2d(channels, layers, 3, padding=1)
        # the texture has one dimension less than a kernel: the memory format of those is not for it
        self.texture = nn.Parameter(0.01 * torch.randn(size * size, 3 * layers))
        nn.init.zeros_(self.chart.weight)
        nn.init.normal_(self.gains.weight, std=0.01)
        assert self.chart.bias is not None
        assert self.gains.bias is not None
        nn.init.zeros_(self.chart.bias)
        nn.init.constant_(self.gains.bias, _FIRST_GAIN)
        with torch.no_grad():
            self.gains.bias[0] = 1.0
        steps = (torch.arange(2 * side) + 0.5) / side - 1
        self.register_buffer("flat", torch.stack(torch.meshgrid(steps, steps, indexing="xy"))[None], persistent=False)

    def forward(self, features: Tensor, mirrored: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What the texture adds to each pixel, and the chart.

        Args:
            features: (n, channels, side, side).
            mirrored: (n,) bool, pictures that show their person mirrored: there the texture is too. None: no picture.

        Returns:
            (n, 3, 2 * side, 2 * side), to be added before the last sigmoid; (n, 2, 2 * side, 2 * side) places on the
            chart, -1..1.
        """
        flat: Tensor = self.get_buffer("flat")
        # what half precision gives is a small move and a gain, not a place, which needs all bits of a float
        moves, gains = (
            F.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False).float()
            for picture in (self.chart(features), self.gains(features))
        )
        chart = flat + moves
        across, down = chart.unbind(1)
        if mirrored is not None:
            across = torch.where(mirrored[:, None, None], -across, across)
        skin = self._sample(across, down).view(*across.shape, self.layers, 3)
        return torch.einsum("nhwlc,nlhw->nchw", skin, gains), chart

    def _sample(self, across: Tensor, down: Tensor) -> Tensor:
        """The texture at places (n, h, w) of -1..1, bilinear, (n, h, w, 3 * layers); at the edge beyond it.

        Four look-ups in a table in place of ``grid_sample``, whose gradient has no repeatable sum on GPUs.
        """
        x, y = (((place + 1) * (self.size / 2) - 0.5).clamp(0, self.size - 1) for place in (across, down))
        left, top = (place.detach().floor().clamp(max=self.size - 2) for place in (x, y))
        right_share, low_share = (x - left)[..., None], (y - top)[..., None]
        first = top.long() * self.size + left.long()
        near, far, low_near, low_far = (
            F.embedding(first + step, self.texture) for step in (0, 1, self.size, self.size + 1)
        )
        return torch.lerp(torch.lerp(near, far, right_share), torch.lerp(low_near, low_far, right_share), low_share)
