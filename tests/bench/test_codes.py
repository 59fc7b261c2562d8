"""Where a swap's error lies: what is planted is found."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from stages.bench.codes import (
    Asked,
    answers,
    best_codes,
    best_shift,
    by_affine_map,
    by_flow,
    codes_of,
    disagreement,
    error,
)
from stages.fidelity import Mask, Picture, psnr
from stages.training.networks import SwapNetwork
from stages.training.settings import NetworkSettings
from tests.film import collins

SIZES = NetworkSettings(input_size=32, output_size=32, encoder_channels=(8, 16), latent=16, decoder_channels=(16, 8))


@pytest.fixture(scope="module")
def network() -> SwapNetwork:
    torch.manual_seed(0)
    made = SwapNetwork(("ada", "ben"), SIZES)
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def asked(network: SwapNetwork) -> Asked:
    """Codes that lie beside what the answers were drawn from: by one shift, and by less in each frame."""
    chance = torch.Generator().manual_seed(1)
    codes = codes_of(network, torch.rand(24, 3, 32, 32, generator=chance))
    shift, each = torch.randn(16, generator=chance), 0.3 * torch.randn(24, 16, generator=chance)
    wanted = answers(network, "ada", codes + shift + each)
    return Asked(codes, wanted, torch.ones(24, 1, 32, 32))


def test_a_code_and_what_grows_of_it_are_what_the_encoder_gives(network: SwapNetwork) -> None:
    crops = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(answers(network, "ben", codes_of(network, crops)), network.swap(crops, "ben").rgb)


def test_a_shift_that_all_codes_lack_is_found_and_holds_for_other_frames(network: SwapNetwork, asked: Asked) -> None:
    even, odd = asked.some(torch.arange(0, 24, 2)), asked.some(torch.arange(1, 24, 2))
    shift = best_shift(network, "ada", even)
    before = error(network, "ada", odd, odd.codes).mean()
    after = error(network, "ada", odd, odd.codes + shift).mean()
    assert after < 0.6 * before
    best = error(network, "ada", odd, best_codes(network, "ada", odd)).mean()
    assert best < after


@pytest.mark.parametrize("way", [by_affine_map, by_flow])
def test_what_is_drawn_in_a_wrong_place_is_moved_to_its_own(way: Callable[[Picture, Picture, Mask], Picture]) -> None:
    right = np.ascontiguousarray(cv2.resize(collins(), (128, 128), interpolation=cv2.INTER_AREA))
    move = np.array([[1.01, 0.02, 1.5], [-0.02, 0.99, -1.0]], np.float32)
    beside = cv2.warpAffine(right, move, (128, 128), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((128, 128), bool)
    mask[20:108, 20:108] = True
    assert psnr(way(beside, right, mask), right, mask) > psnr(beside, right, mask) + 5


def test_disagreement_is_the_share_of_what_differs_between_performers_of_one_scene() -> None:
    chance = np.random.default_rng(3)
    scenes = chance.normal(0.0, 1.0, (20, 40, 1, 8))
    people = chance.normal(0.0, 0.5, (20, 40, 4, 8))
    codes = np.asarray(scenes + people, np.float32)
    assert disagreement(codes) == pytest.approx(0.25 / 1.25, rel=0.08)
    assert disagreement(np.asarray(np.repeat(scenes, 4, axis=2), np.float32)) == pytest.approx(0.0, abs=1e-9)
