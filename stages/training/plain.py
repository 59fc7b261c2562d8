"""The yardstick's training, written the way it usually is: eager torch in float32, pictures augmented one by one.

Only :mod:`stages.training.bench` trains with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.training.losses import ssim_map
from stages.training.networks import Original
from stages.training.settings import NetworkSettings

Picture = NDArray[np.uint8]

LEARNING_RATE = 5e-5
_WARP_NODES = 5
_WARP_SPREAD = 5 / 256
"""Standard deviation of the nodes' shifts, in sides."""


class PlainTraining:
    """The classic of 64 pixels with Adam at 5e-5 on 1 - SSIM plus the mean squared error; no mask is learnt.

    Args:
        pictures: crops of each identity, (n, p, p, 3) uint8 RGB, in memory.
        network: sizes; of the family ``original``.
        batch: crops of each identity an iteration.
        device: where the network is; pictures are augmented on the CPU.
        seed: of weights and pictures.
    """

    def __init__(
        self, pictures: Mapping[str, Picture], network: NetworkSettings, batch: int, device: torch.device, seed: int = 0
    ) -> None:
        self._pictures, self._size, self._batch, self._device = pictures, network.output_size, batch, device
        self._chance = np.random.default_rng(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = Original(list(pictures), network).to(device)
        self._optimiser = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)

    def batches(self) -> dict[str, tuple[Tensor, Tensor]]:
        """For each identity warped pictures and what they should become, (batch, 3, size, size) 0..1."""
        return {name: self._pairs(pictures) for name, pictures in self._pictures.items()}

    def step(self) -> float:
        """One iteration; its loss."""
        total = torch.zeros((), device=self._device)
        for name, (warped, wanted) in self.batches().items():
            found = self.network.decoders[name].get_submodule("rgb")(self.network.encoder(warped))
            total = total + (1 - ssim_map(found, wanted)).mean() + (found - wanted).square().mean()
        self._optimiser.zero_grad()
        torch.autograd.backward(total)
        self._optimiser.step()
        return float(total.detach())

    def _pairs(self, pictures: Picture) -> tuple[Tensor, Tensor]:
        drawn = self._chance.integers(len(pictures), size=self._batch)
        pairs = [augmented(pictures[one], self._size, self._chance) for one in drawn]
        return self._on_device([warped for warped, _ in pairs]), self._on_device([wanted for _, wanted in pairs])

    def _on_device(self, pictures: Sequence[Picture]) -> Tensor:
        planes = np.stack(pictures).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(planes)).to(self._device).float() / 255.0


def augmented(picture: Picture, size: int, chance: np.random.Generator) -> tuple[Picture, Picture]:
    """One picture (p, p, 3) uint8 RGB as a warped and an unwarped training picture, each (size, size, 3).

    Colour in LAB and local contrast, then turn by 10 degrees, zoom and shift by 5 %, mirror; the input alone is warped
    by a grid of 5 x 5 nodes.
    """
    moved = _moved(_recoloured(picture, chance), chance)
    if chance.random() < 0.5:
        moved = moved[:, ::-1]
    return _scaled(_warped(moved, chance), size), _scaled(moved, size)


def _scaled(picture: Picture, size: int) -> Picture:
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _recoloured(picture: Picture, chance: np.random.Generator) -> Picture:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    lightness, a, b = chance.uniform(-1, 1, 3) * (0.3, 0.08, 0.08)
    lab[..., 0] *= 1 + lightness
    lab[..., 1:] += np.array([a, b], np.float32) * 255
    changed = lab.clip(0, 255).astype(np.uint8)
    if chance.random() < 0.5:
        changed[..., 0] = cv2.createCLAHE(2.0, (4, 4)).apply(np.ascontiguousarray(changed[..., 0]))
    return np.asarray(cv2.cvtColor(changed, cv2.COLOR_LAB2RGB), np.uint8)


def _moved(picture: Picture, chance: np.random.Generator) -> Picture:
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), chance.uniform(-10, 10), chance.uniform(0.95, 1.05))
    matrix[:, 2] += chance.uniform(-0.05, 0.05, 2) * side
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _warped(picture: Picture, chance: np.random.Generator) -> Picture:
    side = picture.shape[0]
    nodes = np.linspace(0, side - 1, _WARP_NODES, dtype=np.float32)
    large, cut = round(1.25 * side), round(0.125 * side)
    maps = []
    for straight in np.meshgrid(nodes, nodes):
        bent = straight + chance.normal(0, _WARP_SPREAD * side, straight.shape).astype(np.float32)
        maps.append(cv2.resize(bent, (large, large))[cut : cut + side, cut : cut + side])
    return np.asarray(cv2.remap(picture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
