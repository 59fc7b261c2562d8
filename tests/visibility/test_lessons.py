"""Training on faces that are squares of one colour: it learns, and goes on after a kill as if there had been none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.training.checkpoint import CheckpointFolder, save_tensors
from stages.visibility import footage
from stages.visibility.lessons import Lessons, loss_of, missed_overlap
from stages.visibility.recipe import Recipe

RECIPE = Recipe(
    performers=2, held_out=1, poses=1, grimaces=1, kinds=("glasses",), stored_size=80, input_size=64,
    channels=(8, 8, 16), iterations=(16, 8), outside=(1.0, 0.1), before=(1.0, 2.5), overlap=(0.0, 0.5), batch=4,
    warm_up=2, learning_rate=0.01, average=0.5,
)  # fmt: skip


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """Reddish faces, a green thing before the second picture of each."""
    folder = tmp_path / "renders"
    folder.mkdir()
    for number in range(RECIPE.people):
        rgb = np.full((1, 2, 80, 80, 3), (200, 120 + 10 * number, 100), np.uint8)
        face = np.full((1, 2, 80, 80), 255, np.uint8)
        rgb[0, 1, 20:60, 30:50] = (20, 200, 40)
        face[0, 1, 20:60, 30:50] = 0
        tensors = {"rgb": rgb, "face": face, "cover": 255 - face, "hull": face[:, 0]}
        for path, few in zip(footage.shards(RECIPE, folder, number), (2, 1), strict=False):
            some = {name: values if name == "hull" else values[:, :few] for name, values in tensors.items()}
            save_tensors({name: torch.from_numpy(values.copy()) for name, values in some.items()}, path)
    return folder


def lessons(renders: Path, folder: Path, recipe: Recipe = RECIPE) -> Lessons:
    return Lessons(recipe, renders, CheckpointFolder(folder, "test"))


def test_it_learns_to_tell_the_thing_from_the_face(renders: Path, tmp_path: Path) -> None:
    network = lessons(renders, tmp_path / "one").run().eval()
    seen = footage.read(renders, 2)
    crop = torch.from_numpy(seen.rgb[0, 1, 8:72, 8:72].astype(np.float32) / 255.0).permute(2, 0, 1)[None]
    with torch.no_grad():
        visible = torch.sigmoid(network(crop))[0, 0].numpy()
    thing = seen.cover[0, 1, 8:72, 8:72] > 0
    assert visible[~thing].mean() > visible[thing].mean() + 0.3


def test_a_killed_run_goes_on_to_the_same_weights(renders: Path, tmp_path: Path) -> None:
    unbroken = lessons(renders, tmp_path / "one").run().state_dict()
    first = lessons(renders, tmp_path / "two")
    for _ in range(9):
        first.step()
    CheckpointFolder(tmp_path / "two", "test").write(first.state.snapshot())
    resumed = lessons(renders, tmp_path / "two").run().state_dict()
    for name, tensor in unbroken.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=0, atol=0)


def test_what_is_neither_face_nor_before_it_does_not_count() -> None:
    logits = torch.tensor([[[[8.0, -8.0, -8.0]]]])
    face, cover = torch.tensor([[[[1.0, 0.0, 0.0]]]]), torch.tensor([[[[0.0, 1.0, 0.0]]]])
    evenly = torch.ones_like(face)
    right = loss_of(logits, face, cover, evenly, 1.0)
    assert right < 0.001
    logits[0, 0, 0, 2] = 8.0
    assert loss_of(logits, face, cover, evenly, 1.0) == right
    assert loss_of(-logits, face, cover, evenly, 1.0) > 5.0


def test_where_a_face_is_replaced_and_what_is_before_it_may_count_more() -> None:
    logits = torch.tensor([[[[8.0, 8.0]]]])  # right about the face, wrong about the cover beside it
    face, cover = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 1.0]]]])
    inside = torch.tensor([[[[1.0, 0.1]]]])
    evenly = torch.ones_like(face)
    assert loss_of(logits, face, cover, inside, 1.0) < loss_of(logits, face, cover, evenly, 1.0)
    assert loss_of(logits, face, cover, evenly, 2.5) > loss_of(logits, face, cover, evenly, 1.0)


def test_the_overlap_is_that_of_sets_where_pixels_are_whole_and_perfect_where_shares_agree() -> None:
    face = torch.tensor([[[[1.0, 1.0, 0.0, 0.0, 0.0]]]])
    cover = torch.tensor([[[[0.0, 0.0, 1.0, 1.0, 0.0]]]])
    weight = torch.ones_like(face)
    logits = 40.0 * torch.tensor([[[[1.0, -1.0, -1.0, -1.0, -1.0]]]])  # the last shows neither
    torch.testing.assert_close(missed_overlap(logits, face, cover, weight), torch.tensor(1.0 - 2.0 / 3.0))
    half = torch.full_like(face, 0.5)
    assert missed_overlap(torch.zeros_like(face), half, half, weight) == 0.0
    assert missed_overlap(logits, face, torch.zeros_like(cover), 0.0 * weight) == 1.0, "nothing counts: no figure"


def test_the_overlap_draws_a_thin_thing_that_cross_entropy_leaves_pale() -> None:
    """Of pixels that look alike a quarter shows a thing: the one answer for all of them that costs least."""
    answers = torch.linspace(-6.0, 6.0, 241)
    face, cover = torch.tensor([[[[1.0, 1.0, 1.0, 0.0]]]]), torch.tensor([[[[0.0, 0.0, 0.0, 1.0]]]])
    weight = torch.ones_like(face)

    def best(loss: Callable[..., torch.Tensor]) -> float:
        costs = [float(loss(torch.full_like(face, float(answer)), face, cover, weight)) for answer in answers]
        return float(torch.sigmoid(-answers[int(np.argmin(costs))]))

    assert best(lambda *given: loss_of(*given, 1.0)) == pytest.approx(0.25, abs=0.01)
    assert best(missed_overlap) > 0.99
