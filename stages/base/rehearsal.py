"""Training the base: a scene is seen as one performer plays it, and asked for as another one does.

Since the right answer is known for every two performers, the encoder learns what a face does, and less of whose it is
than two people's footage alone would teach it.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor

from stages.base.learning import learnt, taught
from stages.base.recipe import Recipe
from stages.base.scenes import Played
from stages.training.augment import Batch, augment
from stages.training.checkpoint import CheckpointFolder
from stages.training.losses import loss_terms
from stages.training.networks.ensemble import EnsembleNetwork
from stages.training.state import State, learning_rate

log = logging.getLogger(__name__)

_CHECKPOINT_EVERY = 250
_TOLD_EVERY = 25


class Rehearsal:
    """Trains an ensemble on the troupes' scenes.

    Args:
        played: all troupes' scenes, see :func:`stages.base.footage.read`.
        recipe: how.
        checkpoints: where the last state is kept.
        device: where to compute.
    """

    def __init__(self, played: Played, recipe: Recipe, checkpoints: CheckpointFolder, device: torch.device) -> None:
        self._planes, self._places = torch.from_numpy(played.planes), torch.from_numpy(played.places)
        self._recipe, self._device = recipe, device
        self._checkpoints = checkpoints
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = EnsembleNetwork(recipe.troupes * recipe.cast, recipe.network)
        self.state: State[EnsembleNetwork] = State.of(network, recipe.optimiser, device)

    def run(self) -> EnsembleNetwork:
        """Train to the last iteration, from the last checkpoint if there is one; the averaged network."""
        return learnt(
            self.state,
            self.step,
            self._checkpoints,
            self._recipe.iterations,
            what="base",
            kept_every=_CHECKPOINT_EVERY,
            told_every=_TOLD_EVERY,
        )

    def step(self) -> Tensor:
        """One iteration; its loss."""
        recipe, state = self._recipe, self.state
        state.set_rate(learning_rate(state.progress.iteration, recipe.iterations, recipe.optimiser))
        batch, who = self.batch(state.progress.iteration)
        crops = batch.crops.contiguous(memory_format=torch.channels_last)
        answer = state.network(crops, who, batch.mirrored)
        loss = torch.stack(list(loss_terms(answer, batch, recipe.losses).values())).sum()
        return taught(state, loss, recipe.optimiser)

    def batch(self, iteration: int) -> tuple[Batch, Tensor]:
        """The batch of an iteration and whose likenesses it asks for, (n,) int64; of seed and iteration only."""
        recipe = self._recipe
        chance = np.random.default_rng([recipe.seed, iteration])
        count = recipe.batch
        troupe, scene = chance.integers(recipe.troupes, size=count), chance.integers(recipe.scenes, size=count)
        seen = chance.integers(recipe.cast, size=count)
        other = (seen + chance.integers(1, recipe.cast, size=count)) % recipe.cast
        asked = np.where(chance.random(count) < recipe.same, seen, other)
        generator = torch.Generator(self._device)
        generator.manual_seed(int(chance.integers(2**63 - 1)))
        sizes = recipe.network
        batch = augment(
            self._planes[troupe, scene, seen].to(self._device),
            sizes.input_size,
            sizes.output_size,
            recipe.augmentation,
            generator,
            answers=self._planes[troupe, scene, asked].to(self._device),
            places=self._places[troupe, scene, asked].to(self._device),
        )
        return batch, torch.from_numpy(troupe * recipe.cast + asked).to(self._device)
