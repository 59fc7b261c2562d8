"""No gradient of a training needs an op that a GPU can not repeat bit for bit; told on a CPU by the ops' names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional as F

from stages.training.chart import gathered
from stages.training.faces import Faces, read_faces
from stages.training.settings import LossSettings
from stages.training.state import State
from stages.training.step import Step
from tests.training.faces import smoke_preset

UNREPEATABLE: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "AdaptiveAvgPool2DBackward0": lambda x: F.interpolate(x, size=(3, 3), mode="area"),
    "AdaptiveMaxPool2DBackward0": lambda x: F.adaptive_max_pool2d(x, 3),
    "AvgPool3DBackward0": lambda x: F.avg_pool3d(x, 2),
    "CumsumBackward0": lambda x: x.cumsum(dim=-1),
    "FractionalMaxPool2DBackward0": lambda x: F.fractional_max_pool2d(x, 2, output_size=3),
    "GridSampler2DBackward0": lambda x: F.grid_sample(x, torch.zeros(1, 2, 2, 2), align_corners=False),
    "MaxPool2DWithIndicesBackward0": lambda x: F.max_pool2d(x, 3, stride=2),
    "MedianBackward1": lambda x: x.median(dim=-1).values,
    "NllLoss2DBackward0": lambda x: F.nll_loss(x, torch.zeros(1, 8, 8, dtype=torch.int64)),
    "ReflectionPad2DBackward0": lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "UpsampleBicubic2DBackward0": lambda x: F.interpolate(x, scale_factor=2.0, mode="bicubic"),
}
"""Ops that torch refuses on a GPU, asked for determinism, or whose gradient it adds up there in any order; each with a
use of it. Bilinear enlarging is none of them: asked for determinism, torch computes it otherwise on a GPU."""

TEXTURED: Final = {"texture": 2, "texture_size": 32, "side_outputs": 2}
EVERY_TERM: Final = dict.fromkeys(set(LossSettings.model_fields) - {"background"}, 1.0)
FAMILIES: Final[dict[str, dict[str, object]]] = {"likeness": TEXTURED, "original": {}, "df": {}, "liae": {}}


@pytest.fixture(scope="module")
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, 32).train for name, folder in face_sets.items()}


def ops_behind(result: Tensor) -> set[str]:
    """The names of all ops that a gradient of the result goes through."""
    found: set[Node] = set()
    ahead = [result.grad_fn]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in found:
            found.add(node)
            ahead += [before for before, _ in node.next_functions]
    return {node.name() for node in found}


@pytest.mark.parametrize("name", UNREPEATABLE)
def test_an_op_that_a_gpu_can_not_repeat_is_known_by_its_name(name: str) -> None:
    assert name in ops_behind(UNREPEATABLE[name](torch.rand(1, 2, 8, 8, requires_grad=True)) * 2)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_gradient_of_a_training_can_be_repeated(
    faces: dict[str, Faces], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """Network, every term that has a weight, smaller pictures, what the critic says and what the critic learns."""
    network = {"family": family, "input_size": 32, "output_size": 32, "encoder_channels": [8, 16], "latent": 16}
    network |= {"decoder_channels": [16, 8, 8], "mask_channels": 4} | FAMILIES[family]
    adversary = {"weight": 0.1, "start": 0.0, "warm_up": 0, "channels": 4}
    preset = smoke_preset(network=network, losses=EVERY_TERM, adversary=adversary, batch=2, stored_size=32)
    state, step = State(list(faces), preset, 0, torch.device("cpu")), Step(faces, preset, 0)
    learnt: list[set[str]] = []
    monkeypatch.setattr(torch.autograd, "backward", lambda result: learnt.append(ops_behind(result)))
    monkeypatch.setattr("stages.training.chart.sampled", gathered)  # as on a GPU
    step(state)
    of_network, of_critic = learnt
    assert {"ConvolutionBackward0", "FftC2CBackward0", "MaximumBackward0"} <= of_network, "spectra and recogniser too"
    assert "ConvolutionBackward0" in of_critic
    assert ("GatherBackward0" in of_network) == (family == "likeness"), "charts are in it where there are some"
    assert not (of_network | of_critic) & UNREPEATABLE.keys()
