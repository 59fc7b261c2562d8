"""A pair that starts from a base may keep its kernels and learn a gain for each channel instead."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stages.artifacts.base import Base
from stages.training.faces import Faces, read_faces
from stages.training.networks import SwapNetwork
from stages.training.networks.gains import add_gains, folded
from stages.training.settings import PresetSettings
from stages.training.state import State
from stages.training.step import Step
from tests.training.faces import smoke_preset

CPU = torch.device("cpu")
NETWORK = smoke_preset().network.model_copy(update={"texture": 2, "texture_size": 24})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    network = SwapNetwork(["anyone"], NETWORK)
    folder = tmp_path / "base"
    folder.mkdir()
    Base.write(folder, network.encoder.state_dict(), network.decoders["anyone"].state_dict(), {})
    return folder


@pytest.fixture
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, smoke_preset().stored_size).train for name, folder in face_sets.items()}


def preset_from(base: Path, decoder_rate: float) -> PresetSettings:
    return smoke_preset(network=NETWORK, base={"path": base, "decoder_rate": decoder_rate})


def test_at_rate_0_kernels_stay_the_bases_but_for_gains(base: Path, faces: dict[str, Faces]) -> None:
    preset = preset_from(base, 0.0)
    state, step = State(["ada", "ben"], preset, 0, CPU), Step(faces, preset, 0)
    for _ in range(5):
        step(state)
    trained, given = folded(state.network), Base.read(base).part("decoder")
    gains = []
    for name, first in given.items():
        if not name.endswith(".weight"):
            continue
        kernel = trained[f"decoders.ada.{name}"]
        gain = (kernel * first).sum((1, 2, 3)) / (first**2).sum((1, 2, 3)).clamp(min=1e-20)
        torch.testing.assert_close(kernel, first * gain[:, None, None, None])
        gains.append(gain)
    assert torch.cat(gains).sub(1).abs().max() > 1e-3, "they learn"
    assert not torch.equal(trained["decoders.ada.start"], trained["decoders.ben.start"]), "each decoder its own person"
    assert not torch.equal(trained["decoders.ada.surface.texture"], given["surface.texture"])


def test_between_0_and_1_kernels_learn_slower(base: Path, faces: dict[str, Faces]) -> None:
    moved = []
    for rate in (0.05, 1.0):
        preset = preset_from(base, rate)
        state, step = State(["ada", "ben"], preset, 0, CPU), Step(faces, preset, 0)
        for _ in range(3):
            step(state)
        name = "stages.1.conv" + (".parametrizations.weight.original" if rate < 1 else ".weight")
        kernel = state.network.decoders["ada"].state_dict()[name]
        moved.append(float((kernel - Base.read(base).part("decoder")["stages.1.conv.weight"]).abs().max()))
    assert 0 < moved[0] < moved[1] / 5


def test_gains_change_no_answer_before_they_learn_and_fold_into_the_kernels() -> None:
    torch.manual_seed(0)
    network = SwapNetwork(["ada", "ben"], NETWORK)
    crops = torch.rand(2, 3, 32, 32)
    before = network.swap(crops, "ada")
    add_gains(network.decoders)
    assert torch.equal(network.swap(crops, "ada").rgb, before.rgb)
    for name, parameter in network.named_parameters():
        if name.endswith(".gain") and parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    gained = network.swap(crops, "ada")
    plain = SwapNetwork(["ada", "ben"], NETWORK)
    plain.load_state_dict(folded(network))
    torch.testing.assert_close(plain.swap(crops, "ada").rgb, gained.rgb)
    assert (gained.rgb - before.rgb).abs().max() > 1e-3
    assert torch.equal(network.swap(crops, "ada").rgb, gained.rgb), "the network itself keeps its gains"


def test_gains_never_decay(base: Path) -> None:
    state = State(["ada", "ben"], preset_from(base, 0.5), 0, CPU)
    gains = {
        id(each) for name, each in state.network.named_parameters() if name.endswith("parametrizations.weight.0.gain")
    }
    assert gains
    decayed = {id(each) for group in state.optimiser.param_groups if group["weight_decay"] for each in group["params"]}
    assert not gains & decayed


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_training_with_gains_goes_on_from_a_snapshot_as_if_never_stopped(
    rate: float, base: Path, faces: dict[str, Faces]
) -> None:
    preset = preset_from(base, rate)
    state, step = State(["ada", "ben"], preset, 0, CPU), Step(faces, preset, 0)
    step(state)
    kept = state.snapshot()
    step(state)
    resumed = State(["ada", "ben"], preset, 99, CPU)
    resumed.restore(kept)
    Step(faces, preset, 0)(resumed)
    unbroken, again = state.snapshot().tensors, resumed.snapshot().tensors
    assert unbroken.keys() == again.keys()
    assert [name for name in unbroken if not torch.equal(unbroken[name], again[name])] == []
