"""Training pictures made of crops: moved, warped, recoloured and spoilt, a whole batch at once on its device."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.training.chart import mirrored_places
from stages.training.constants import constant
from stages.training.degrade import compress, resample, smear
from stages.training.settings import AugmentationSettings

_WARP_NODES = 5
_BEST_QUALITY = 95.0
"""JPEG quality above which compression is not worth its time."""

_LUMA = (0.2126, 0.7152, 0.0722)


class Batch(NamedTuple):
    """Crops for the encoder and the truth that a decoder should give for them; float32 0..1.

    ``crops`` (n, 3, s, s); ``rgb`` (n, 3, r, r); ``mask``, ``eyes``, ``mouth`` (n, 1, r, r). ``places`` (n, 468, 2) are
    the answers' landmarks in the unit crop, of a mirrored face those that it then seems to have, or (0, 0, 2) where
    nobody told; ``mirrored`` (n,) bool.
    """

    crops: Tensor
    rgb: Tensor
    mask: Tensor
    eyes: Tensor
    mouth: Tensor
    places: Tensor
    mirrored: Tensor


def halved(batch: Batch) -> Batch:
    """The batch with its answers at half the side, by averaging; all that is no answer's picture as it is."""
    smaller = {name: F.avg_pool2d(getattr(batch, name), 2) for name in ("rgb", "mask", "eyes", "mouth")}
    return batch._replace(**smaller)


def plain(planes: Tensor, input_size: int, output_size: int, places: Tensor | None = None) -> Batch:
    """The batch as it is, only scaled by averaging; for held-out faces. Arguments as :func:`augment`."""
    faces = planes.float() / 255.0
    crops = F.interpolate(faces[:, :3], size=(input_size, input_size), mode="area")
    answers = F.interpolate(faces, size=(output_size, output_size), mode="area")
    mirrored = torch.zeros(len(planes), dtype=torch.bool, device=planes.device)
    return _batch(crops, answers, _nowhere(planes) if places is None else places, mirrored)


def augment(
    planes: Tensor,
    input_size: int,
    output_size: int,
    settings: AugmentationSettings,
    generator: torch.Generator,
    answers: Tensor | None = None,
    places: Tensor | None = None,
) -> Batch:
    """Random training pictures of the given faces. Input and answer are each sampled once, through all moves together.

    Args:
        planes: (n, 6, p, p) uint8: red, green, blue, mask, eyes, mouth, as :class:`stages.training.faces.Faces` has.
        input_size, output_size: sides s and r in pixels.
        settings: how far to go.
        generator: on the device of ``planes``; the only source of chance.
        answers: as ``planes``, the faces that a decoder should give for them; None for the same ones.
        places: (n, 468, 2) the answers' landmarks in the unit crop; None if nobody needs them.
    """
    faces = planes.float() / 255.0
    wanted = faces if answers is None else answers.float() / 255.0
    moves = _random_moves(len(planes), settings, generator)
    light = _random_gains(len(planes), settings.light, settings.light / 2, generator)
    goal = _sample(wanted, F.affine_grid(moves, [len(planes), 1, output_size, output_size], align_corners=False))
    goal = torch.cat([(goal[:, :3] * light).clamp(0, 1), goal[:, 3:]], dim=1)

    grid = F.affine_grid(moves, [len(planes), 1, input_size, input_size], align_corners=False)
    seen = _sample(faces[:, :4], grid + _random_warp(len(planes), input_size, settings.warp, generator))
    crops = _random_surroundings(seen[:, :3] * light, seen[:, 3:], settings.surroundings, generator)
    crops = _recolour(crops, settings, generator)
    noise = torch.randn(crops.shape, generator=generator, device=generator.device)
    noise = noise * _uniform((len(crops), 1, 1, 1), settings.noise, generator)
    mirrored = torch.det(moves[:, :, :2]) < 0
    moved = _nowhere(planes) if places is None else _moved(places, moves, mirrored)
    return _batch(_degrade(crops, noise, settings, generator), goal, moved, mirrored)


def _batch(crops: Tensor, answers: Tensor, places: Tensor, mirrored: Tensor) -> Batch:
    return Batch(crops, answers[:, :3], answers[:, 3:4], answers[:, 4:5], answers[:, 5:6], places, mirrored)


def _nowhere(planes: Tensor) -> Tensor:
    return torch.zeros(0, 0, 2, device=planes.device)


def _moved(places: Tensor, moves: Tensor, mirrored: Tensor) -> Tensor:
    """Where landmarks are after the moves, which tell of each place in the answer where it was, (n, 468, 2)."""
    linear, shift = moves[:, :, :2], moves[:, :, 2]
    # inv would look on the host whether it worked, and wait for the device; turns and zooms can be undone
    inverse = torch.linalg.inv_ex(linear).inverse
    there = (2 * places - 1 - shift[:, None]) @ inverse.transpose(1, 2)
    there = torch.where(mirrored[:, None, None], there[:, mirrored_places(places.device)], there)
    return (there + 1) / 2


def _sample(pictures: Tensor, grid: Tensor) -> Tensor:
    """Pictures (n, c, p, p) at a grid (n, s, s, 2) of -1..1; halved first until two pixels or fewer fall on one."""
    while pictures.shape[-1] >= 4 * grid.shape[1]:
        pictures = F.avg_pool2d(pictures, 2)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _normal(shape: tuple[int, ...], spread: float, generator: torch.Generator) -> Tensor:
    """Normal values cut at two spreads, so that no picture is ever far out."""
    values = torch.randn(shape, generator=generator, device=generator.device)
    return values.clamp_(-2, 2).mul_(spread)


def _uniform(shape: tuple[int, ...], high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device).mul_(high)


def _random_moves(count: int, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    """Similarity transforms, half of them mirrored, (n, 2, 3) in units of half the side."""
    angle = _normal((count,), math.radians(settings.rotation), generator)
    scale = torch.exp(_normal((count,), settings.zoom, generator))
    shift = 2 * _normal((count, 2), settings.shift, generator)
    mirror = torch.where(_uniform((count,), 1.0, generator) < settings.flip, -1.0, 1.0)
    cosine, sine = scale * torch.cos(angle), scale * torch.sin(angle)
    return torch.stack(
        [torch.stack([cosine * mirror, -sine, shift[:, 0]], 1), torch.stack([sine * mirror, cosine, shift[:, 1]], 1)], 1
    )


def _random_warp(count: int, size: int, spread: float, generator: torch.Generator) -> Tensor:
    """Smooth displacements from a coarse grid of random ones, (n, size, size, 2) in units of half the side."""
    nodes = 2 * _normal((count, 2, _WARP_NODES, _WARP_NODES), spread, generator)
    smooth = F.interpolate(nodes, size=(size, size), mode="bicubic", align_corners=True)
    return smooth.permute(0, 2, 3, 1)


def _random_surroundings(crops: Tensor, mask: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Crops (n, 3, s, s), some with one random colour in place of all that lies outside the mask (n, 1, s, s)."""
    colour = _uniform((len(crops), 3, 1, 1), 1.0, generator)
    chosen = (_uniform((len(crops), 1, 1, 1), 1.0, generator) < share).to(crops.dtype)
    return torch.lerp(crops, colour.expand_as(crops), (chosen * (1.0 - mask)).expand_as(crops))


def _random_gains(count: int, common: float, each: float, generator: torch.Generator) -> Tensor:
    """Gains for light (common) and its tint (each channel), (n, 3, 1, 1)."""
    return torch.exp(_normal((count, 1, 1, 1), common, generator) + _normal((count, 3, 1, 1), each, generator))


def _recolour(crops: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    """Light, tint, contrast, saturation and sharpness of what the encoder sees; (n, 3, s, s) 0..1."""
    one = (len(crops), 1, 1, 1)
    crops = crops * _random_gains(len(crops), settings.brightness, settings.balance, generator)
    luma = (crops * constant(_LUMA, crops.dtype, crops.device).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    crops = luma + (crops - luma) * torch.exp(_normal(one, settings.saturation, generator))
    crops = crops.clamp(1e-4, 1).pow(torch.exp(_normal(one, settings.gamma, generator)))
    soft = F.avg_pool2d(F.pad(crops, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return torch.lerp(crops, soft, _uniform(one, settings.blur, generator))


def _degrade(crops: Tensor, noise: Tensor, settings: AugmentationSettings, generator: torch.Generator) -> Tensor:
    """Crops (n, 3, s, s) as lens, sensor, scaling and codec would leave them, in that order.

    Chance is drawn for all of it, whatever the settings are: switching one fault off leaves the others as they were.
    """
    smeared, resampled, compressed, along, across, angle, shrinking, loss = _uniform((8, len(crops)), 1.0, generator)
    if settings.smear:
        spread = settings.smear_spread * crops.shape[-1]
        soft = smear(crops, spread * along, spread * along * across, math.pi * angle, math.ceil(3 * spread))
        crops = _where(smeared < settings.smear, soft, crops)
    crops = (crops + noise).clamp(0, 1)
    if settings.resampling:
        factor = settings.resampling_factor**shrinking  # half of the pictures by less than its root
        crops = _where(resampled < settings.resampling, resample(crops, factor), crops)
    if settings.compression:
        quality = _BEST_QUALITY - (_BEST_QUALITY - settings.compression_quality) * loss
        crops = _where(compressed < settings.compression, compress(crops, quality), crops)
    return crops


def _where(chosen: Tensor, pictures: Tensor, others: Tensor) -> Tensor:
    """Those pictures (n, c, h, w) that are chosen (n,), and the others' for the rest."""
    return torch.where(chosen.view(-1, 1, 1, 1), pictures, others)
