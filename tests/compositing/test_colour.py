"""Colour transfer: the statistics come out as asked, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.colour import (
    WITHIN,
    Method,
    Statistics,
    above_mouth,
    from_space,
    recoloured,
    statistics,
    to_space,
    transfer,
    typical,
)

METHODS: list[Method] = ["mean-deviation", "covariance"]
EVERYWHERE = np.ones((48, 48), np.float32)


def picture(seed: int, base: tuple[float, float, float], spread: float = 0.06) -> NDArray[np.float32]:
    """A picture of correlated noise about a colour, well within 0..1."""
    noise = np.random.default_rng(seed).normal(size=(48, 48, 3))
    mixed = noise @ np.array([[1.0, 0.6, 0.4], [0.0, 0.7, 0.3], [0.0, 0.0, 0.5]])
    return np.clip(np.array(base) + spread * mixed, 0.0, 1.0).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_a_face_takes_the_targets_mean_and_deviation(method: Method) -> None:
    source, target = picture(1, (0.6, 0.45, 0.4)), picture(2, (0.45, 0.35, 0.3), 0.05)
    before = statistics(source, EVERYWHERE, method)
    wanted = statistics(target, EVERYWHERE, method)
    moved = recoloured(source, transfer(before, wanted, method, 1.0), method)
    after = statistics(moved, EVERYWHERE, method)
    scale = 100.0 if method == "mean-deviation" else 1.0
    np.testing.assert_allclose(after.mean, wanted.mean, atol=0.004 * scale)
    np.testing.assert_allclose(np.diag(after.covariance), np.diag(wanted.covariance), rtol=0.06)


def test_the_covariance_map_moves_the_whole_covariance() -> None:
    source, target = picture(1, (0.6, 0.45, 0.4)), picture(2, (0.45, 0.35, 0.3), 0.05)[..., [2, 0, 1]]
    before = statistics(source, EVERYWHERE, "covariance")
    wanted = statistics(target, EVERYWHERE, "covariance")
    moved = recoloured(source, transfer(before, wanted, "covariance", 1.0), "covariance")
    np.testing.assert_allclose(statistics(moved, EVERYWHERE, "covariance").covariance, wanted.covariance, atol=5e-4)


@pytest.mark.parametrize("method", METHODS)
def test_equal_statistics_change_nothing(method: Method) -> None:
    source = picture(3, (0.5, 0.4, 0.35))
    same = statistics(source, EVERYWHERE, method)
    np.testing.assert_allclose(recoloured(source, transfer(same, same, method, 1.0), method), source, atol=2e-3)


@pytest.mark.parametrize("method", [*METHODS, "none"])
def test_no_strength_is_no_change(method: Method) -> None:
    source = picture(4, (0.5, 0.4, 0.35))
    mapping = transfer(
        statistics(source, EVERYWHERE, method),
        statistics(picture(5, (0.2, 0.3, 0.6)), EVERYWHERE, method),
        method,
        0.0,
    )
    np.testing.assert_allclose(mapping, np.eye(3, 4))


def test_half_the_strength_goes_half_the_way() -> None:
    source, target = picture(1, (0.6, 0.45, 0.4)), picture(2, (0.4, 0.35, 0.3))
    before, wanted = (statistics(each, EVERYWHERE, "covariance") for each in (source, target))
    half = statistics(
        recoloured(source, transfer(before, wanted, "covariance", 0.5), "covariance"),
        EVERYWHERE,
        "covariance",
    )
    np.testing.assert_allclose(half.mean, (before.mean + wanted.mean) / 2, atol=2e-3)


def test_only_the_masked_colours_count() -> None:
    face = picture(6, (0.5, 0.4, 0.35))
    mask = np.zeros((48, 48), np.float32)
    mask[10:30, 10:30] = 1.0
    blue = face.copy()
    blue[mask == 0] = (0.0, 0.0, 1.0)
    np.testing.assert_allclose(statistics(blue, mask, "covariance").mean, statistics(face, mask, "covariance").mean)


@given(seed=st.integers(0, 1000), spread=st.floats(0.001, 0.1))
@hypothesis_settings(max_examples=25, deadline=None)
def test_the_covariance_map_is_symmetric_and_positive(seed: int, spread: float) -> None:
    """What makes it the map that moves colours least: it turns no hue round."""
    before = statistics(picture(seed, (0.6, 0.45, 0.4)), EVERYWHERE, "covariance")
    wanted = statistics(picture(seed + 1, (0.4, 0.4, 0.4), spread), EVERYWHERE, "covariance")
    linear = transfer(before, wanted, "covariance", 1.0)[:, :3]
    np.testing.assert_allclose(linear, linear.T, atol=1e-9)
    assert (np.linalg.eigvalsh(linear) > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_face_of_one_colour_or_an_empty_mask_is_no_accident(method: Method) -> None:
    flat = np.full((48, 48, 3), 0.5, np.float32)
    nowhere = np.zeros((48, 48), np.float32)
    mapping = transfer(
        statistics(flat, EVERYWHERE, method),
        statistics(picture(7, (0.4, 0.3, 0.3), 0.1), nowhere, method),
        method,
        1.0,
    )
    result = recoloured(flat, mapping, method)
    assert np.isfinite(result).all()
    assert result.min() >= 0.0
    assert result.max() <= 1.0


def test_lab_is_cie_lab() -> None:
    """White is L 100, a and b near 0; red of sRGB is (53.24, 80.09, 67.20) by the standard."""
    lab = to_space(np.array([[[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]], np.float32), "mean-deviation")
    np.testing.assert_allclose(lab[0, 0], [100, 0, 0], atol=0.1)
    np.testing.assert_allclose(lab[0, 1], [53.24, 80.09, 67.20], atol=0.3)


def test_statistics_are_the_weighted_ones() -> None:
    colours = np.array([[[0.1, 0.2, 0.3], [0.9, 0.5, 0.3]]], np.float32)
    weights = np.array([[1.0, 3.0]], np.float32)
    found = statistics(colours, weights, "covariance")
    first, second = np.asarray(to_space(colours, "covariance"), np.float64)[0]
    np.testing.assert_allclose(found.mean, 0.25 * first + 0.75 * second, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, 0.75 * 0.25 * np.outer(second - first, second - first), atol=1e-6)
    assert isinstance(found, Statistics)


@pytest.mark.parametrize("method", METHODS)
def test_black_stays_black_when_skin_gets_darker(method: Method) -> None:
    """Brows must not take on a hue because the skin around them is moved."""
    source, target = picture(1, (0.75, 0.5, 0.4), 0.03), picture(2, (0.45, 0.35, 0.3), 0.03)
    before, wanted = (statistics(each, EVERYWHERE, method) for each in (source, target))
    brow = np.full((4, 4, 3), 0.06, np.float32)
    moved = recoloured(brow, transfer(before, wanted, method, 1.0), method)
    assert np.ptp(moved[0, 0]) < (0.03 if method == "covariance" else 0.2)


def test_hair_over_the_brow_does_not_change_the_statistics_of_skin() -> None:
    bare = picture(8, (0.6, 0.45, 0.4), 0.03)
    fringed = bare.copy()
    fringed[:12] = 0.03
    found = [statistics(each, typical(each, EVERYWHERE), "covariance") for each in (bare, fringed)]
    np.testing.assert_allclose(found[0].mean, found[1].mean, atol=0.01)
    np.testing.assert_allclose(found[0].covariance, found[1].covariance, atol=3e-4)


def test_what_is_typical_lies_in_the_mask() -> None:
    mask = np.zeros((48, 48), np.float32)
    mask[5:20, 5:20] = 1.0
    kept = typical(picture(9, (0.5, 0.4, 0.4)), mask)
    assert not kept[mask == 0].any()
    assert kept.sum() > 0.8 * mask.sum()
    assert not typical(picture(9, (0.5, 0.4, 0.4)), np.zeros((48, 48), np.float32)).any()


def test_a_full_beard_does_not_change_the_statistics_of_skin() -> None:
    """It covers more than half of the face; where none grows tells what is skin, and what is like that below counts."""
    shaved = picture(8, (0.6, 0.45, 0.4), 0.03)
    bearded = shaved.copy()
    bearded[20:, 6:] = picture(9, (0.12, 0.1, 0.09), 0.03)[20:, 6:]
    beardless = above_mouth(np.array([24.0, 4.0]), np.array([24.0, 20.0]), 48, 48)
    assert beardless[:20].all()
    assert not beardless[20:].any()
    wanted = statistics(shaved, EVERYWHERE, "covariance").mean
    np.testing.assert_allclose(
        statistics(bearded, typical(bearded, EVERYWHERE, beardless), "covariance").mean, wanted, atol=0.02
    )
    assert np.abs(statistics(bearded, typical(bearded, EVERYWHERE), "covariance").mean - wanted).max() > 0.5
    assert typical(bearded, EVERYWHERE, beardless)[30, 2] == 1.0
    nowhere = np.zeros((48, 48), bool)
    np.testing.assert_array_equal(typical(bearded, EVERYWHERE, nowhere), typical(bearded, EVERYWHERE))


@given(turn=st.floats(-180, 180))
@hypothesis_settings(max_examples=20, deadline=None)
def test_what_lies_above_the_mouth_turns_with_the_nose(turn: float) -> None:
    middle, along = np.array([24.0, 24.0]), np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    above = above_mouth(middle - 6 * along, middle, 48, 48)
    assert above[tuple(np.rint(middle - 8 * along).astype(int)[::-1])]
    assert not above[tuple(np.rint(middle + 8 * along).astype(int)[::-1])]
    assert 0.4 < above.mean() < 0.6


@pytest.mark.parametrize("method", METHODS)
def test_what_is_far_from_skin_is_shifted_and_not_stretched(method: Method) -> None:
    source, target = picture(1, (0.6, 0.45, 0.4), 0.03), picture(2, (0.6, 0.45, 0.4), 0.06)
    before, wanted = (statistics(each, EVERYWHERE, method) for each in (source, target))
    mapping = transfer(before, wanted, method, 1.0)

    def moved(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How a colour of the method's space is moved there."""
        rgb = from_space(np.asarray(values[None, None], np.float32), method)
        after = to_space(recoloured(rgb, mapping, method, before), method)[0, 0]
        return np.asarray(after - to_space(rgb, method)[0, 0], np.float64)

    along = np.linalg.cholesky(before.covariance)[:, 0]  # one deviation
    steps = [moved(before.mean + factor * along) for factor in (0.0, 0.7, WITHIN, 4.0)]
    lengths = [float(np.linalg.norm(each - steps[0])) for each in steps]
    assert lengths[1] == pytest.approx(lengths[2] * 0.7 / WITHIN, rel=0.2)
    assert lengths[3] == pytest.approx(lengths[2], rel=0.2)
    free = recoloured(source, mapping, method)
    bounded = recoloured(source, mapping, method, before)
    near = np.abs(to_space(source, method) - before.mean).max(axis=2) < 0.3 * np.sqrt(np.diag(before.covariance)).min()
    assert near.any()
    np.testing.assert_allclose(bounded[near], free[near], atol=2e-3)


def test_brows_under_a_wide_map_keep_their_contrast() -> None:
    """A target in harder light spreads skin by a third; black brows would be driven to black without a bound."""
    source, target = picture(1, (0.6, 0.45, 0.4), 0.03), picture(2, (0.6, 0.45, 0.4), 0.09)
    before, wanted = (statistics(each, EVERYWHERE, "covariance") for each in (source, target))
    mapping = transfer(before, wanted, "covariance", 1.0)
    brow = np.full((4, 4, 3), 0.12, np.float32)
    free, bounded = (recoloured(brow, mapping, "covariance", each).mean() for each in (None, before))
    assert free < 0.07 < 0.08 < bounded < 0.12


def test_what_makes_dark_skin_fair_makes_black_brows_no_bluer() -> None:
    """Skin gains more blue than red; brows, which are far from it in every channel, gain as much of each."""
    source, target = picture(1, (0.35, 0.22, 0.15), 0.02), picture(2, (0.75, 0.6, 0.5), 0.02)
    before, wanted = (statistics(each, EVERYWHERE, "covariance") for each in (source, target))
    mapping = transfer(before, wanted, "covariance", 1.0)
    brow = np.full((4, 4, 3), 0.03, np.float32)
    free, bounded = (recoloured(brow, mapping, "covariance", each)[0, 0] for each in (None, before))
    assert free[2] - free[0] > 0.03
    assert bounded[2] == pytest.approx(bounded[0], abs=1e-3)
    skin = recoloured(np.full((4, 4, 3), (0.35, 0.22, 0.15), np.float32), mapping, "covariance", before)[0, 0]
    np.testing.assert_allclose(skin, (0.75, 0.6, 0.5), atol=0.03)


@pytest.mark.parametrize("cast", [(-0.3, -0.1, 0.4), (0.35, 0.0, -0.35)], ids=["blue", "orange"])
def test_lips_and_brows_take_on_the_colour_of_the_light_and_skin_does_so_anyway(cast: tuple[float, ...]) -> None:
    hue = np.array(cast)
    source = picture(1, (0.7, 0.5, 0.4), 0.02)
    target = np.clip((source + 0.05) * np.exp(hue) - 0.05, 0.0, 1.0).astype(np.float32)
    before, wanted = (statistics(each, EVERYWHERE, "covariance") for each in (source, target))
    mapping = transfer(before, wanted, "covariance", 1.0)
    for colour in ((0.03, 0.03, 0.03), (0.5, 0.1, 0.12), (0.9, 0.9, 0.88)):
        one = np.full((4, 4, 3), colour, np.float32)
        without, lit = (recoloured(one, mapping, "covariance", before, each)[0, 0] for each in (None, hue))
        np.testing.assert_allclose(lit, np.clip((one[0, 0] + 0.05) * np.exp(hue) - 0.05, 0, 1), atol=0.03)
        assert np.abs(without - lit).max() > 0.01
    skin = np.full((4, 4, 3), (0.7, 0.5, 0.4), np.float32)
    plain, lit = (recoloured(skin, mapping, "covariance", before, each) for each in (None, hue))
    np.testing.assert_allclose(plain, lit, atol=1e-6)
