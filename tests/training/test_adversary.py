"""The critic: when it joins, what it sees, what it teaches, and that it stays out when it has no weight."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from stages.training.adversary import PatchCritic, adversary_weight, critic_loss, fooling_term
from stages.training.augment import Batch
from stages.training.checkpoint import CheckpointFolder
from stages.training.faces import Faces, read_faces
from stages.training.networks import Answer
from stages.training.settings import AdversarySettings
from stages.training.state import State
from stages.training.step import Step
from tests.training.faces import smoke_preset
from tests.training.test_state import assert_same

SETTINGS = AdversarySettings(weight=0.05, start=0.2, warm_up=2, channels=8)
"""Joins the smoke preset's 20 iterations at iteration 4."""

CPU = torch.device("cpu")


@pytest.fixture
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, 64).train for name, folder in face_sets.items()}


@pytest.fixture
def critic() -> PatchCritic:
    torch.manual_seed(0)
    return PatchCritic(SETTINGS)


def batch_of(rgb: Tensor, mask: Tensor) -> dict[str, Batch]:
    nothing, nowhere, not_mirrored = (
        torch.zeros_like(mask),
        torch.zeros(0, 0, 2),
        torch.zeros(len(rgb), dtype=torch.bool),
    )
    return {"ada": Batch(rgb, rgb, mask, nothing, nothing, nowhere, not_mirrored)}


def run(faces: dict[str, Faces], iterations: int, **settings: float) -> State:
    preset = smoke_preset(adversary=SETTINGS.model_copy(update=settings).model_dump())
    state, step = State(["ada", "ben"], preset, 0, CPU), Step(faces, preset, 0)
    for _ in range(iterations):
        step(state)
    return state


def test_without_weight_there_is_no_critic_and_every_byte_is_as_without_the_setting(faces: dict[str, Faces]) -> None:
    plain = smoke_preset()
    state, step = State(["ada", "ben"], plain, 0, CPU), Step(faces, plain, 0)
    for _ in range(8):
        step(state)
    without = run(faces, 8, weight=0.0)
    assert without.critic is None
    assert not [name for name in without.snapshot().tensors if "critic" in name]
    assert_same(without.snapshot(), state.snapshot())


def test_until_it_joins_only_the_snapshot_knows_of_it(faces: dict[str, Faces]) -> None:
    without, before, after = run(faces, 4, weight=0.0), run(faces, 4), run(faces, 5)
    fresh = run(faces, 0).snapshot().tensors
    for name, tensor in before.snapshot().tensors.items():
        wanted = fresh[name] if "critic" in name else without.snapshot().tensors[name]
        assert torch.equal(tensor, wanted), name
    unbroken = run(faces, 5, weight=0.0).snapshot().tensors
    moved = after.snapshot().tensors
    assert not torch.equal(moved["network.encoder.stem.weight"], unbroken["network.encoder.stem.weight"])
    kernels = [name for name in moved if name.startswith("critic.") and name.endswith("original")]
    assert len(kernels) == SETTINGS.halvings + 1
    assert all(not torch.equal(moved[name], fresh[name]) for name in kernels)


def test_a_resumed_run_equals_an_unbroken_one_with_a_critic(faces: dict[str, Faces], tmp_path: Path) -> None:
    preset = smoke_preset(adversary=SETTINGS.model_dump())
    folder = CheckpointFolder(tmp_path, "run")
    folder.write(run(faces, 7).snapshot())
    kept = folder.read()
    assert kept is not None
    resumed = State(["ada", "ben"], preset, 99, CPU)
    resumed.restore(kept)
    step = Step(faces, preset, 0)
    for _ in range(4):
        step(resumed)
    assert_same(resumed.snapshot(), run(faces, 11).snapshot())


def test_its_weight_waits_and_then_rises_to_the_full() -> None:
    settings = AdversarySettings(weight=0.1, start=0.7, warm_up=3)
    weights = [adversary_weight(iteration, 100, settings) for iteration in range(100)]
    assert weights[:70] == [0.0] * 70
    assert weights[70:74] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert set(weights[74:]) == {0.1}


def test_each_side_gets_its_own_gradient_only(critic: PatchCritic) -> None:
    mask = torch.ones(2, 1, 32, 32)
    made = torch.rand(2, 3, 32, 32, requires_grad=True)
    batches = batch_of(torch.rand(2, 3, 32, 32), mask)
    fooling_term(critic, {"ada": Answer(made, mask)}, batches).backward()
    assert made.grad is not None
    assert made.grad.abs().max() > 0
    assert all(weight.grad is None for weight in critic.parameters())
    made.grad = None
    critic_loss(critic, {"ada": Answer(made, mask)}, batches).backward()
    assert made.grad is None
    kernels = [weight for weight in critic.parameters() if weight.ndim > 1]
    assert all(weight.grad is not None and weight.grad.abs().max() > 0 for weight in kernels)


def test_it_sees_nothing_of_an_answer_beyond_the_face(critic: PatchCritic) -> None:
    critic.eval()  # so that a look does not refine its norms
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    rgb = torch.rand(1, 3, 32, 32)
    batches = batch_of(torch.rand(1, 3, 32, 32), mask)
    term = fooling_term(critic, {"ada": Answer(rgb, mask)}, batches)
    elsewhere = fooling_term(critic, {"ada": Answer(torch.where(mask > 0, rgb, 1 - rgb), mask)}, batches)
    inside = fooling_term(critic, {"ada": Answer(torch.where(mask > 0, 1 - rgb, rgb), mask)}, batches)
    assert torch.equal(term, elsewhere)
    assert not torch.equal(term, inside)


def test_its_layers_stretch_nothing(critic: PatchCritic) -> None:
    for _ in range(20):
        critic(torch.rand(1, 3, 32, 32))
    for layer in (*critic.downs, critic.last):
        assert float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)) == pytest.approx(1.0, abs=0.05)


def _stripes(phases: Tensor) -> Tensor:
    """Pictures (n, 3, 32, 32) of upright stripes 8 pixels wide, each moved by its own phase."""
    x = torch.arange(32) / 8 + phases[:, None]
    return (0.5 + 0.4 * torch.sin(2 * torch.pi * x))[:, None, None, :].expand(-1, 3, 32, 32)


@pytest.mark.parametrize("weight", [0.0, 0.05])
def test_a_detail_that_can_not_be_foreseen_is_grey_without_it_and_drawn_with_it(weight: float) -> None:
    """Truths whose phase nothing tells: squared error asks for their mean, which has no stripes."""
    torch.manual_seed(0)
    critic, mask = PatchCritic(SETTINGS), torch.ones(8, 1, 32, 32)
    made = torch.full((8, 3, 32, 32), 0.5).add_(0.05 * torch.randn(8, 3, 32, 32)).requires_grad_()
    ours = torch.optim.Adam([made], lr=0.02)
    its = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.99))
    for _ in range(150):
        batches, answers = batch_of(_stripes(torch.rand(8)), mask), {"ada": Answer(made, mask)}
        loss = (made - batches["ada"].rgb).square().mean()
        ours.zero_grad()
        (loss + weight * fooling_term(critic, answers, batches)).backward()
        ours.step()
        its.zero_grad()
        critic_loss(critic, answers, batches).backward()
        its.step()
    contrast = float(made.detach().mean(dim=2).std(dim=-1).mean())
    assert contrast > 0.15 if weight else contrast < 0.1
