"""The learnt texture: sampled right, mirrored where its person is, trained at its own rate, exported."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from stages.training.export import TOLERANCE, difference_from_torch, difference_of_half, export, export_half
from stages.training.networks import SwapNetwork
from stages.training.networks.surface import Surface
from stages.training.settings import NetworkSettings, OptimiserSettings
from stages.training.state import State
from tests.training.faces import smoke_preset


def textured(layers: int = 2, size: int = 24) -> SwapNetwork:
    torch.manual_seed(0)
    sizes = smoke_preset().network.model_copy(update={"texture": layers, "texture_size": size})
    network = SwapNetwork(["ada", "ben"], sizes)
    with torch.no_grad():
        for decoder in network.decoders.values():
            nn.init.normal_(decoder.surface.texture)
            nn.init.normal_(decoder.surface.chart.weight, std=0.01)
    return network


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(4, 20))
def test_it_is_sampled_as_grid_sample_does(seed: int, size: int) -> None:
    torch.manual_seed(seed)
    surface = Surface(4, 2, size, 8)
    across, down = (torch.empty(2, 5, 7).uniform_(-1.3, 1.3) for _ in range(2))
    picture = surface.texture.detach().T.reshape(1, 6, size, size).expand(2, -1, -1, -1)
    wanted = F.grid_sample(picture, torch.stack([across, down], dim=-1), padding_mode="border", align_corners=False)
    torch.testing.assert_close(surface._sample(across, down).detach().permute(0, 3, 1, 2), wanted)


def test_a_mirrored_picture_has_the_mirrored_texture() -> None:
    """Features that are even on both sides: then the texture alone tells right from left."""
    torch.manual_seed(0)
    surface = Surface(4, 3, 24, 8)
    nn.init.normal_(surface.texture)
    even = torch.rand(1, 4, 1, 1).expand(2, 4, 8, 8)
    for kernel in (surface.chart.weight, surface.gains.weight):
        kernel.data = (kernel.data + kernel.data.flip(3)) / 2
    plain, mirrored = surface(even, torch.tensor([False, True]))[0]
    torch.testing.assert_close(mirrored, plain.flip(2))
    assert (plain - plain.flip(2)).abs().mean() > 0.1


def test_it_shows_inside_the_mask_only() -> None:
    network = textured()
    crops = torch.rand(2, 3, 32, 32)
    decoder = network.decoders["ada"]
    with torch.no_grad():
        decoder.mask[-1].conv.bias.fill_(-200.0)
        hidden = network.swap(crops, "ada").rgb
        decoder.surface.texture.zero_()
        torch.testing.assert_close(network.swap(crops, "ada").rgb, hidden)
        decoder.mask[-1].conv.bias.fill_(200.0)
        nn.init.normal_(decoder.surface.texture)
        assert (network.swap(crops, "ada").rgb - hidden).abs().mean() > 0.01


def test_a_texture_learns_fine_detail_that_stays_in_its_place() -> None:
    """Noise that no small stack of convolutions draws from a code is in the texture after a few steps."""
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.2
    crops = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    left = {}
    for layers in (0, 2):
        torch.manual_seed(0)
        sizes = smoke_preset().network.model_copy(update={"texture": layers, "texture_size": 32})
        network = SwapNetwork(["ada"], sizes)
        if layers:
            network.decoders["ada"].surface.chart.requires_grad_(False)
        state = State.of(network, OptimiserSettings(texture_rate=20.0), torch.device("cpu"))
        state.set_rate(2e-3)
        for _ in range(60):
            answer = state.network.swap(crops, "ada")
            loss = (answer.rgb - noise).abs().mean() + (1 - answer.mask).mean()
            state.optimiser.zero_grad()
            loss.backward()
            state.optimiser.step()
        with torch.no_grad():
            left[layers] = float((state.network.swap(crops, "ada").rgb - noise).abs().mean())
    assert left[2] < 0.6 * left[0]


def test_its_rate_is_a_multiple_of_the_others_and_it_never_decays() -> None:
    state = State.of(textured(), OptimiserSettings(texture_rate=7.0, weight_decay=0.1), torch.device("cpu"))
    state.set_rate(0.001)
    textures = {id(decoder.surface.texture) for decoder in state.network.decoders.values()}
    for group in state.optimiser.param_groups:
        of_texture = {id(parameter) in textures for parameter in group["params"]}
        assert len(of_texture) == 1
        assert group["lr"] == pytest.approx(0.007 if of_texture == {True} else 0.001)
        assert group["weight_decay"] == 0.0 or of_texture == {False}
    assert textures <= {id(parameter) for group in state.optimiser.param_groups for parameter in group["params"]}


def test_an_exported_network_has_its_texture(tmp_path: Path) -> None:
    """The texture is larger than half precision can number."""
    network, crops = textured(size=192), torch.rand(3, 3, 32, 32)
    full, half = tmp_path / "ada.onnx", tmp_path / "ada.fp16.onnx"
    export(network, "ada", 32, full)
    export_half(full, half)
    assert difference_from_torch(network, "ada", crops, full, threads=1) <= TOLERANCE
    told = difference_of_half(network, "ada", crops, half, threads=1)
    assert told.finite
    assert told.greatest is not None
    assert told.greatest <= 0.015
    with torch.no_grad():
        network.decoders["ada"].surface.texture.zero_()
        plain = network.swap(crops, "ada").rgb
    assert (plain - textured(size=192).swap(crops, "ada").rgb).abs().max() > 10 * TOLERANCE


def test_other_families_have_none() -> None:
    given = smoke_preset().network.model_dump() | {"family": "df", "texture": 2, "decoder_channels": (16, 12)}
    with pytest.raises(ValueError, match="df has no texture"):
        NetworkSettings.model_validate(given)
