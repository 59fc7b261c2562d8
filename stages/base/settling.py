"""The end of the base's training: the encoder learns to give each performer the code that the others in a scene have.

What is left of whose face it is in a code moves all that is drawn from it a little, and the pictures' loss tells an
encoder so only by way of a whole decoder. Here the code itself is told: the goal is the mean code that the rehearsed
encoder, which stays as it is, gives to the *other* performers of the scene. Nothing in that goal knows whom the encoder
sees, so it can only be met by what a face does. That is distillation (Hinton et al. 2015, "Distilling the knowledge in
a neural network") from teachers that are shown somebody else. A teacher that does not move can not let all codes become
one, which is where codes go that are only asked to agree.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.base.learning import learnt, taught
from stages.base.recipe import Recipe
from stages.base.scenes import Played
from stages.training.augment import augment, plain
from stages.training.checkpoint import CheckpointFolder
from stages.training.networks.encoder import Encoder
from stages.training.state import State, learning_rate

_CHECKPOINT_EVERY = 250
_TOLD_EVERY = 25
_AT_ONCE = 64
"""Pictures that the teacher sees in one pass."""


class Settling:
    """Trains an encoder on the codes of a scene's other performers.

    Args:
        played: all troupes' scenes, see :func:`stages.base.footage.read`.
        encoder: as the rehearsal left it; it is the teacher and stays as it is.
        recipe: how.
        checkpoints: where the last state is kept.
        device: where to compute.
    """

    def __init__(
        self, played: Played, encoder: Encoder, recipe: Recipe, checkpoints: CheckpointFolder, device: torch.device
    ) -> None:
        self._planes = torch.from_numpy(played.planes)
        self._recipe, self._device = recipe, device
        self._checkpoints = checkpoints
        teacher = copy.deepcopy(encoder).to(device).requires_grad_(False)
        self._weight = teacher.from_code.weight
        self._goals = others_mean(codes(teacher, self._planes, recipe.network.input_size, device))
        self._spread = self._drawn(self._goals - self._goals.mean(dim=(0, 1, 2))).square().mean()
        pupil = copy.deepcopy(encoder).requires_grad_(True)
        pupil.from_code.requires_grad_(False)  # decoders know what it makes of a code
        self.state: State[Encoder] = State.of(pupil, recipe.settling.optimiser, device)

    def run(self) -> Encoder:
        """Train to the last iteration, from the last checkpoint if there is one; the averaged encoder."""
        return learnt(
            self.state,
            self.step,
            self._checkpoints,
            self._recipe.settling.iterations,
            what="settling",
            kept_every=_CHECKPOINT_EVERY,
            told_every=_TOLD_EVERY,
        )

    def step(self) -> Tensor:
        """One iteration; its loss: how far codes are from their goals, of what the goals differ by."""
        recipe, state = self._recipe.settling, self.state
        state.set_rate(learning_rate(state.progress.iteration, recipe.iterations, recipe.optimiser))
        crops, goals = self.batch(state.progress.iteration)
        code = state.network.code(crops.contiguous(memory_format=torch.channels_last))
        loss = self._drawn(code - goals).square().mean() / self._spread
        return taught(state, loss, recipe.optimiser)

    def batch(self, iteration: int) -> tuple[Tensor, Tensor]:
        """Crops (n, 3, s, s) and their goals (n, latent); of seed and iteration only."""
        recipe = self._recipe
        chance = np.random.default_rng([recipe.seed, iteration])
        size = recipe.settling.batch
        place = tuple(torch.from_numpy(chance.integers(count, size=size)) for count in self._planes.shape[:3])
        generator = torch.Generator(self._device)
        generator.manual_seed(int(chance.integers(2**63 - 1)))
        sizes, settings = recipe.network, recipe.settling.augmentation
        planes = self._planes[place].to(self._device)
        return augment(planes, sizes.input_size, sizes.output_size, settings, generator).crops, self._goals[place]

    def _drawn(self, codes: Tensor) -> Tensor:
        """Differences of codes (..., latent) in the small pictures that decoders start from: as what they change."""
        return F.linear(codes, self._weight)


@torch.no_grad()
def codes(encoder: Encoder, planes: Tensor, size: int, device: torch.device) -> Tensor:
    """The codes of pictures as they are.

    Args:
        encoder: whose.
        planes: (troupes, scenes, cast, 6, P, P) uint8, see :func:`stages.training.faces.as_planes`.
        size: side of the encoder's input, pixels.
        device: of the encoder.

    Returns:
        (troupes, scenes, cast, latent) float32.
    """
    some = torch.split(planes.flatten(0, 2), _AT_ONCE)
    flat = torch.cat([encoder.code(plain(few.to(device), size, size).crops) for few in some])
    return flat.view(*planes.shape[:3], -1)


def others_mean(codes: Tensor) -> Tensor:
    """For each performer of a scene the mean code of the others in it; (..., cast, latent) both."""
    return (codes.sum(dim=-2, keepdim=True) - codes) / (codes.shape[-2] - 1)
