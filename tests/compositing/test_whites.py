"""The whites of eyes: what is measured of them, and that eyes follow the light and not the skin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.match import Match
from stages.compositing.recolouring import Affine
from stages.compositing.steadiness import Weights, smoothed
from stages.compositing.whites import cast_of, gain_of, measured_whites, open_eyes
from stages.topology import LEFT_EYE, RIGHT_EYE

SIZE = 128
WARM = np.array([1.0, 0.8, 0.6], np.float32)
SEEN = np.ones((SIZE, SIZE), np.float32)


def outline(height: float = 0.03) -> NDArray[np.float64]:
    """Landmarks of which the eyes are right: two ellipses, as high as they are open."""
    points = np.full((478, 2), 0.5)
    for eye, x in ((RIGHT_EYE, 0.35), (LEFT_EYE, 0.65)):
        angles = np.linspace(0, 2 * np.pi, len(eye), endpoint=False)
        points[list(eye)] = np.stack([x + 0.06 * np.cos(angles), 0.4 + height * np.sin(angles)], axis=1)
    return points


def face(skin: float, white: float, iris: float = 0.1, height: float = 0.03) -> NDArray[np.float32]:
    """Warm skin, grey eyes and dark irises, (SIZE, SIZE, 3) float32 0..1."""
    down, across = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    picture = np.full((SIZE, SIZE), -1.0, np.float32)
    for x in (0.35, 0.65):
        inside = ((across - x) / 0.06) ** 2 + ((down - 0.4) / max(height, 1e-6)) ** 2 < 1
        picture[inside] = white
        picture[inside & ((across - x) ** 2 + (down - 0.4) ** 2 < 0.02**2)] = iris
    grey = np.repeat(picture[..., None], 3, axis=2)
    return np.where(grey < 0, np.float32(skin) * WARM, grey).astype(np.float32)


@given(white=st.floats(0.3, 0.9), skin=st.floats(0.05, 0.9), iris=st.floats(0.0, 0.25))
def test_the_mean_is_that_of_the_whites_whatever_skin_and_iris_are(white: float, skin: float, iris: float) -> None:
    share, *sums, warm = measured_whites(face(skin, white, iris), SEEN, outline())
    assert 0.0005 < share < 0.02
    assert warm / share == pytest.approx(0.4 * skin / (1.6 * skin + 0.05), abs=1e-3)
    assert np.array(sums) / share == pytest.approx(np.log(white + 0.05), abs=0.02)


@given(
    size=st.integers(8, 96),
    height=st.floats(0.0, 0.06),
    seen=st.floats(0, 1),
    chance=st.integers(0, 99),
)
def test_what_is_measured_is_finite_however_little_is_seen(size: int, height: float, seen: float, chance: int) -> None:
    view = np.random.default_rng(chance).random((size, size, 3), np.float32)
    mask = np.ones((size, size), np.float32)
    mask[:, : round(seen * size)] = 0.0
    found = measured_whites(view, mask, outline(height))
    assert np.isfinite(found).all()
    assert (found[0] == 0.0) <= (not found.any())


def test_an_eye_of_which_half_is_seen_counts_for_half() -> None:
    mask = SEEN.copy()
    mask[:, : round(0.65 * SIZE)] = 0.0  # one eye and half of the other
    whole, half = (measured_whites(face(0.4, 0.7), each, outline())[0] for each in (SEEN, mask))
    assert half / whole == pytest.approx(0.25, abs=0.03)


def test_what_is_hidden_is_not_measured() -> None:
    assert not measured_whites(face(0.5, 0.8), np.zeros((SIZE, SIZE), np.float32), outline()).any()


def brightened(share: float) -> Affine:
    """A map that adds so much to the logarithm of every channel, as to make dark skin light."""
    return Affine(np.hstack([np.eye(3), np.full((3, 1), share)]), "covariance")


@pytest.mark.parametrize("skins", [(0.25, 0.6), (0.6, 0.25)], ids=["to lighter skin", "to darker skin"])
@pytest.mark.parametrize("light", [0.5, 1.0])
def test_eyes_follow_the_light_and_not_the_skin(skins: tuple[float, float], light: float) -> None:
    mine, his = skins
    crop, target = face(mine, 0.7), light * face(his, 0.7)
    both = [measured_whites(view, SEEN, outline()) for view in (crop, target)]
    colours = brightened(float(np.log((light * his + 0.05) / (mine + 0.05))))
    whites = gain_of(both[0], both[1], 1.0)
    assert whites is not None
    found = Match(colours, 1.0, whites=whites).applied(np.rint(255 * crop).astype(np.uint8), outline())
    skin, white = found[100, 64, 0], found[51, 40, 0]
    assert skin == pytest.approx(light * his, abs=0.01)
    assert white == pytest.approx(light * 0.7, abs=0.03)
    without = Match(colours, 1.0).applied(np.rint(255 * crop).astype(np.uint8), outline())
    assert abs(without[51, 40, 0] - light * 0.7) > 0.1, "the skin's map alone makes them glow, or grey"
    assert np.array_equal(found[80:], without[80:]), "what is no eye is as without"


def test_strength_mixes_both_ways() -> None:
    crop = face(0.3, 0.7)
    both = [measured_whites(view, SEEN, outline()) for view in (crop, face(0.6, 0.7))]
    asked = [gain_of(both[0], both[1], strength) for strength in (0.0, 0.5, 1.0)]
    assert asked[0] is None
    eyes = [
        Match(brightened(0.5), 1.0, whites=each).applied(np.rint(255 * crop).astype(np.uint8), outline())[51, 40, 0]
        for each in asked
    ]
    assert eyes[1] == pytest.approx((eyes[0] + eyes[2]) / 2, abs=0.01)


def test_closed_eyes_go_with_the_skin() -> None:
    shut = [measured_whites(face(0.4, 0.7, height=0.0), SEEN, outline(0.0005)) for _ in range(2)]
    assert gain_of(shut[0], shut[1], 1.0) is None


def test_dark_glasses_do_not_make_black_eyes() -> None:
    both = [measured_whites(view, SEEN, outline()) for view in (face(0.4, 0.8), face(0.4, 0.02, 0.02))]
    whites = gain_of(both[0], both[1], 1.0)
    assert whites is not None
    assert whites.gain == pytest.approx(-0.7)


def test_over_time_a_blink_counts_for_little() -> None:
    sums = np.array([measured_whites(face(0.4, 0.7), SEEN, outline()) for _ in range(5)])
    sums[2] = measured_whites(face(0.4, 0.2, 0.2, height=0.002), SEEN, outline(0.002))
    steady = smoothed(sums, Weights(np.arange(5) / 25.0, [np.arange(5)], 0.2))
    assert steady[2, 1] / steady[2, 0] == pytest.approx(np.log(0.75), abs=0.03)


@given(height=st.floats(0.005, 0.06))
def test_what_is_open_lies_between_the_lids_and_fades(height: float) -> None:
    found = open_eyes(outline(height), SIZE)
    assert found.min() >= 0.0
    assert found.max() <= 1.0
    assert found[51, int(0.35 * SIZE)] > 0.3
    assert found[: int(0.25 * SIZE)].max() == 0.0
    assert found[:, 64].max() == 0.0, "the nose is no eye"
    wider = open_eyes(outline(height + 0.02), SIZE)
    assert wider.sum() > found.sum()


@given(
    skins=st.tuples(st.floats(0.2, 0.9), st.floats(0.2, 0.9)),
    light=st.tuples(*[st.floats(0.6, 1.1)] * 3),
)
def test_the_colour_of_the_light_is_that_of_the_whites_whatever_the_skins_are(
    skins: tuple[float, float], light: tuple[float, float, float]
) -> None:
    mine, his = (measured_whites(face(skin, 0.7), SEEN, outline()) for skin in skins)
    lit = measured_whites((face(skins[1], 0.7) * np.array(light)).astype(np.float32), SEEN, outline())
    assert cast_of(gain_of(mine, his, 1.0)) == pytest.approx(0.0, abs=1e-6)
    found = cast_of(gain_of(mine, lit, 1.0))
    expected = np.log(0.7 * np.array(light) + 0.05)
    assert found is not None
    assert found.sum() == pytest.approx(0.0, abs=1e-9)
    assert found == pytest.approx(expected - expected.mean(), abs=0.06)


def test_no_whites_no_cast() -> None:
    assert cast_of(None) is None
