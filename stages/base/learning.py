"""Training that is not a pair's, from its first iteration or its last checkpoint to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from stages.progress import bar
from stages.training.checkpoint import CheckpointFolder
from stages.training.settings import OptimiserSettings
from stages.training.state import State

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def taught(state: State[NetworkT], loss: Tensor, settings: OptimiserSettings) -> Tensor:
    """One step down a loss, whose gradient is cut to length; the average follows. The loss without its graph."""
    state.optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(state.network.parameters(), settings.clip)
    state.optimiser.step()
    state.progress.iteration += 1
    state.average_in(settings.average)
    return loss.detach()


def learnt(
    state: State[NetworkT],
    step: Callable[[], Tensor],
    checkpoints: CheckpointFolder,
    iterations: int,
    *,
    what: str,
    kept_every: int,
    told_every: int,
) -> NetworkT:
    """Train to the last iteration, from the last checkpoint if there is one; the averaged network.

    Args:
        state: what is trained.
        step: one iteration; gives its loss.
        checkpoints: where the last state is kept.
        iterations: in all.
        what: the work in a word, for the bar.
        kept_every, told_every: iterations between two checkpoints, and between two losses on the bar.
    """
    kept = checkpoints.read()
    if kept is not None:
        state.restore(kept)
    total = 0.0
    with bar(total=iterations, what=what, unit="it", initial=state.progress.iteration) as shown:
        while state.progress.iteration < iterations:
            total += float(step())
            shown.update()
            done = state.progress.iteration
            if done % told_every == 0:
                shown.set_postfix_str(f"loss {total / told_every:.4f}")
                total = 0.0
            if done % kept_every == 0:
                checkpoints.write(state.snapshot())
    return state.average
