"""The run: iterate, look at the losses now and then, keep checkpoints, end when there is a reason to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

import torch

from stages.problems import Problem
from stages.progress import bar
from stages.training.checkpoint import CheckpointFolder, CheckpointWriter
from stages.training.faces import Faces
from stages.training.guard import Guard, running_mean
from stages.training.judge import held_out_losses
from stages.training.processes import ALONE, Processes
from stages.training.settings import PresetSettings
from stages.training.state import State, learning_rate
from stages.training.step import Step
from stages.training.stopping import Reason, reason_to_end

log = logging.getLogger(__name__)


class Training:
    """One pair's training.

    Args:
        train, held_out: faces of each identity, on the device where the state is.
        preset: how to train; batch and iterations in numbers.
        seed: of the batches.
        checkpoints: where the last good state is kept.
        checkpoint_seconds: least time between two of them; has no influence on the result.
        on_interval: called before each stretch of iterations; what it raises ends the run.
        on_noted: called with the state whenever the curve has got a row.
        on_judged: called with the state after that, whenever it was tried on held-out faces.
        processes: who trains together; all must come to the same state, the first one writes.
    """

    def __init__(
        self,
        train: Mapping[str, Faces],
        held_out: Mapping[str, Faces],
        preset: PresetSettings,
        seed: int,
        checkpoints: CheckpointFolder,
        *,
        checkpoint_seconds: float = 30.0,
        on_interval: Callable[[], object] = lambda: None,
        on_noted: Callable[[State], None] = lambda state: None,
        on_judged: Callable[[State], None] = lambda state: None,
        processes: Processes = ALONE,
    ) -> None:
        self._step = Step(train, preset, seed, processes)
        self._held_out, self._preset = held_out, preset
        self._checkpoints, self._checkpoint_seconds = checkpoints, checkpoint_seconds
        self._on_interval = on_interval
        self._on_noted, self._on_judged, self._processes = on_noted, on_judged, processes

    def run(self, state: State, what: str = "training") -> Reason:
        """Train until there is a reason to end, from the last checkpoint if there is one.

        Checkpoints hold states that the guard has found good, and nothing but the state decides how training goes on:
        killed at any moment, it ends in the same weights as an unbroken run.

        Args:
            state: fresh; ends trained.
            what: the bar's label.

        Returns:
            Why it ended.

        Raises:
            Problem: training breaks again and again, the disk is full, or ``on_interval`` says so.
        """
        writes = self._processes.first
        kept = self._checkpoints.read()
        self._processes.wait()
        if writes:
            self._checkpoints.clear_halves()
        if kept is not None:
            state.restore(kept)
            log.info("goes on from iteration %d of %d", state.progress.iteration, self._preset.iterations)
        self._require_one_state(state)
        guard = Guard(state, self._preset.guard)
        begun = time.monotonic()
        with (
            CheckpointWriter(self._checkpoints) as writer,
            bar(
                total=self._preset.iterations,
                what=what,
                unit="it",
                initial=state.progress.iteration,
                hidden=not writes,
            ) as shown,
        ):
            while (reason := reason_to_end(state.progress, self._preset)) is None:
                self._on_interval()
                losses = self._interval(state, shown.update)
                loss = sum(losses.values()) / len(losses)
                if guard.is_broken(state, loss):
                    guard.go_back(state, loss)
                    shown.n = state.progress.iteration
                    continue
                state.progress.mean_loss = running_mean(state.progress.mean_loss, loss)
                self._note(state, losses)
                guard.keep(state)
                shown.set_postfix_str(", ".join(f"{name} {each:.3f}" for name, each in losses.items()))
                due = writes and writer.look() and time.monotonic() - begun >= self._checkpoint_seconds
                if due and writer.offer(guard.good):
                    begun = time.monotonic()
            if writes:
                writer.finish(guard.good)
        return reason

    @staticmethod
    def _device(state: State) -> torch.device:
        return next(state.network.parameters()).device

    def _require_one_state(self, state: State) -> None:
        """Machines that do not see the same checkpoints would average gradients of different states."""
        own, device = state.progress.iteration, self._device(state)
        (first,) = self._processes.of_first([own], device)
        if own != first:
            raise Problem(
                f"this process would go on from iteration {own}, the first one from {first}",
                where=self._checkpoints.folder,
                mend="let all machines share one working tree, with its folder .scratch",
            )

    def _interval(self, state: State, tick: Callable[[], object]) -> dict[str, float]:
        """Iterate to the next look; the mean loss of each identity.

        The losses are asked for only at the end. Until then each iteration copies to a GPU which faces it takes and
        which are drawn as the other one, without waiting; it does wait where faces have no room there, for their
        planes.
        """
        every = self._preset.check_every
        first = state.progress.iteration
        last = min((first // every + 1) * every, self._preset.iterations)
        sums: dict[str, torch.Tensor] = {}
        for _ in range(first, last):
            for name, loss in self._step(state).items():
                sums[name] = sums[name] + loss if name in sums else loss
            tick()
        totals = self._processes.mean(torch.stack(list(sums.values())))
        return {name: float(total) / (last - first) for name, total in zip(sums, totals, strict=True)}

    def _note(self, state: State, losses: Mapping[str, float]) -> None:
        """Add a row to the curve; with held-out losses where they are due."""
        progress, preset = state.progress, self._preset
        done = progress.iteration
        row = {
            "iteration": done,
            "loss": sum(losses.values()) / len(losses),
            "learning_rate": progress.rate * learning_rate(done - 1, preset.iterations, preset.optimiser),
        }
        row |= {f"train_{name}": loss for name, loss in losses.items()}
        due = done % preset.judge_every < preset.check_every or done == preset.iterations
        if due:
            held_out = held_out_losses(state.average, self._held_out, preset, state.identity_distance)
            # processes must agree when it is time to stop: their last digits may not
            told = self._processes.mean(
                torch.tensor(list(held_out.values()), dtype=torch.float64, device=self._device(state))
            )
            held_out = dict(zip(held_out, told.tolist(), strict=True))
            row |= {f"held_out_{name}": loss for name, loss in held_out.items()}
        progress.curve.append(row)
        if self._processes.first:
            self._on_noted(state)
            if due:
                self._on_judged(state)
