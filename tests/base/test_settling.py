"""The encoder's last lesson: what is left in its codes of whose face it sees grows less, and of the scene stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stages.base import footage
from stages.base.recipe import Recipe
from stages.base.rehearsal import Rehearsal
from stages.base.settling import Settling, codes, others_mean
from stages.training.checkpoint import CheckpointFolder
from stages.training.networks.encoder import Encoder

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def rehearsed(recipe: Recipe, renders: Path, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """An encoder that tells scenes apart, a little."""
    torch.set_num_threads(1)
    long = recipe.model_copy(update={"iterations": 60})
    checkpoints = CheckpointFolder(tmp_path_factory.mktemp("rehearsal"), "run")
    return Rehearsal(footage.read(long, renders), long, checkpoints, CPU).run().encoder


def settling(encoder: Encoder, recipe: Recipe, renders: Path, scratch: Path) -> Settling:
    return Settling(footage.read(recipe, renders), encoder, recipe, CheckpointFolder(scratch, "run"), CPU)


def lasting(recipe: Recipe, iterations: int) -> Recipe:
    shorter = recipe.settling.model_copy(update={"iterations": iterations, "batch": 8})
    return recipe.model_copy(update={"settling": shorter})


@settings(max_examples=30, deadline=None)
@given(cast=st.integers(2, 5), seed=st.integers(0, 2**31))
def test_a_goal_is_the_mean_of_the_others_and_knows_nothing_of_the_one(cast: int, seed: int) -> None:
    each = torch.randn(3, cast, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    means = others_mean(each)
    for one in range(cast):
        rest = [other for other in range(cast) if other != one]
        torch.testing.assert_close(means[:, one], each[:, rest].mean(dim=1))
    changed = each.clone()
    changed[:, 0] += 100.0
    torch.testing.assert_close(others_mean(changed)[:, 0], means[:, 0])


def test_performers_of_a_scene_come_to_agree_and_scenes_stay_apart(
    recipe: Recipe, renders: Path, rehearsed: Encoder, tmp_path: Path
) -> None:
    long = lasting(recipe, 80)
    planes = torch.from_numpy(footage.read(recipe, renders).planes)
    settled = settling(rehearsed, long, renders, tmp_path).run()

    def shares(encoder: Encoder) -> tuple[float, float]:
        """The variances of codes within scenes and between them."""
        each = codes(encoder, planes, recipe.network.input_size, CPU)
        scene = each.mean(dim=2, keepdim=True)
        return float((each - scene).square().mean()), float((scene - scene.mean(dim=(0, 1))).square().mean())

    (within, between), (within_after, between_after) = shares(rehearsed), shares(settled)
    assert within_after / between_after < 0.7 * within / between
    assert between_after > 0.5 * between


def test_decoders_start_from_codes_as_before(recipe: Recipe, renders: Path, rehearsed: Encoder, tmp_path: Path) -> None:
    settled = settling(rehearsed, lasting(recipe, 5), renders, tmp_path).run()
    assert torch.equal(settled.from_code.weight, rehearsed.from_code.weight)
    assert not torch.equal(settled.to_code.weight, rehearsed.to_code.weight)


def test_of_no_iterations_the_encoder_comes_out_as_it_was(
    recipe: Recipe, renders: Path, rehearsed: Encoder, tmp_path: Path
) -> None:
    settled = settling(rehearsed, lasting(recipe, 0), renders, tmp_path).run()
    for name, tensor in rehearsed.state_dict().items():
        assert torch.equal(settled.state_dict()[name], tensor), name


def test_a_batch_is_of_its_iteration_alone_and_its_goals_are_of_its_scenes(
    recipe: Recipe, renders: Path, rehearsed: Encoder, tmp_path: Path
) -> None:
    lesson = settling(rehearsed, lasting(recipe, 5), renders, tmp_path)
    crops, goals = lesson.batch(3)
    again, same = lesson.batch(3)
    assert torch.equal(crops, again)
    assert torch.equal(goals, same)
    planes = torch.from_numpy(footage.read(recipe, renders).planes)
    wanted: Tensor = others_mean(codes(rehearsed, planes, recipe.network.input_size, CPU)).flatten(0, 2)
    nearest = (goals[:, None] - wanted[None]).square().sum(dim=-1).min(dim=1).values
    assert float(nearest.max()) < 1e-8


def test_it_ends_in_the_same_weights_after_a_break(
    recipe: Recipe, renders: Path, rehearsed: Encoder, tmp_path: Path
) -> None:
    whole = settling(rehearsed, lasting(recipe, 20), renders, tmp_path)
    losses = [float(whole.step()) for _ in range(10)]
    whole._checkpoints.write(whole.state.snapshot())
    losses += [float(whole.step()) for _ in range(10)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    resumed = settling(rehearsed, lasting(recipe, 20), renders, tmp_path).run()
    for name, tensor in whole.state.average.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
