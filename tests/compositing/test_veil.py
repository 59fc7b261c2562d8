"""Under a veil of white a face loses as much contrast as its target; in ordinary footage it keeps all."""

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
from stages.compositing.veil import BETWEEN, WITHIN, Veil, contrasts, depth_of, own_relation, relations

SEEN = np.ones((64, 64), np.float32)


def luma(skin: float, dark: float) -> NDArray[np.float32]:
    """Skin with a few dark places."""
    picture = np.full((64, 64), skin, np.float32)
    picture[20:24, 10:54] = dark
    return picture


@given(skin=st.floats(0.2, 0.9), share=st.floats(0.0, 0.9), white=st.floats(0.0, 1.0), gain=st.floats(0.3, 1.0))
def test_depth_is_that_of_the_darkest_below_the_skin_and_falls_by_a_veil_and_not_by_light(
    skin: float, share: float, white: float, gain: float
) -> None:
    dark = skin * (1.0 - share)
    assert depth_of(luma(skin, dark), SEEN) == pytest.approx(share, abs=1e-5)
    assert depth_of(np.float32(gain) * luma(skin, dark), SEEN) == pytest.approx(share, abs=1e-5)
    veiled = (white + (1.0 - white) * luma(skin, dark)).astype(np.float32)
    assert depth_of(veiled, SEEN) <= share + 1e-5


def test_what_is_not_seen_has_no_depth() -> None:
    assert np.isnan(depth_of(luma(0.5, 0.1), 0 * SEEN))
    assert depth_of(0 * SEEN, SEEN) == 0.0
    hidden = SEEN.copy()
    hidden[20:24] = 0.0
    assert depth_of(luma(0.5, 0.1), hidden) == 0.0


@given(own=st.floats(0.4, 2.5), lost=st.floats(WITHIN + 1e-6, 1.5))
def test_light_pose_and_people_are_no_veil(own: float, lost: float) -> None:
    assert contrasts(np.array([max(own * lost, BETWEEN)]), own).tolist() == [1.0]


def test_the_thicker_the_veil_the_less_contrast_is_left() -> None:
    left = contrasts(0.8 * np.array([1.0, 0.7, 0.5, 0.4, 0.25, 0.1, 0.0]), 0.8)
    assert left[:2].tolist() == [1.0, 1.0]
    assert (np.diff(left[1:]) < 0).all()
    assert left[-1] == 0.0
    assert left[4] == pytest.approx(0.25, abs=0.05)


def test_fog_for_a_whole_clip_is_told_by_the_converted_face() -> None:
    assert contrasts(np.array([0.13]), 0.13)[0] < 0.4


def test_a_hand_over_the_eyes_hides_those_of_both_and_is_no_veil() -> None:
    depths = np.array([[0.6, 0.5]] * 9 + [[0.2, 0.17], [0.05, 0.0]])
    told = relations(depths)
    assert contrasts(told, own_relation(told)).tolist() == [1.0] * 11


def test_what_could_not_be_told_is_no_veil() -> None:
    nothing = float("nan")
    told = relations(np.array([[nothing, nothing], [0.5, nothing], [0.0, 0.0], [nothing, 0.5]]))
    assert np.isnan(told).all()
    assert contrasts(told, own_relation(told)).tolist() == [1.0] * 4
    assert contrasts(np.array([1.0]), nothing).tolist() == [1.0]
    assert np.isnan(own_relation(np.zeros(0)))
    assert own_relation(np.array([0.2, nothing, 0.4, 0.6])) == pytest.approx(0.5)


@given(st.floats(0.0, 1.0))
def test_colours_go_towards_the_skin(contrast: float) -> None:
    skin = np.array([0.8, 0.7, 0.6], np.float32)
    rgb = np.random.default_rng(0).random((20, 3), np.float32)
    moved = Veil(contrast, skin).applied(rgb)
    np.testing.assert_allclose(moved - skin, contrast * (rgb - skin), atol=1e-6)


@pytest.mark.parametrize("veil", [0.0, 1.0])
def test_a_face_fades_to_white_with_its_frame(make_scene: Callable[..., Any], tmp_path: Path, veil: float) -> None:
    """From frame 12 on the clip fades; converted faces, which have dark brows, do not."""

    def drawn(number: int) -> NDArray[np.float32]:
        picture = 150 + 20 * np.random.default_rng(number).random((48, 48), np.float32)
        picture[14:18, 12:36] = 20
        return picture

    scene = make_scene(frames=24, drawn=drawn, white=lambda number: max(0.0, (number - 11) / 12))
    (tmp_path / "done").mkdir()
    settings = CompositingSettings(colour=ColourSettings(veil=veil), grain=0.0)
    composite(scene.frames, scene.alignments, scene.converted, tmp_path / "done", settings)
    brows = {}
    for frame in Frames.read(tmp_path / "done"):
        face = frame.rgb()[25 + 12 : 25 + 52, 30 + frame.number + 16 : 30 + frame.number + 48].mean(axis=2)
        brows[frame.number] = float(np.median(face) - face.min())
    assert brows[5] > 60
    assert (brows[22] < 30) == bool(veil)
