"""All that training carries from one iteration to the next, as tensors and facts that can be kept and put back."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from stages.training.networks import SwapNetwork
from stages.training.processes import ALONE, Processes
from stages.training.settings import OptimiserSettings, PresetSettings

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Snapshot:
    """A state at one moment: copies of its named tensors, contiguous, and facts that JSON can hold."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def on_cpu(self) -> Snapshot:
        """The same with all tensors on the CPU."""
        return Snapshot({name: tensor.cpu() for name, tensor in self.tensors.items()}, self.facts)


@dataclass
class Progress:
    """What is known beside the weights.

    Attributes:
        iteration: how many are done.
        setbacks: how often training went back to an earlier state.
        rate: factor on the learning rate, below 1 after setbacks.
        mean_loss: running mean, None before the first look.
        curve: a row per look: iteration, learning rate, losses.
    """

    iteration: int = 0
    setbacks: int = 0
    rate: float = 1.0
    mean_loss: float | None = None
    curve: list[dict[str, float]] = field(default_factory=list)


class State:
    """Network, averaged network, optimiser and progress.

    Chance needs no keeping: every batch's randomness is made from the seed, the iteration and the setbacks.

    Args:
        identities: names, each gets a decoder.
        preset: how to train.
        seed: of the first weights.
        device: where to compute.
        processes: who trains together.
    """

    def __init__(
        self,
        identities: Sequence[str],
        preset: PresetSettings,
        seed: int,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = SwapNetwork(identities, preset.network)
        # torch's stubs do not know the memory format; kernels are quicker in this one.
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forward = processes.replicate(self.network)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = _optimiser(self.network, preset.optimiser)
        self.progress = Progress()

    @torch.no_grad()
    def average_in(self, decay: float) -> None:
        """Move the averaged weights towards the present ones; faster at the start, when there is little to keep."""
        done = self.progress.iteration
        pull = 1.0 - min(decay, (1 + done) / (10 + done))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), pull)

    def size_in_bytes(self) -> int:
        """Of all tensors, which is about that of a checkpoint."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._tensors().values())

    def snapshot(self) -> Snapshot:
        """A copy of everything, where the state is: the device need not be waited for."""
        tensors = {
            name: tensor.detach().clone(memory_format=torch.contiguous_format)
            for name, tensor in self._tensors().items()
        }
        return Snapshot(tensors, {**vars(self.progress), "curve": [dict(row) for row in self.progress.curve]})

    def restore(self, snapshot: Snapshot) -> None:
        """Become the state that the snapshot was taken of.

        Raises:
            KeyError: the snapshot is of another network.
        """
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(snapshot.tensors[name])
        self.progress = Progress(**{**snapshot.facts, "curve": [dict(row) for row in snapshot.facts["curve"]]})

    def _tensors(self) -> dict[str, Tensor]:
        named = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        named |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for moment in _MOMENTS:
                named[f"optimiser.{name}.{moment}"] = self.optimiser.state[parameter][moment]
        return named


def _optimiser(network: nn.Module, settings: OptimiserSettings) -> torch.optim.AdamW:
    """AdamW whose moments exist from the start, so that every snapshot has the same names."""
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)
    for parameter in network.parameters():
        optimiser.state[parameter] = {
            "step": torch.zeros((), device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimiser


def learning_rate(iteration: int, iterations: int, settings: OptimiserSettings) -> float:
    """The rate for an iteration (from 0): a straight warm-up, then half a cosine that would be 0 after the last."""
    if iteration < settings.warm_up:
        return settings.learning_rate * (iteration + 1) / settings.warm_up
    turn = (iteration - settings.warm_up) / max(iterations - settings.warm_up, 1)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(turn, 1.0)))
