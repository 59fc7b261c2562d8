"""Training the network: crops of chance, and what is visible of the face in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from stages.base.learning import learnt, taught
from stages.training.checkpoint import CheckpointFolder
from stages.training.settings import OptimiserSettings
from stages.training.state import State, learning_rate
from stages.visibility import footage
from stages.visibility.filming import creased, filmed, other_face
from stages.visibility.masquerade import Example, cut_off, cut_out, moved, relit, repainted, shape, smeared
from stages.visibility.network import VisibilityNetwork
from stages.visibility.recipe import Recipe

_CHECKPOINT_EVERY = 100
_TOLD_EVERY = 20
_BARE = 0.3  # share of crops that start without a covering
_GRIMACING = 0.7  # share of these that are grimaces
_CUT_OUT, _SHAPE = 0.3, 0.4  # chance of something of another face, and of a shape of chance, before a crop
_REPAINTED = 0.4  # share of things that get another colour
_OTHER = 0.5  # share of faces that get other proportions
_CREASED = 0.4  # share of crops with lines and blotches that cover nothing
_SMEARED = 0.15  # share of crops that are taken with a slow shutter
_CUT_OFF = 0.15  # share of crops that reach out of the picture
_FILMED = 0.35  # share of crops that a worse camera takes than any that was rendered


class Lessons:
    """Trains a network on the performers that are not held out.

    Args:
        recipe: how.
        renders: where the crops lie.
        checkpoints: where the last state is kept.
    """

    def __init__(self, recipe: Recipe, renders: Path, checkpoints: CheckpointFolder) -> None:
        seen = [footage.read(renders, number) for number in range(recipe.performers)]
        self._rgb, self._face, self._cover, self._hull = (np.stack([one[k] for one in seen]) for k in range(4))
        bare = [footage.read_bare(renders, number) for number in range(recipe.performers if recipe.grimaces else 0)]
        self._bare = [np.stack([one[k] for one in bare]) for k in range(4)] if bare else None
        self._recipe, self._checkpoints = recipe, checkpoints
        self._optimiser = OptimiserSettings(
            learning_rate=recipe.learning_rate, warm_up=recipe.warm_up, average=recipe.average
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = VisibilityNetwork(recipe.channels)
        self.state: State[VisibilityNetwork] = State.of(network, self._optimiser, torch.device("cpu"))

    def run(self) -> VisibilityNetwork:
        """Train to the last iteration, from the last checkpoint if there is one; the averaged network."""
        return learnt(
            self.state,
            self.step,
            self._checkpoints,
            sum(self._recipe.iterations),
            what="visibility",
            kept_every=_CHECKPOINT_EVERY,
            told_every=_TOLD_EVERY,
        )

    def step(self) -> Tensor:
        """One iteration; its loss."""
        state = self.state
        state.set_rate(self._rate(state.progress.iteration))
        crops, face, cover, hull = self.batch(state.progress.iteration)
        logits = state.network(crops.contiguous(memory_format=torch.channels_last))
        cycle, _ = self._cycle(state.progress.iteration)
        outside = self._recipe.outside[cycle]
        weight = outside + (1.0 - outside) * hull
        loss = loss_of(logits, face, cover, weight, self._recipe.before[cycle])
        overlap = self._recipe.overlap[cycle]
        if overlap:
            loss = loss + overlap * missed_overlap(logits, face, cover, weight)
        return taught(state, loss, self._optimiser)

    def _rate(self, iteration: int) -> float:
        """The learning rate: a cosine that starts anew in each cycle (SGDR, Loshchilov and Hutter 2017)."""
        cycle, within = self._cycle(iteration)
        return 0.5**cycle * learning_rate(within, self._recipe.iterations[cycle], self._optimiser)

    def _cycle(self, iteration: int) -> tuple[int, int]:
        """In which cycle an iteration lies, and which it is there."""
        lengths = self._recipe.iterations
        for cycle, length in enumerate(lengths):
            if iteration < length:
                return cycle, iteration
            iteration -= length
        return len(lengths) - 1, lengths[-1]

    def batch(self, iteration: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Crops (n, 3, s, s), face, cover and hull (n, 1, s, s), float32 0..1; of seed and iteration only."""
        chance = np.random.default_rng([self._recipe.seed, iteration])
        rows = [self._example(chance) for _ in range(self._recipe.batch)]
        rgb = torch.from_numpy(np.stack([_shown(row, chance) for row in rows])).permute(0, 3, 1, 2)
        face, cover, hull = (
            torch.from_numpy(np.stack([getattr(row, name) for row in rows]))[:, None]
            for name in ("face", "cover", "hull")
        )
        return rgb, face, cover, hull

    def _example(self, chance: np.random.Generator) -> Example:
        example = self._drawn(chance, bare=chance.random() < _BARE)
        if chance.random() < _CUT_OUT:
            example.laid_over(*cut_out(self._drawn(chance, bare=False), chance))
        if chance.random() < _SHAPE:
            example.laid_over(*shape(example, chance))
        if chance.random() < _OTHER:
            example = other_face(example, chance)
        if chance.random() < _SMEARED:
            example = smeared(example, chance)
        return cut_off(example, chance) if chance.random() < _CUT_OFF else example

    def _drawn(self, chance: np.random.Generator, *, bare: bool) -> Example:
        if bare and self._bare is not None and chance.random() < _GRIMACING:
            return self._grimace(self._bare, chance)
        people, poses, looks = self._face.shape[:3]
        at = (
            int(chance.integers(people)),
            int(chance.integers(poses)),
            0 if bare else int(chance.integers(1, looks)),
        )
        recipe = self._recipe
        shown = self._rgb[at]
        # loose hair grows on the head: it has the head's colour
        if at[2] and recipe.kinds[at[2] - 1] != "fringe" and chance.random() < _REPAINTED:
            without = (*at[:2], 0)
            shown = repainted(shown, self._cover[at], self._rgb[without], self._cover[without], chance)
        parts = [shown, self._face[at], self._cover[at], self._hull[at[:2]]]
        return moved(parts, recipe.stored_reach, recipe.input_size, chance)

    def _grimace(self, bare: Sequence[NDArray[np.uint8]], chance: np.random.Generator) -> Example:
        rgb, face, cover, hull = bare
        at = int(chance.integers(hull.shape[0])), int(chance.integers(hull.shape[1]))
        parts = [rgb[at][0], face[at][0], cover[at][0], hull[at]]
        return moved(parts, self._recipe.stored_reach, self._recipe.input_size, chance)


def _shown(example: Example, chance: np.random.Generator) -> NDArray[np.float32]:
    if chance.random() < _CREASED:
        example.rgb = creased(example.rgb, chance)
    rgb = relit(example, chance)
    return filmed(rgb, chance) if chance.random() < _FILMED else rgb


def loss_of(logits: Tensor, face: Tensor, cover: Tensor, weight: Tensor, before: float) -> Tensor:
    """Cross-entropy where there is a face or something before it; what lies beside both does not count.

    Args:
        logits, face, cover, weight: (n, 1, s, s); weight of each pixel.
        before: how much more what is before the face weighs.
    """
    counts = face + cover
    wanted = face / counts.clamp(min=1e-3)
    each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    weights = (face + before * cover) * weight
    return (each * weights).sum() / weights.sum().clamp(min=1.0)


def missed_overlap(logits: Tensor, face: Tensor, cover: Tensor, weight: Tensor) -> Tensor:
    """One minus the intersection over union of what is seen before faces and what truly is, of a batch as one.

    For shares of pixels, on both sides: the Jaccard metric loss (Wang, Ning and Blaschko 2023). What is thin has few
    pixels, and cross-entropy, which asks how sure the network is in each, draws it pale; this asks for the figure that
    is measured.

    Args:
        logits, face, cover, weight: (n, 1, s, s), as of :func:`loss_of`.
    """
    counts = (face + cover) * weight
    truth = cover / (face + cover).clamp(min=1e-3)
    said = torch.sigmoid(-logits)
    both, apart = (counts * (said + truth)).sum(), (counts * (said - truth).abs()).sum()
    return 1.0 - (both - apart) / (both + apart).clamp(min=1.0)
