"""One iteration of training: draw, augment, reconstruct, compare, move the weights."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from stages.training.adversary import adversary_weight, critic_loss, fooling_term
from stages.training.augment import Batch, augment
from stages.training.back_translation import beginning, chosen_rows, drawn_as_each_other
from stages.training.faces import Faces
from stages.training.losses import loss_terms, sides_term
from stages.training.processes import ALONE, Processes
from stages.training.sampler import Sampler, weights_of
from stages.training.settings import PresetSettings
from stages.training.state import State, learning_rate


class Step:
    """Trains a state on the faces of all its identities, one iteration at a call.

    Args:
        faces: the training faces of each identity, on the state's device; the pair's two first.
        preset: how to train.
        seed: of all chance; an iteration's batch depends on it, the iteration and the setbacks only.
        processes: who trains together; each sees its share of every batch.

    Raises:
        ValueError: the preset's batch is still to be settled.
    """

    def __init__(
        self, faces: Mapping[str, Faces], preset: PresetSettings, seed: int, processes: Processes = ALONE
    ) -> None:
        self._faces, self._preset, self._seed = faces, preset, seed
        self._processes = processes
        if preset.batch == "auto":
            raise ValueError("the batch must be settled first, see stages.training.plan")
        batch = preset.batch
        self._samplers = {
            name: Sampler(
                weights_of(some.pose, some.expression, preset.pose_balance, preset.expression_balance),
                batch,
                seed,
                stream,
            )
            for stream, (name, some) in enumerate(faces.items())
        }

    def batches(self, iteration: int, setbacks: int) -> dict[str, Batch]:
        """The whole augmented batch of each identity at an iteration."""
        preset, network = self._preset, self._preset.network
        batches = {}
        for stream, (name, faces) in enumerate(self._faces.items()):
            drawn = torch.from_numpy(self._samplers[name].draw(iteration))
            generator = torch.Generator(faces.device)
            generator.manual_seed(_mixed(self._seed, stream, setbacks, iteration))
            batches[name] = augment(
                faces.take(drawn),
                network.input_size,
                network.output_size,
                preset.augmentation,
                generator,
                places=faces.places_of(drawn) if network.texture else None,
            )
        return batches

    def __call__(self, state: State) -> dict[str, Tensor]:
        """One iteration; returns each identity's loss over this process's share, not yet waited for.

        The critic's say is not part of it: its scale is the critic's own, and curves go on as before when it joins. Nor
        are smaller pictures: curves compare with and without.
        """
        preset, progress = self._preset, state.progress
        state.set_rate(progress.rate * learning_rate(progress.iteration, preset.iterations, preset.optimiser))
        batches = {
            name: self._processes.share(batch)
            for name, batch in self.batches(progress.iteration, progress.setbacks).items()
        }
        with passes_in(preset.precision, next(iter(batches.values())).crops.device):
            batches, drawn = self._drawn(state, batches)
            crops = {name: batch.crops.contiguous(memory_format=torch.channels_last) for name, batch in batches.items()}
            answers = state.forward(crops, {name: batch.mirrored for name, batch in batches.items()}, drawn)
        answers = {name: answer.float() for name, answer in answers.items()}
        losses = {
            name: torch.stack(
                list(loss_terms(answers[name], batch, preset.losses, state.identity_distance).values())
            ).sum()
            for name, batch in batches.items()
        }
        total = torch.stack(list(losses.values())).sum()
        if preset.network.side_outputs:
            sides = [sides_term(answers[name], batch, preset.losses) for name, batch in batches.items()]
            total = total + torch.stack(sides).sum()
        say = adversary_weight(progress.iteration, preset.iterations, preset.adversary)
        critic = state.critic if say else None
        if critic is not None:
            total = total + say * fooling_term(critic, answers, batches)
        state.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        nn.utils.clip_grad_norm_(state.network.parameters(), preset.optimiser.clip)
        state.optimiser.step()
        if critic is not None:
            _lower(
                critic_loss(critic, answers, batches),
                state.critic_optimiser,
                progress.rate * preset.adversary.learning_rate,
            )
        progress.iteration += 1
        state.average_in(preset.optimiser.average)
        return {name: loss.detach() for name, loss in losses.items()}

    def _drawn(self, state: State, batches: dict[str, Batch]) -> tuple[dict[str, Batch], dict[str, Tensor] | None]:
        """The batches, some crops drawn as the other one of the pair where it is time for that, and which, (n,) bool.

        It is the averaged network that draws: it does so best.
        """
        settings, done = self._preset.back_translation, state.progress.iteration
        if not settings.share or done < beginning(self._preset.iterations, settings):
            return batches, None
        crops = next(iter(batches.values())).crops
        rows = chosen_rows(settings.share, len(crops), self._processes)
        return drawn_as_each_other(state.average, batches, rows)


def passes_in(precision: Literal["float32", "bfloat16"], device: torch.device) -> AbstractContextManager[object]:
    """Where passes are computed in a precision; bfloat16 needs no scaling of the loss, and no CPU is given it."""
    if precision == "bfloat16" and device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def _lower(loss: Tensor, optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()


def _mixed(*numbers: int) -> int:
    """One 63-bit seed out of several small numbers (SplitMix64's finaliser over each in turn)."""
    mixed = 0
    for number in numbers:
        mixed = (mixed + number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 31
    return mixed >> 1
