"""Notices a broken training, goes back to the last good state with a lower rate, and gives up in the end."""

from __future__ import annotations

import logging
import math
from typing import Final

from stages.problems import Problem
from stages.training.settings import GuardSettings
from stages.training.state import Snapshot, State

log = logging.getLogger(__name__)

_MEMORY = 0.8
"""Decay of the running mean loss per look."""

SNAPSHOTS: Final = 3
"""Copies of the state at once, at most: the last good one stays until the next is whole, and a slow disk may still be
writing the one before."""


class Guard:
    """Judges each interval's mean loss and keeps the last state that was good.

    Args:
        state: what is trained; its present state counts as good.
        settings: what counts as broken.
    """

    def __init__(self, state: State, settings: GuardSettings) -> None:
        self._settings = settings
        self.good: Snapshot = state.snapshot()

    def is_broken(self, state: State, loss: float) -> bool:
        """Whether an interval's mean loss is not finite or far above the usual, or the state is not finite.

        The last step of an interval is in the state, but in no loss yet.
        """
        usual = state.progress.mean_loss
        if not math.isfinite(loss) or (usual is not None and loss > self._settings.jump * usual):
            return True
        return not state.is_finite()

    def keep(self, state: State) -> None:
        """Remember the state as good."""
        self.good = state.snapshot()

    def go_back(self, state: State, loss: float) -> None:
        """Put the state back to the last good one and slow it down.

        Raises:
            Problem: it was put back as often as the settings allow.
        """
        broken_at = state.progress.iteration
        state.restore(self.good)
        progress = state.progress
        if progress.setbacks >= self._settings.retries:
            raise Problem(
                f"training broke {progress.setbacks + 1} times, last at iteration {broken_at} with loss {loss:g}",
                where="training.presets: optimiser.learning_rate",
                mend="lower it; if it breaks again, look for damaged crops in the face sets' contact sheets",
            )
        progress.setbacks += 1
        progress.rate *= self._settings.slow_down
        self.keep(state)
        log.warning(
            "loss %g at iteration %d: back to iteration %d with the learning rate times %g",
            loss,
            broken_at,
            progress.iteration,
            progress.rate,
        )


def running_mean(usual: float | None, loss: float) -> float:
    """The mean loss after one more interval."""
    return loss if usual is None else _MEMORY * usual + (1 - _MEMORY) * loss
