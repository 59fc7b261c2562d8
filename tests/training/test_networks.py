"""Shapes, starting conditions and the independence that a swap rests on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.training.networks import SwapNetwork
from stages.training.networks.blocks import Residual, Up, halvings
from stages.training.settings import NetworkSettings
from tests.training.faces import smoke_preset


def network(seed: int = 0) -> SwapNetwork:
    torch.manual_seed(seed)
    return SwapNetwork(["ada", "ben"], smoke_preset().network)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_a_decoder_gives_the_size_that_is_set(downs: int, ups: int, base: int, count: int) -> None:
    sizes = NetworkSettings(
        input_size=32 * downs,
        output_size=max(32, base * 2 ** (ups + 2)),
        encoder_channels=(8,) * downs if downs != 3 else (8, 8),
        latent=16,
        decoder_channels=(8,) * 2,
        mask_channels=4,
    )
    answer = SwapNetwork(["ada"], sizes).swap(torch.rand(count, 3, sizes.input_size, sizes.input_size), "ada")
    assert answer.rgb.shape == (count, 3, sizes.output_size, sizes.output_size)
    assert answer.mask.shape == (count, 1, sizes.output_size, sizes.output_size)
    assert 0 <= answer.rgb.min() <= answer.rgb.max() <= 1


def test_one_batch_of_both_gives_what_each_gives_alone() -> None:
    net, crops = network(), torch.rand(5, 3, 32, 32)
    both = net({"ada": crops[:2], "ben": crops[2:]})
    torch.testing.assert_close(both["ada"].rgb, net.swap(crops[:2], "ada").rgb)
    torch.testing.assert_close(both["ben"].mask, net.swap(crops[2:], "ben").mask)


def test_a_swap_uses_the_sources_decoder_and_no_other() -> None:
    net, crops = network(), torch.rand(2, 3, 32, 32)
    before = net.swap(crops, "ada").rgb
    with torch.no_grad():
        for parameter in net.decoders["ben"].parameters():
            parameter.add_(1.0)
    assert torch.equal(net.swap(crops, "ada").rgb, before)
    assert not torch.equal(net.swap(crops, "ben").rgb, before)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_sub_pixel_layer_starts_without_a_checkerboard(scale: int) -> None:
    torch.manual_seed(0)
    grown = Up(6, 5, scale)(torch.rand(1, 6, 8, 8))
    blocks = grown.unfold(2, scale, scale).unfold(3, scale, scale)
    torch.testing.assert_close(blocks, blocks[..., :1, :1].expand_as(blocks))


def test_a_residual_block_starts_near_the_identity() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 16, 8, 8)
    assert (Residual(16)(x) - x).std() < 0.2 * x.std()


def test_sizes_that_do_not_fit_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="input_size must be a multiple of 8"):
        NetworkSettings(input_size=36, output_size=32, encoder_channels=(8, 8), latent=8, decoder_channels=(8, 8))
    with pytest.raises(ValueError, match="48 is not 5 times a power of two"):
        halvings(48, 5)
