"""What the averaged weights are worth on faces that training never saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

from stages.training.augment import Batch, plain
from stages.training.faces import Faces
from stages.training.losses import loss_terms, ssim_map
from stages.training.networks import Answer, Network
from stages.training.settings import NetworkSettings, PresetSettings

_SAMPLE = 64
"""Faces of each identity, evenly spaced, that stand for the held-out part during training."""

_BATCH = 16


def held_out_losses(
    network: Network,
    held_out: Mapping[str, Faces],
    preset: PresetSettings,
    identity_distance: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> dict[str, float]:
    """The loss of each identity's reconstruction, over a fixed sample of its held-out faces.

    ``identity_distance`` is as in :func:`stages.training.losses.loss_terms`.
    """
    losses = {}
    for name, faces in held_out.items():
        sample = evenly(len(faces), _SAMPLE)
        total = 0.0
        for batch, answer in _answers(network, name, faces, sample, preset.network):
            terms = loss_terms(answer, batch, preset.losses, identity_distance)
            total += float(sum(terms.values())) * len(batch.crops)
        losses[name] = total / len(sample)
    return losses


def held_out_metrics(
    network: Network, held_out: Mapping[str, Faces], settings: NetworkSettings
) -> dict[str, dict[str, float]]:
    """PSNR (dB) and SSIM of each identity's reconstruction inside the face mask, mean over all held-out faces."""
    metrics = {}
    for name, faces in held_out.items():
        found = [
            (psnr_inside(answer.rgb, batch.rgb, batch.mask), ssim_inside(answer.rgb, batch.rgb, batch.mask))
            for batch, answer in _answers(network, name, faces, torch.arange(len(faces)), settings)
        ]
        psnr, ssim = (torch.cat(values) for values in zip(*found, strict=True))
        metrics[name] = {"psnr": float(psnr.mean()), "ssim": float(ssim.mean()), "faces": len(faces)}
    return metrics


def psnr_inside(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Peak signal to noise ratio where mask > 0.5, dB, (n,). Pictures (n, 3, h, w) 0..1, mask (n, 1, h, w)."""
    inside = (mask > 0.5).to(x.dtype)
    error = (inside * (x - y) ** 2).sum(dim=(1, 2, 3)) / (3 * inside.sum(dim=(1, 2, 3))).clamp_min(1)
    return -10.0 * torch.log10(error.clamp_min(1e-10))


def ssim_inside(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean structural similarity where mask > 0.5, (n,). Arguments as :func:`psnr_inside`."""
    inside = (mask > 0.5).to(x.dtype)
    return (inside * ssim_map(x, y)).sum(dim=(1, 2, 3)) / (3 * inside.sum(dim=(1, 2, 3))).clamp_min(1)


def evenly(count: int, wanted: int) -> Tensor:
    """At most ``wanted`` indices evenly spaced over ``count``, int64."""
    return torch.linspace(0, count - 1, min(count, wanted)).round().long()


@torch.no_grad()
def _answers(
    network: Network, identity: str, faces: Faces, indices: Tensor, settings: NetworkSettings
) -> Iterator[tuple[Batch, Answer]]:
    for some in torch.split(indices, _BATCH):
        batch = plain(faces.take(some), settings.input_size, settings.output_size, faces.places_of(some))
        yield batch, network.swap(batch.crops, identity)
