"""The yardstick's own training, and what the bench measures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from stages.problems import Problem
from stages.settings import Params, load_params
from stages.training.bench import HEAD, ROWS, compare, line, matmul_rate, measure, preset_of
from stages.training.plain import PlainTraining, augmented
from stages.training.settings import NetworkSettings, TrainingSettings
from tests.conftest import REPOSITORY
from tests.training.faces import drawn_face, smoke_preset

CLASSIC = NetworkSettings(
    family="original",
    input_size=32,
    output_size=32,
    encoder_channels=(16, 32),
    latent=32,
    decoder_channels=(32, 24, 16),
    mask_channels=4,
)


@pytest.fixture
def params() -> Params:
    """The shipped settings with small presets."""
    presets = {"smoke": smoke_preset(stored_size=128), "original": smoke_preset(network=CLASSIC)}
    training = TrainingSettings(preset="smoke", threads=1, presets=presets)
    return load_params(REPOSITORY / "params.yaml").model_copy(update={"training": training})


def test_every_row_has_figures_that_fit_together(params: Params) -> None:
    speeds = {row: measure(row, params, None, 0.05) for row in ROWS}
    assert {name: speed.size for name, speed in speeds.items()} == dict(zip(ROWS, (32, 32, 32, 64, 32), strict=True))
    assert speeds["plain"].parameters == speeds["original"].parameters
    for speed in speeds.values():
        assert speed.images == 8
        assert min(speed.step, speed.batch, speed.flops, speed.matmul) > 0
        assert line(speed).count("|") == HEAD.splitlines()[0].count("|")
    # the default's convolutions at four times the pixels
    per_step = {name: speed.flops * speed.step for name, speed in speeds.items()}
    assert 2 < per_step["default-64"] / per_step["default"] < 5


def test_the_counted_operations_are_those_of_the_layers(params: Params) -> None:
    """Of the plain row: every layer forwards, and backwards for its weights and, but for the first, its input."""
    net = PlainTraining({"a": np.zeros((1, 32, 32, 3), np.uint8)}, CLASSIC, 1, torch.device("cpu")).network
    encoder, rgb = net.encoder, net.decoders["a"].get_submodule("rgb")
    macs: list[int] = []

    def count(layer: torch.nn.Module, inputs: object, output: torch.Tensor) -> None:
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        macs.append(weight.numel() * (output.shape[2:].numel() if output.ndim == 4 else 1))

    for layer in [*encoder.modules(), *rgb.modules()]:
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(count)
    rgb(encoder(torch.rand(1, 3, 32, 32)))
    speed = measure("plain", params, None, 0.02)
    expected = speed.images * 2 * (3 * sum(macs) - macs[0])
    ssim_too = speed.flops * speed.step
    assert expected < ssim_too < 1.2 * expected


def test_the_plain_yardstick_learns() -> None:
    people = {name: np.stack([drawn_face(name, turn, 0.5)[0] for turn in (-0.5, 0.0, 0.5)]) for name in ("ada", "ben")}
    training = PlainTraining(people, CLASSIC, 4, torch.device("cpu"))
    losses = [training.step() for _ in range(120)]
    assert np.mean(losses[-10:]) < 0.95 * np.mean(losses[:10])


def test_plain_augmentation_warps_the_input_alone() -> None:
    face = drawn_face("ada", 0.0, 0.5)[0]
    pairs = [augmented(face, 32, np.random.default_rng(seed)) for seed in range(20)]
    assert all(one.shape == other.shape == (32, 32, 3) and one.dtype == np.uint8 for one, other in pairs)
    assert len({other.tobytes() for _, other in pairs}) == 20
    apart = [np.abs(one.astype(int) - other).mean() for one, other in pairs]
    turned = [np.abs(one.astype(int) - other[:, ::-1]).mean() for one, other in pairs]
    assert min(apart) > 0
    assert np.mean(apart) < np.mean(turned), "both are mirrored, or none"


def test_the_rate_of_products_is_that_of_their_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.training.bench.mean_seconds_within", lambda work, device, seconds: 0.5)
    assert matmul_rate(torch.device("cpu"), 1.0) == 2 * 2048**3 / 0.5


def test_a_row_that_is_not_there_is_told(params: Params) -> None:
    with pytest.raises(Problem, match="choose of plain, original, default, default-64"):
        compare(params, None, ("plian",), 0.1, lambda speed: None)


def test_a_missing_yardstick_is_told(params: Params) -> None:
    training = params.training.model_copy(update={"presets": {"smoke": smoke_preset()}})
    with pytest.raises(Problem, match="no preset 'original'"):
        preset_of("original", params.model_copy(update={"training": training}))


@pytest.mark.parametrize(("row", "allowed"), [("plain", True), ("default", False)])
def test_the_yardstick_computes_as_torch_comes(
    row: str, allowed: bool, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def rate(device: torch.device, seconds: float) -> float:
        seen.append(torch.backends.cudnn.allow_tf32)
        return 1.0

    monkeypatch.setattr("stages.training.bench.matmul_rate", rate)
    measure(row, params, None, 0.0)
    assert seen == [allowed]


def test_passes_are_compiled_where_the_settings_say_so(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def noted(passes: Callable[..., object]) -> Callable[..., object]:
        asked.append(passes)
        return passes

    monkeypatch.setattr("stages.training.bench.compiled", noted)
    monkeypatch.setattr("stages.training.stage.require_compiler", lambda device: None)
    training = params.training.model_copy(update={"compile": True})
    for row in ("plain", "default"):
        measure(row, params.model_copy(update={"training": training}), None, 0.0)
    assert len(asked) == 1, "the yardstick is eager"
    measure("default", params, None, 0.0)
    assert len(asked) == 1
