"""In footage of few colours a face keeps none of its own; in ordinary footage it keeps them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.compositing.settings import ColourSettings, CompositingSettings
from stages.compositing.stage import composite
from stages.compositing.tint import BOTH, ORDINARY, WIDTH, Tint, measured_tint, tint_of

SIZE = 128
SEEN = np.ones((SIZE, SIZE), np.float32)
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)


def face(red: float = 0.25) -> NDArray[np.float32]:
    """Skin in slowly changing light, with red cheeks and redder lips, (SIZE, SIZE, 3) float32 0..1."""
    down, across = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    light = (0.5 + 0.5 * across)[..., None]
    skin = np.array([0.75, 0.56, 0.45])
    redness = red * (0.3 * np.exp(-(((across - 0.3) / 0.1) ** 2) - ((down - 0.5) / 0.1) ** 2))
    redness[(abs(across - 0.5) < 0.15) & (abs(down - 0.75) < 0.05)] = red
    return (light * skin * (1 - redness[..., None] * np.array([0.0, 1.0, 0.8]))).astype(np.float32)


def grey(view: NDArray[np.float32]) -> NDArray[np.float32]:
    luma = view @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return np.repeat(luma[..., None], 3, axis=2)


def faded(view: NDArray[np.float32], saturation: float) -> NDArray[np.float32]:
    return (grey(view) + np.float32(saturation) * (view - grey(view))).astype(np.float32)


def between(mine: NDArray[np.float32], his: NDArray[np.float32], strength: float = 1.0) -> Tint | None:
    return tint_of(measured_tint(mine, SEEN), measured_tint(his, SEEN), strength)


@given(red=st.floats(0.15, 0.35), other=st.floats(0.15, 0.35), gain=st.floats(0.3, 1.2))
def test_two_people_in_ordinary_footage_keep_their_colours(red: float, other: float, gain: float) -> None:
    assert between(face(red), np.float32(gain) * face(other)) is None


def test_in_black_and_white_everything_is_grey() -> None:
    tint = between(face(), grey(face(0.2)))
    assert tint is not None
    drawn = tint.applied(face())
    np.testing.assert_allclose(drawn, drawn.mean(axis=2, keepdims=True).repeat(3, axis=2), atol=2e-3)


def test_in_sepia_everything_has_its_colour() -> None:
    target = np.clip(face(0.2) @ SEPIA.T, 0.0, 1.0).astype(np.float32)
    tint = between(face(), target)
    assert tint is not None
    drawn = tint.applied(face()).reshape(-1, 3)
    ratios = drawn[:, 1:] / drawn[:, :1]
    np.testing.assert_allclose(ratios, np.broadcast_to(SEPIA.sum(axis=1)[1:] / SEPIA[0].sum(), ratios.shape), atol=0.03)


def test_the_fewer_colours_the_footage_has_the_fewer_are_kept() -> None:
    shares = [1.0 if tint is None else tint.share for tint in (between(face(), faded(face(), s)) for s in STEPS)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert 0.05 < shares[2] < 0.8


STEPS = (0.0, 0.1, 0.25, 0.6, 1.0)


def test_a_cast_takes_no_colours() -> None:
    """Under blue light the mean of a face's colours may be as weak as in black and white."""
    cool = face() / np.array([0.75, 0.56, 0.45], np.float32) * np.float32(0.5)
    assert np.linalg.norm(measured_tint(cool, SEEN)[8]) < 0.2 * measured_tint(face(), SEEN)[8]
    assert between(face(), cool) is None


@given(st.floats(0.0, 1.0))
def test_strength_is_a_share_of_the_way(strength: float) -> None:
    half = between(face(), grey(face()), strength)
    assert (half is None) == (strength == 0.0)
    if half is not None:
        assert half.share == pytest.approx(1.0 - strength)


@given(share=st.floats(0.0, 1.0), chance=st.integers(0, 99))
def test_lightness_stays(share: float, chance: int) -> None:
    rng = np.random.default_rng(chance)
    start, slope = (each - each.mean() for each in rng.normal(0, 0.05, (2, 3)))
    view = rng.uniform(0.1, 0.6, (20, 3)).astype(np.float32)
    moved = Tint(start, slope, share).applied(view)
    np.testing.assert_allclose(np.log(moved + 0.02).mean(axis=1), np.log(view + 0.02).mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(Tint(start, slope, 1.0).applied(view), view, atol=1e-5)


@given(size=st.integers(8, 96), seen=st.floats(0, 1), chance=st.integers(0, 99))
def test_what_is_measured_is_finite_however_little_is_seen(size: int, seen: float, chance: int) -> None:
    view = np.random.default_rng(chance).random((size, size, 3), np.float32)
    mask = np.ones((size, size), np.float32)
    mask[:, : round(seen * size)] = 0.0
    found = measured_tint(view, mask)
    assert found.shape == (WIDTH,)
    assert np.isfinite(found).all()
    assert 0.0 <= found[0] <= 1.0
    assert tint_of(np.zeros(WIDTH), found, 1.0) is tint_of(found, np.zeros(WIDTH), 1.0) is None


def test_the_limits_are_met() -> None:
    mine = np.array([1.0, *np.zeros(6), 0.06, 0.3])
    for apart, strong, share in [
        (1.01 / ORDINARY, 9.0, 1.0),
        (0.5 / ORDINARY, 9.0, 0.25),
        (0.5 / BOTH, 0.5 / BOTH, 0.25),
        (0.8 / BOTH, 1.3 / BOTH, 1.0),
        (0.5 / BOTH**2 / 0.2, 0.0, 0.5),
    ]:
        tint = tint_of(mine, mine * np.array([1, 1, 1, 1, 1, 1, 1, apart, strong]), 1.0)
        assert (1.0 if tint is None else tint.share) == pytest.approx(share)


@pytest.mark.parametrize("tint", [0.0, 1.0])
def test_a_finished_face_in_black_and_white_is_grey(
    make_scene: Callable[..., Any], tmp_path: Path, tint: float
) -> None:
    scene = make_scene(pixel_format="yuv444p", monochrome=True, lips=True, colour=(200, 150, 120))
    (tmp_path / "done").mkdir()
    settings = CompositingSettings(colour=ColourSettings(tint=tint))
    composite(scene.frames, scene.alignments, scene.converted, tmp_path / "done", settings)
    most = max(int(np.ptp(frame.rgb().astype(int), axis=2).max()) for frame in Frames.read(tmp_path / "done"))
    assert most <= 4 if tint else most > 20
