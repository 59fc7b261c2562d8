"""What augmentation may do to input and answer, and what it may not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.artifacts.swap_model import SwapModel
from stages.training.augment import Batch, _moved, _random_moves, augment, plain
from stages.training.chart import PLACES, mirrored_places
from stages.training.faces import as_planes
from stages.training.settings import AugmentationSettings
from tests.training.faces import drawn_face

STILL = AugmentationSettings(
    flip=0,
    rotation=0,
    zoom=0,
    shift=0,
    warp=0,
    brightness=0,
    balance=0,
    gamma=0,
    saturation=0,
    blur=0,
    noise=0,
    surroundings=0,
)
"""No change at all."""

_PICTURES = 5
"""Of a batch's fields: those before its landmarks."""

_OUTER_CORNER = 33
"""Of the right eye."""


@pytest.fixture(scope="module")
def planes() -> torch.Tensor:
    faces = [as_planes(*drawn_face("ada", turn, 0.5), 64) for turn in (-0.8, 0.0, 0.8)]
    return torch.from_numpy(np.stack(faces))


def augmented(planes: torch.Tensor, change: AugmentationSettings, seed: int = 0) -> Batch:
    return augment(planes, 32, 32, change, torch.Generator().manual_seed(seed))


def test_without_spread_a_batch_is_the_faces_as_they_are(planes: torch.Tensor) -> None:
    for one, other in zip(augmented(planes, STILL), plain(planes, 32, 32), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_go_where_the_picture_goes(seed: int) -> None:
    """A white dot is drawn on one landmark; of a mirrored face it is found on the landmark of the other side."""
    chance = np.random.default_rng(seed)
    places = torch.from_numpy(chance.uniform(0.3, 0.7, (1, PLACES, 2)).astype(np.float32))
    dotted = torch.zeros(1, 6, 256, 256, dtype=torch.uint8)
    column, row = (places[0, _OUTER_CORNER] * 256).long().tolist()
    dotted[:, :, row - 3 : row + 4, column - 3 : column + 4] = 255
    moved = STILL.model_copy(update={"flip": 0.5, "rotation": 20.0, "zoom": 0.1, "shift": 0.05})
    batch = augment(dotted, 32, 256, moved, torch.Generator().manual_seed(seed), places=places)
    found = torch.nonzero(batch.rgb[0, 0] > 0.5).float().mean(dim=0).flip(0) + 0.5
    which = mirrored_places()[_OUTER_CORNER] if batch.mirrored[0] else _OUTER_CORNER
    torch.testing.assert_close(batch.places[0, which] * 256, found, atol=1.0, rtol=0)


def test_some_pictures_are_mirrored_and_the_batch_knows_which(planes: torch.Tensor) -> None:
    many = planes[:1].repeat(24, 1, 1, 1)
    batch = augmented(many, STILL.model_copy(update={"flip": 0.5}))
    still = plain(many, 32, 32)
    assert 0 < batch.mirrored.sum() < 24
    torch.testing.assert_close(batch.rgb[~batch.mirrored], still.rgb[~batch.mirrored], atol=1e-4, rtol=0)
    torch.testing.assert_close(batch.rgb[batch.mirrored], still.rgb[batch.mirrored].flip(3), atol=1e-4, rtol=0)


def test_the_same_seed_gives_the_same_batch_and_another_another(planes: torch.Tensor) -> None:
    first, same, other = (augmented(planes, AugmentationSettings(), seed) for seed in (1, 1, 2))
    assert all(torch.equal(one, two) for one, two in zip(first, same, strict=True))
    assert not torch.equal(first.crops, other.crops)


@settings(max_examples=25)
@given(st.integers(0, 2**31 - 1), st.floats(0, 0.2), st.floats(0, 1))
def test_values_stay_in_range_however_far_it_goes(seed: int, warp: float, light: float) -> None:
    faces = torch.from_numpy(as_planes(*drawn_face("ben", 0.2, 1.0), 64))[None].repeat(2, 1, 1, 1)
    wild = AugmentationSettings(
        rotation=45,
        zoom=0.5,
        shift=0.25,
        warp=warp,
        light=light,
        brightness=1,
        gamma=1,
        saturation=1,
        noise=0.2,
        smear=0.5,
        smear_spread=0.1,
        resampling=0.5,
        resampling_factor=16,
        compression=0.5,
        compression_quality=1,
    )
    for part in augmented(faces, wild, seed)[:_PICTURES]:
        assert torch.isfinite(part).all()
        assert part.min() >= 0
        assert part.max() <= 1


def test_surroundings_become_one_colour_and_the_face_stays(planes: torch.Tensor) -> None:
    plainly = augmented(planes, STILL)
    changed = augmented(planes, STILL.model_copy(update={"surroundings": 1.0}))
    inside = plainly.mask > 0.999
    for face, before, after in zip(inside, plainly.crops, changed.crops, strict=True):
        torch.testing.assert_close(after[:, face[0]], before[:, face[0]], atol=2e-3, rtol=0)
    outside = (plainly.mask < 0.001).expand_as(plainly.crops)
    for crop, beyond in zip(changed.crops, outside, strict=True):
        for channel, pixels in zip(crop, beyond, strict=True):
            assert channel[pixels].std() < 2e-3
    assert torch.equal(changed.rgb, plainly.rgb)
    assert torch.equal(changed.mask, plainly.mask)


def test_a_flip_mirrors_input_answer_and_maps_alike(planes: torch.Tensor) -> None:
    mirrored = augmented(planes, STILL.model_copy(update={"flip": 1.0}))
    for part, straight in zip(mirrored[:_PICTURES], augmented(planes, STILL)[:_PICTURES], strict=True):
        torch.testing.assert_close(part, straight.flip(-1), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"warp": 0.05},
        {"brightness": 0.3},
        {"balance": 0.3},
        {"saturation": 0.5},
        {"blur": 1.0},
        {"noise": 0.1},
        {"gamma": 0.5},
        {"smear": 1.0},
        {"resampling": 1.0},
        {"compression": 1.0},
    ],
)
def test_what_is_for_the_input_leaves_the_answer_alone(planes: torch.Tensor, change: dict[str, float]) -> None:
    changed, still = augmented(planes, STILL.model_copy(update=change)), augmented(planes, STILL)
    assert (changed.crops - still.crops).abs().max() > 0.01
    for one, other in zip(changed[1:], still[1:], strict=True):
        assert torch.equal(one, other)


FAULTS: list[dict[str, float]] = [
    {"smear": 0.5, "smear_spread": 0.05},
    {"resampling": 0.5, "resampling_factor": 8},
    {"compression": 0.5, "compression_quality": 5},
]


@pytest.mark.parametrize("fault", FAULTS)
def test_about_the_given_share_of_pictures_gets_a_fault_and_the_rest_stays(
    planes: torch.Tensor, fault: dict[str, float]
) -> None:
    many = planes.repeat(100, 1, 1, 1)
    changed, still = augmented(many, STILL.model_copy(update=fault)), augmented(many, STILL)
    touched = (changed.crops != still.crops).flatten(1).any(dim=1)
    assert 0.35 < float(touched.float().mean()) < 0.65


def test_switching_a_fault_off_leaves_the_pictures_that_it_spared_as_they_were(planes: torch.Tensor) -> None:
    every = AugmentationSettings.model_validate({name: value for fault in FAULTS for name, value in fault.items()})
    many = planes.repeat(20, 1, 1, 1)
    whole = augmented(many, every).crops
    for name in ("smear", "resampling", "compression"):
        without = augmented(many, every.model_copy(update={name: 0.0})).crops
        same = (without == whole).flatten(1).all(dim=1)
        assert 0.2 < float(same.float().mean()) < 0.8


@pytest.mark.parametrize("fault", FAULTS)
def test_the_same_seed_gives_the_same_faults(planes: torch.Tensor, fault: dict[str, float]) -> None:
    change = STILL.model_copy(update=fault)
    assert torch.equal(augmented(planes, change, 7).crops, augmented(planes, change, 7).crops)


_LUMA = torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)
"""What the channels weigh in BT.709."""


def coloured(seed: int, grey: bool = False) -> torch.Tensor:
    """Planes of random colours that are neither near black nor near white: what recolours them cuts none."""
    colours = torch.randint(90, 150, (3, 1 if grey else 3, 32, 32), generator=torch.Generator().manual_seed(seed))
    maps = torch.full((3, 3, 32, 32), 255)
    return torch.cat([colours.expand(3, 3, 32, 32), maps], dim=1).to(torch.uint8)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0.05, 0.5))
def test_saturation_leaves_grey_and_luma_as_they_are(seed: int, spread: float) -> None:
    change = STILL.model_copy(update={"saturation": spread})
    grey = coloured(seed, grey=True)
    torch.testing.assert_close(augmented(grey, change, seed).crops, plain(grey, 32, 32).crops, atol=1e-4, rtol=0)
    still, changed = plain(coloured(seed), 32, 32).crops, augmented(coloured(seed), change, seed).crops
    torch.testing.assert_close((changed * _LUMA).sum(dim=1), (still * _LUMA).sum(dim=1), atol=1e-4, rtol=0)
    # each picture's colours are as far from grey as they were, times one factor
    away, before = ((each - (each * _LUMA).sum(dim=1, keepdim=True)).flatten(1) for each in (changed, still))
    factor = (away * before).sum(dim=1, keepdim=True) / before.square().sum(dim=1, keepdim=True)
    torch.testing.assert_close(away, factor * before, atol=1e-4, rtol=0)
    assert (factor > 0).all()
    assert (factor - 1).abs().max() > 1e-4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0.01, 0.1))
def test_balance_is_one_gain_for_each_channel_of_a_picture(seed: int, spread: float) -> None:
    change, faces = STILL.model_copy(update={"balance": spread}), coloured(seed)
    still, changed = plain(faces, 32, 32).crops, augmented(faces, change, seed).crops
    gains = changed.mean(dim=(2, 3), keepdim=True) / still.mean(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(changed, gains * still, atol=1e-4, rtol=0)
    assert (gains.log().abs() <= 2 * spread + 1e-3).all(), "normal values are cut at two spreads"
    assert (gains - gains[:, :1]).abs().max() > 1e-4, "channels differ"


def test_light_changes_input_and_answer_by_the_same_gain(planes: torch.Tensor) -> None:
    dark = planes // 4  # so that nothing is cut at white
    lit, still = augmented(dark, STILL.model_copy(update={"light": 0.2})), augmented(dark, STILL)
    gain = lit.rgb.sum(dim=(2, 3)) / still.rgb.sum(dim=(2, 3))
    torch.testing.assert_close(lit.crops.sum(dim=(2, 3)) / still.crops.sum(dim=(2, 3)), gain, atol=2e-3, rtol=0)
    assert (gain - 1).abs().max() > 0.02


def test_mask_and_colour_move_together(planes: torch.Tensor) -> None:
    moved = augmented(planes, STILL.model_copy(update={"rotation": 20.0, "shift": 0.05, "zoom": 0.1}), seed=3)
    skin = moved.rgb[:, 0:1] > 0.7
    assert (moved.mask[skin] > 0.5).float().mean() > 0.9


@pytest.mark.parametrize(("stored", "size"), [(64, 32), (64, 64), (32, 32)])
def test_conversion_makes_the_same_input_as_training(stored: int, size: int, tmp_path: object) -> None:
    crop, mask, points = drawn_face("ada", 0.3, 0.4)
    model = SwapModel(tmp_path, {"crop_size": 64, "stored_size": stored, "input_size": size, "output_size": size})  # type: ignore[arg-type]  # no Facts, a plain dict of what is read here
    trained_on = plain(torch.from_numpy(as_planes(crop, mask, points, stored))[None], size, size).crops
    np.testing.assert_allclose(model.network_input(crop[None]), trained_on.numpy(), atol=1e-6)


@pytest.mark.parametrize("count", [1, 4, 33])
def test_moves_are_undone_as_by_the_inverse_that_waits(count: int) -> None:
    """To the byte: results are what they were before the check on the host was left out."""
    generator = torch.Generator().manual_seed(count)
    moves = _random_moves(count, AugmentationSettings(rotation=20, zoom=0.1, shift=0.1), generator)
    places = torch.rand(count, PLACES, 2, generator=generator)
    linear, shift = moves[:, :, :2], moves[:, :, 2]
    there = (2 * places - 1 - shift[:, None]) @ torch.linalg.inv(linear).transpose(1, 2)
    assert torch.equal(_moved(places, moves, torch.zeros(count, dtype=torch.bool)), (there + 1) / 2)
