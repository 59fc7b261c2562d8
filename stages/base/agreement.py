"""Whether an encoder gives one code to all who do the same: what a swap needs, and a pair's footage can not teach."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.training.networks.encoder import Encoder

_NODES = 4
"""Of the coarse grid by which two faces are mixed: brow, eyes, mouth and chin may each be another one's."""

_ONE_OR_OTHER = 3.0
"""How far the grid's values reach beyond 0..1: most places then belong to one of the two."""


def disagreement(codes: Tensor) -> Tensor:
    """Mean squared distance of the codes within a scene, over that between scenes; scalar, 0 where nobody shows.

    A ratio has no unit that the network could shrink its codes in.

    Args:
        codes: (scenes, performers, latent), two or more of each.
    """
    within = 2.0 * codes.var(dim=1).sum(dim=-1).mean()
    between = 2.0 * codes.mean(dim=1).var(dim=0).sum()
    return within / between.clamp_min(1e-6)


def blend(faces: Tensor, others: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """New faces from two of one scene: some of the pictures become, place by place, the one, the other or both.

    What they do is the same, so the mixture does it too, and is nobody that the encoder could know.

    Args:
        faces, others: (n, c, p, p) uint8.
        share: of the pictures that are mixed at all.
        generator: the only source of chance.
    """
    count = len(faces)
    nodes = torch.rand((count, 1, _NODES, _NODES), generator=generator, device=generator.device)
    chosen = torch.rand((count, 1, 1, 1), generator=generator, device=generator.device) < share
    nodes = (nodes - 0.5) * _ONE_OR_OTHER + 0.5
    amount = F.interpolate(nodes, size=faces.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1) * chosen
    return torch.lerp(faces.float(), others.float(), amount).round().to(torch.uint8)


@torch.no_grad()
def disagreement_of(encoder: Encoder, planes: Tensor, size: int) -> float:
    """An encoder's :func:`disagreement` on scenes as they are.

    Args:
        encoder: to be judged.
        planes: (scenes, cast, 6, p, p) uint8 of one troupe.
        size: of the encoder's input, pixels.
    """
    codes = [
        encoder.code(F.interpolate(scene[:, :3].float() / 255.0, size=(size, size), mode="area")) for scene in planes
    ]
    return float(disagreement(torch.stack(codes)))
