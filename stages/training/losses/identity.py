"""Whether a decoder's picture shows the person that the truth shows, as a face recogniser sees it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.packs import open_pack
from stages.packs.build.face_resnet import CHIP, CHIP_SIDE, CHIP_TOP_LEFT, CROP, resampling
from stages.training.losses.embedder import Embedder

ARCFACE_CORNER: Final = (0.0389, -0.0291)
ARCFACE_SIDE: Final = 0.9219
"""Where the recogniser's ArcFace crop of a face that looks straight ahead lies in the canonical crop: x and y of its
corner and its side, in shares of the canonical crop's. The templates of both stand upright to each other but for
0.3 degrees, so that rows and columns can be resampled apart."""


class IdentityDistance(nn.Module):
    """1 - the cosine similarity of the embeddings of two canonical crops.

    The measure is FaceNet's (Schroff et al. 2015: on the unit sphere it is half the squared distance) and ArcFace's
    (Deng et al. 2019). SimSwap (Chen et al. 2020) lowers it against an embedding of the source, as nothing else is
    known of a swap's right answer. A reconstruction's right answer is there, and is what it is compared with:
    embeddings of one person differ with pose, light and expression, so an identity's mean would pull every picture
    away from its truth, and a perfect picture would still have a loss. So this is a perceptual loss (Johnson et al.
    2016) with features that were learnt on faces.

    Every face is cut out alike, as one that looks straight ahead: both pictures are in the same place, and the
    recogniser tells people apart by such crops as well as by its own.

    Args:
        embedder: on the device where the pictures will be; frozen.
    """

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder.eval()

    @classmethod
    def open(cls, device: torch.device) -> IdentityDistance:
        """By the recogniser of the open pack.

        Raises:
            Problem: the pack is missing or damaged.
        """
        return cls(Embedder.read(open_pack().files["recognition"])).to(device)

    def forward(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """The distance, a scalar, mean over the pictures; 0 for equal ones.

        Args:
            x: (n, 3, r, r) float32 RGB 0..1: what a decoder gave.
            y: the truth; no gradient goes to it.
            mask: (n, 1, r, r), 0..1: the face. Around it the recogniser sees the truth, as in a finished frame.
        """
        with torch.no_grad():
            wanted = self.embedder(chips(y))
        found = self.embedder(chips(torch.lerp(y, x, mask.expand_as(x))))
        return (1 - F.cosine_similarity(found, wanted)).mean()


def chips(crops: Tensor) -> Tensor:
    """What the recogniser looks at, (n, 3, 150, 150), of canonical crops (n, 3, r, r).

    As two matrix products: unlike that of sampling at a grid, their gradient is deterministic on a GPU.
    """
    height, width = crops.shape[-2:]
    across, down = (
        corner + ARCFACE_SIDE * start / CROP for corner, start in zip(ARCFACE_CORNER, CHIP_TOP_LEFT, strict=True)
    )
    kind = crops.dtype, crops.device
    return _rows(height, down, *kind) @ crops @ _rows(width, across, *kind).T


@lru_cache(maxsize=16)
def _rows(size: int, start: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix (150, size) from an axis of the canonical crop to the chip's, which begins at ``start`` (a share)."""
    side = ARCFACE_SIDE * CHIP_SIDE / CROP
    return torch.from_numpy(resampling(start * size, side * size, size, CHIP)).to(device, dtype)
