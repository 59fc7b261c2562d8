"""The terms of the loss, weighed by where in the face they are; their sum is what training lowers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from stages.training.augment import Batch, halved
from stages.training.chart import chart_distance
from stages.training.losses.difference import gradient_map, laplacian_distance
from stages.training.losses.frequency import focal_frequency_distance
from stages.training.losses.structure import ms_ssim, ssim_map
from stages.training.networks import Answer
from stages.training.settings import LossSettings


def place_weights(batch: Batch, settings: LossSettings) -> Tensor:
    """How much each pixel's colour counts, (n, 1, r, r), mean 1 over each picture; 0 where no place counts at all."""
    weights = settings.background + (1 - settings.background) * batch.mask
    weights = weights + settings.eyes * batch.eyes + settings.mouth * batch.mouth
    return weights / weights.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)


def loss_terms(
    answer: Answer,
    batch: Batch,
    settings: LossSettings,
    identity_distance: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> dict[str, Tensor]:
    """The weighted terms, each a scalar; their sum is what training lowers.

    Args:
        answer: what the decoder gave.
        batch: the truth, of the same size.
        settings: a term whose weight is 0 is not computed.
        identity_distance: as :class:`stages.training.losses.identity.IdentityDistance`; needed if its term has a
            weight.

    Raises:
        ValueError: it is needed and not there.
    """
    weights = place_weights(batch, settings)
    terms = {}
    if settings.l1:
        terms["l1"] = settings.l1 * (weights * (answer.rgb - batch.rgb).abs()).mean()
    if settings.ssim:
        terms["ssim"] = settings.ssim * (weights * (1 - ssim_map(answer.rgb, batch.rgb))).mean()
    if settings.gradient:
        terms["gradient"] = settings.gradient * (weights * gradient_map(answer.rgb, batch.rgb)).mean()
    if settings.ms_ssim:
        terms["ms_ssim"] = settings.ms_ssim * (1 - ms_ssim(answer.rgb, batch.rgb, weights)).mean()
    if settings.laplacian:
        terms["laplacian"] = settings.laplacian * laplacian_distance(answer.rgb, batch.rgb, weights)
    if settings.frequency:
        terms["frequency"] = settings.frequency * focal_frequency_distance(answer.rgb, batch.rgb, weights)
    if settings.identity:
        if identity_distance is None:
            raise ValueError("the identity term has a weight, but there is no recogniser")
        terms["identity"] = settings.identity * identity_distance(answer.rgb, batch.rgb, batch.mask)
    if settings.mask:
        terms["mask"] = settings.mask * (answer.mask - batch.mask).abs().mean()
    if settings.chart and answer.chart is not None:
        terms["chart"] = settings.chart * chart_distance(answer.chart, batch.places)
    return terms


def sides_term(answer: Answer, batch: Batch, settings: LossSettings) -> Tensor:
    """The terms on each of the answer's smaller pictures against the truth at that size, weighed, a scalar.

    The identity term is left to the full size: the recogniser, which enlarges all to its own size, would see the same
    face again, with less in it. Smaller pictures have no chart, so no term for one. Without a term there it is 0.
    """
    settings = settings.model_copy(update={"identity": 0.0})
    terms: list[Tensor] = []
    for side in answer.sides:
        batch = halved(batch)
        terms += loss_terms(side, batch, settings).values()
    return settings.sides * torch.stack(terms).sum() if terms else answer.rgb.new_zeros(())
