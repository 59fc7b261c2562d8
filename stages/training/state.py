"""All that training carries from one iteration to the next, as tensors and facts that can be kept and put back."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

import torch
from torch import Tensor, nn
from typing_extensions import TypeVar

from stages.training.adversary import PatchCritic
from stages.training.compiling import compiled
from stages.training.networks import Network, build_network
from stages.training.networks.gains import KERNEL, add_gains
from stages.training.processes import ALONE, Processes
from stages.training.settings import AdversarySettings, OptimiserSettings, PresetSettings
from stages.training.warm_start import warm_start

if TYPE_CHECKING:
    from stages.training.losses.identity import IdentityDistance

NetworkT = TypeVar("NetworkT", bound=nn.Module, default=Network)

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class Snapshot:
    """A state at one moment: copies of its named tensors, contiguous, and facts that JSON can hold."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def on_cpu(self) -> Snapshot:
        """The same with all tensors on the CPU."""
        return Snapshot({name: tensor.cpu() for name, tensor in self.tensors.items()}, self.facts)


@dataclass(frozen=True)
class _Shares:
    """Of the learning rate, where a network starts from the base: the encoder's, and that of the decoders' kernels."""

    encoder: float = 1.0
    kernels: float = 1.0

    def of(self, name: str) -> float:
        """That of a parameter, by its name."""
        if name.startswith("encoder."):
            return self.encoder
        return self.kernels if name.endswith(KERNEL) else 1.0


_WHOLE = _Shares()


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


class State(Generic[NetworkT]):
    """Network, averaged network, optimiser and progress; the critic and its optimiser where it has a weight.

    ``identity_distance`` is there where its term has a weight; it is frozen, so no snapshot holds it.

    Chance needs no keeping: every batch's randomness is made from the seed, the iteration and the setbacks.

    Args:
        identities: names, each gets a decoder.
        preset: how to train.
        seed: of the first weights.
        device: where to compute.
        processes: who trains together.
        compile: the passes of training; the averaged network's stay as they are.

    Raises:
        Problem: the preset's base is missing, damaged or of other sizes; so is the recogniser that its loss needs.
    """

    forward: Callable[..., Any]
    critic: PatchCritic | None
    critic_optimiser: torch.optim.AdamW
    identity_distance: IdentityDistance | None

    def __init__(
        self: State[Network],
        identities: Sequence[str],
        preset: PresetSettings,
        seed: int,
        device: torch.device,
        processes: Processes = ALONE,
        *,
        compile: bool = False,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = build_network(identities, preset.network)
        shares = _WHOLE
        if preset.base is not None:
            warm_start(network, preset.base.path)
            shares = _Shares(preset.base.encoder_rate, preset.base.decoder_rate)
        self._adopt(network, preset.optimiser, device, shares, processes)
        if compile:
            # a wrapper beside the network, whose own names stay as they are
            self.forward = compiled(self.forward)
        if preset.adversary.weight:
            self.critic = _critic(preset.adversary, seed, device)
            self.critic_optimiser = _optimiser(self.critic, _critic_optimiser_settings(preset.adversary))
        if preset.losses.identity:
            self.identity_distance = _identity_distance(device)

    @classmethod
    def of(cls, network: NetworkT, settings: OptimiserSettings, device: torch.device) -> State[NetworkT]:
        """The state of a given network before its first iteration."""
        state: State[NetworkT] = cls.__new__(cls)
        state._adopt(network, settings, device, _WHOLE, ALONE)
        return state

    def _adopt(
        self,
        network: NetworkT,
        settings: OptimiserSettings,
        device: torch.device,
        shares: _Shares,
        processes: Processes,
    ) -> None:
        if shares.encoder == 0.0:
            network.get_submodule("encoder").requires_grad_(False)
        if shares.kernels < 1.0:
            add_gains(network.get_submodule("decoders"))
        if shares.kernels == 0.0:
            for name, parameter in network.named_parameters():
                parameter.requires_grad_(parameter.requires_grad and not name.endswith(KERNEL))
        # torch's stubs do not know the memory format; kernels are quicker in this one.
        self.network: NetworkT = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forward = processes.replicate(self.network)
        self.average: NetworkT = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = _optimiser(self.network, settings, shares)
        self.critic = None
        self.identity_distance = None
        self.progress = Progress()

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next iteration; the encoder's keeps its share of it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]

    @torch.no_grad()
    def average_in(self, decay: float) -> None:
        """Move the averaged weights towards the present ones; faster at the start, when there is little to keep."""
        done = self.progress.iteration
        pull = 1.0 - min(decay, (1 + done) / (10 + done))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), pull)

    def size_in_bytes(self) -> int:
        """Of all tensors, which is about that of a checkpoint."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._tensors().values())

    def is_finite(self) -> bool:
        """Whether no weight, average or moment is infinite or no number."""
        return bool(torch.stack([torch.isfinite(tensor).all() for tensor in self._tensors().values()]).all())

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
        named |= _moments("optimiser", self.network, self.optimiser)
        if self.critic is not None:
            named |= {f"critic.{name}": value for name, value in self.critic.state_dict().items()}
            named |= _moments("critic_optimiser", self.critic, self.critic_optimiser)
        return named


def _trained(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]


def _moments(prefix: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{prefix}.{name}.{moment}": optimiser.state[parameter][moment]
        for name, parameter in _trained(network)
        for moment in _MOMENTS
    }


def _identity_distance(device: torch.device) -> IdentityDistance:
    # here, as insightface comes with it, which takes seconds to import
    from stages.training.losses.identity import IdentityDistance

    return IdentityDistance.open(device)


def _critic(settings: AdversarySettings, seed: int, device: torch.device) -> PatchCritic:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PatchCritic(settings).to(device)


def _critic_optimiser_settings(settings: AdversarySettings) -> OptimiserSettings:
    """No momentum and no decay, as is usual where two networks chase each other (Brock et al. 2019)."""
    return OptimiserSettings(learning_rate=settings.learning_rate, betas=(0.0, 0.99), weight_decay=0.0)


def _optimiser(network: nn.Module, settings: OptimiserSettings, shares: _Shares = _WHOLE) -> torch.optim.AdamW:
    """AdamW whose moments exist from the start, so that every snapshot has the same names."""
    kinds: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in _trained(network):
        of_texture = name.endswith(".texture")
        share = settings.texture_rate if of_texture else shares.of(name)
        kinds.setdefault((share, parameter.ndim > 1 and not of_texture), []).append(parameter)
    groups = [
        {"params": parameters, "weight_decay": settings.weight_decay if decayed else 0.0, "share": share}
        for (share, decayed), parameters in kinds.items()
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)
    for _, parameter in _trained(network):
        optimiser.state[parameter] = {
            "step": torch.zeros((), device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimiser


def learning_rate(iteration: int, iterations: int, settings: OptimiserSettings) -> float:
    """The rate for an iteration (from 0): a straight warm-up, then half a cosine that would be 0 after the last.

    The warm-up is a quarter of all at most: a short budget is to come down, too.
    """
    warm_up = min(settings.warm_up, iterations // 4)
    if iteration < warm_up:
        return settings.learning_rate * (iteration + 1) / warm_up
    turn = (iteration - warm_up) / max(iterations - warm_up, 1)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(turn, 1.0)))
