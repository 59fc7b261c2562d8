"""Crops as the other one's decoder draws them: which, how they look, who learns of them, and what that is good for."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stages.training.augment import Batch, plain
from stages.training.back_translation import beginning, chosen_rows, drawn_as_each_other
from stages.training.checkpoint import CheckpointFolder
from stages.training.faces import Faces, read_faces
from stages.training.networks import Answer, Network
from stages.training.processes import ALONE, Processes
from stages.training.settings import BackTranslationSettings, Family
from stages.training.state import State
from stages.training.step import Step
from tests.training.faces import smoke_preset
from tests.training.test_networks import small
from tests.training.test_state import assert_same

CPU = torch.device("cpu")
SETTINGS = {"share": 0.5, "start": 0.2}
"""Begins at iteration 4 of the smoke preset's 20."""


@pytest.fixture
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, 64).train for name, folder in face_sets.items()}


def run(faces: dict[str, Faces], until: int, **settings: object) -> State:
    preset = smoke_preset(**settings)
    state, step = State(list(faces), preset, 0, CPU), Step(faces, preset, 0)
    for _ in range(until):
        step(state)
    return state


@given(share=st.floats(0, 1), each=st.integers(1, 12), count=st.integers(1, 4))
def test_the_same_crops_are_chosen_however_many_train_together(share: float, each: int, count: int) -> None:
    whole = chosen_rows(share, each * count, ALONE)
    parts = [chosen_rows(share, each, Processes(rank, count)) for rank in range(count)]
    assert torch.equal(torch.cat(parts), whole)
    assert abs(int(whole.sum()) - share * each * count) < 1


def test_a_quarter_of_eight_is_every_fourth() -> None:
    assert chosen_rows(0.25, 8, ALONE).tolist() == [False, False, False, True] * 2
    assert chosen_rows(0.1, 10, ALONE).sum() == 1
    assert not chosen_rows(0.0, 8, ALONE).any()
    assert chosen_rows(1.0, 8, ALONE).all()


class Painter(Network):
    """Draws everybody in one colour, in the left half of the picture."""

    colours: ClassVar = {"ada": 0.25, "ben": 0.75, "cyd": 0.0}

    def swap(self, crops: Tensor, identity: str) -> Answer:
        mask = torch.zeros(len(crops), 1, 4, 4)
        mask[..., :2] = 1.0
        return Answer(torch.full((len(crops), 3, 4, 4), self.colours[identity]), mask)


def batch_of(size: int) -> Batch:
    mask = torch.zeros(4, 1, 4, 4)
    mask[..., 0, 2:] = 1.0  # the true face reaches beyond the drawn one in the first row
    nothing = torch.zeros_like(mask)
    return Batch(
        torch.rand(4, 3, size, size),
        torch.rand(4, 3, 4, 4),
        mask,
        nothing,
        nothing,
        torch.zeros(0, 0, 2),
        mask[:, 0, 0, 0] > 1,
    )


@pytest.mark.parametrize("size", [4, 2, 8])
def test_chosen_crops_of_the_two_show_the_other_one_where_either_face_is(size: int) -> None:
    batches = {"ada": batch_of(size), "ben": batch_of(size), "cyd": batch_of(size)}
    rows = torch.tensor([False, True, False, True])
    drawn, where = drawn_as_each_other(Painter(), batches, rows)
    assert {name: each.tolist() for name, each in where.items()} == {
        "ada": rows.tolist(),
        "ben": rows.tolist(),
        "cyd": [False] * 4,
    }
    assert list(drawn) == list(batches), "the order tells who the two are"
    assert drawn["cyd"] is batches["cyd"], "a companion's likeness is put on nobody, and nobody's on a companion"
    for name, colour in (("ada", 0.75), ("ben", 0.25)):
        before, after = batches[name].crops, drawn[name].crops
        assert torch.equal(after[~rows], before[~rows])
        assert torch.allclose(after[rows][..., : max(size // 2 - 1, 1)], torch.tensor(colour))
        if size == 4:
            assert torch.allclose(after[rows][..., 0, :], torch.tensor(colour))
            assert torch.equal(after[rows][..., 1:, 2:], before[rows][..., 1:, 2:]), "what is nobody's face stays"
        assert all(mine is theirs for mine, theirs in zip(drawn[name][1:], batches[name][1:], strict=True))


def test_one_identity_alone_has_nobody_to_be_drawn_as() -> None:
    batches = {"ada": batch_of(4)}
    drawn, where = drawn_as_each_other(Painter(), batches, torch.ones(4, dtype=torch.bool))
    assert drawn == batches
    assert not where["ada"].any()


@pytest.mark.parametrize("family", get_args(Family))
def test_the_encoder_learns_nothing_from_drawn_crops_and_everything_else_does(family: Family) -> None:
    people = ("ada", "ben", "cyd")
    net = small(family, people)
    crops = {name: torch.rand(2, 3, 32, 32, requires_grad=True) for name in people}
    drawn = {name: torch.tensor([name != "cyd", False]) for name in people}
    answers = net(crops, None, drawn)
    for name, alike in net(crops).items():
        assert torch.equal(alike.rgb, answers[name].rgb)
    torch.stack([answer.rgb.sum() + answer.mask.sum() for answer in answers.values()]).sum().backward()
    for name, each in crops.items():
        assert each.grad is not None
        assert each.grad[1].abs().max() > 0.0
        assert (each.grad[0].abs().max() > 0.0) == (name == "cyd"), "a companion's crops all teach the encoder"

    def grown(drawn: dict[str, Tensor]) -> dict[str, bool]:
        net.zero_grad()
        parts = net({name: each.detach() for name, each in crops.items()}, None, drawn)
        torch.stack([answer.rgb.sum() for answer in parts.values()]).sum().backward()
        return {name: weight.grad is not None and bool(weight.grad.any()) for name, weight in net.named_parameters()}

    moved = grown({name: torch.ones(2, dtype=torch.bool) for name in people})
    assert not any(moved[name] for name in moved if name.startswith("encoder."))
    assert any(moved.values())


def test_until_it_begins_every_byte_is_as_without_it(faces: dict[str, Faces]) -> None:
    assert beginning(20, BackTranslationSettings.model_validate(SETTINGS)) == 4
    assert_same(run(faces, 4, back_translation=SETTINGS).snapshot(), run(faces, 4).snapshot())
    with_it, without = (run(faces, 5, **given).snapshot().tensors for given in ({"back_translation": SETTINGS}, {}))
    assert not torch.equal(
        with_it["network.decoders.ada.rgb.conv.weight"], without["network.decoders.ada.rgb.conv.weight"]
    )


def test_a_resumed_run_equals_an_unbroken_one(faces: dict[str, Faces], tmp_path: Path) -> None:
    preset = smoke_preset(back_translation=SETTINGS)
    folder = CheckpointFolder(tmp_path, "run")
    folder.write(run(faces, 7, back_translation=SETTINGS).snapshot())
    kept = folder.read()
    assert kept is not None
    resumed, step = State(["ada", "ben"], preset, 99, CPU), Step(faces, preset, 0)
    resumed.restore(kept)
    for _ in range(4):
        step(resumed)
    assert_same(resumed.snapshot(), run(faces, 11, back_translation=SETTINGS).snapshot())


def test_two_processes_see_what_one_alone_sees(faces: dict[str, Faces]) -> None:
    preset = smoke_preset(back_translation={"share": 0.5, "start": 0.0})

    def losses(processes: Processes) -> dict[str, float]:
        state = State(list(faces), preset, 0, CPU)
        return {name: float(loss) for name, loss in Step(faces, preset, 0, processes)(state).items()}

    whole, first, second = losses(ALONE), losses(Processes(0, 2)), losses(Processes(1, 2))
    for name, loss in whole.items():
        assert (first[name] + second[name]) / 2 == pytest.approx(loss, rel=1e-5)


def test_a_face_comes_back_from_its_swap_more_truly(faces: dict[str, Faces]) -> None:
    def way_back(state: State) -> float:
        net = state.average
        errors = []
        with torch.no_grad():
            for name, other in (("ada", "ben"), ("ben", "ada")):
                batch = plain(faces[name].take(torch.arange(16)), 32, 32)
                swapped = net.swap(batch.crops, other).rgb
                back = net.swap(torch.lerp(batch.crops, swapped, batch.mask.expand_as(swapped)), name).rgb
                errors.append(((back - batch.rgb).abs() * batch.mask).sum() / batch.mask.sum())
        return float(torch.stack(errors).mean())

    longer = {"iterations": 80}
    with_it = way_back(run(faces, 80, back_translation={"share": 0.5, "start": 0.2}, **longer))
    assert with_it < 0.9 * way_back(run(faces, 80, **longer))
