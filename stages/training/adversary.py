"""A critic that tells answers from truths patch by patch: what it still sees, a decoder learns to sharpen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from stages.training.augment import Batch
from stages.training.networks import Answer
from stages.training.networks.blocks import SLOPE, he_
from stages.training.settings import AdversarySettings


class PatchCritic(nn.Module):
    """Scores overlapping patches of a picture: above 0 what looks true, below what looks made.

    A PatchGAN (Isola et al. 2017) of strided convolutions, each with spectral normalisation (Miyato et al. 2018), which
    keeps it smooth enough to be learnt from.

    Shape: (n, 3, r, r), 0..1 -> (n, 1, r / 2**halvings, r / 2**halvings).
    """

    def __init__(self, settings: AdversarySettings) -> None:
        super().__init__()
        widths = [3, *(min(settings.channels << depth, 8 * settings.channels) for depth in range(settings.halvings))]
        downs = [nn.Conv2d(before, after, 4, stride=2, padding=1) for before, after in pairwise(widths)]
        last = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for conv in (*downs, last):
            he_(conv)
        self.downs = nn.ModuleList(spectral_norm(conv) for conv in downs)
        self.last = spectral_norm(last)

    def forward(self, pictures: Tensor) -> Tensor:
        features = 2.0 * pictures - 1.0
        for down in self.downs:
            features = F.leaky_relu(down(features), SLOPE)
        scores: Tensor = self.last(features)
        return scores


def joining(iterations: int, settings: AdversarySettings) -> int:
    """The first iteration (from 0) of a run of so many that a critic has a say in."""
    return round(settings.start * iterations)


def adversary_weight(iteration: int, iterations: int, settings: AdversarySettings) -> float:
    """The weight of :func:`fooling_term` at an iteration (from 0): 0 until the start, then up a straight line."""
    since = iteration - joining(iterations, settings)
    return settings.weight * min(max(since + 1, 0) / (settings.warm_up + 1), 1.0)


def fooling_term(critic: PatchCritic, answers: Mapping[str, Answer], batches: Mapping[str, Batch]) -> Tensor:
    """What the network lowers to please the critic, a scalar; the critic itself gets no gradient."""
    critic.requires_grad_(False)
    terms = [-_face_mean(critic(_in_place(answers[name], batch)), batch.mask) for name, batch in batches.items()]
    critic.requires_grad_(True)
    return torch.stack(terms).sum()


def critic_loss(critic: PatchCritic, answers: Mapping[str, Answer], batches: Mapping[str, Batch]) -> Tensor:
    """What the critic lowers, a scalar: the hinge (Lim and Ye 2017); the network gets no gradient."""
    losses = []
    for name, batch in batches.items():
        made = critic(_in_place(answers[name], batch).detach())
        true = critic(batch.rgb)
        losses.append(_face_mean(F.relu(1.0 - true) + F.relu(1.0 + made), batch.mask))
    return torch.stack(losses).sum()


def _in_place(answer: Answer, batch: Batch) -> Tensor:
    """The answer within the truth's surroundings, (n, 3, r, r): what lies behind a person is not to be invented."""
    return torch.lerp(batch.rgb, answer.rgb, batch.mask.expand_as(batch.rgb))


def _face_mean(scores: Tensor, mask: Tensor) -> Tensor:
    """Mean of (n, 1, h, w), each patch counting as much as there is face in it."""
    shares = F.interpolate(mask, size=scores.shape[-2:], mode="area")
    return (shares * scores).sum() / shares.sum().clamp_min(1e-6)
