"""What counts as new in a picture, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from stages.novelty import CELLS, cells_of, share_of_new

SIDE = 256


@pytest.fixture
def portrait() -> NDArray[np.uint8]:
    """A person before a cluttered room, (256, 256, 3)."""
    return np.ascontiguousarray(data.astronaut()[::2, ::2])


def shifted(picture: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Moved to the right, the left edge repeated."""
    return np.concatenate([np.repeat(picture[:, :1], by, axis=1), picture[:, :-by]], axis=1)


def test_nothing_is_new_in_the_same_picture(portrait: NDArray[np.uint8]) -> None:
    assert share_of_new(cells_of(portrait), cells_of(portrait)) == 0


def test_noise_and_a_change_of_light_are_nothing_new(portrait: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(1).normal(0, 12, portrait.shape)
    noisy = np.clip(0.95 * portrait + noise, 0, 255).astype(np.uint8)
    assert share_of_new(cells_of(noisy), cells_of(portrait)) == 0


def test_what_moves_by_a_cell_is_hardly_new(portrait: NDArray[np.uint8]) -> None:
    assert share_of_new(cells_of(shifted(portrait, SIDE // CELLS)), cells_of(portrait)) < 1 / 64


@pytest.mark.parametrize("side", [32, 64, 128])
def test_a_part_that_shows_something_else_is_new(portrait: NDArray[np.uint8], side: int) -> None:
    """But for its rim and what happens to look like what lay there."""
    other = np.ascontiguousarray(data.coffee()[:SIDE, :SIDE])
    changed = portrait.copy()
    changed[100 : 100 + side, 100 : 100 + side] = other[100 : 100 + side, 100 : 100 + side]
    new = share_of_new(cells_of(changed), cells_of(portrait))
    assert 0.25 * (side / SIDE) ** 2 < new <= (side / SIDE + 1 / CELLS) ** 2


def test_in_the_dark_less_of_a_difference_counts(portrait: NDArray[np.uint8]) -> None:
    dark = portrait // 12
    changed = dark.copy()
    changed[64:128, 64:128] = changed[64:128, 64:128] + 8
    assert share_of_new(cells_of(changed), cells_of(dark)) > 1 / 64


def test_it_does_not_matter_how_large_the_picture_is(portrait: NDArray[np.uint8]) -> None:
    large = portrait.repeat(4, 0).repeat(4, 1)
    assert np.array_equal(cells_of(large), cells_of(portrait))
