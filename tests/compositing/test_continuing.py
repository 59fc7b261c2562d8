"""A converted face goes on over the source's own hair and background, and is not touched where it is a face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing.continuing import continued
from stages.compositing.inputs import Inputs
from stages.compositing.measuring import Measured, measured
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite
from stages.geometry import as_matrix, crop
from tests.compositing.conftest import Scene

SIDE, SIZE = 128, 0.5
SKIN, HAIR = (0.8, 0.6, 0.5), (0.05, 0.04, 0.03)


def shown_from(column: int, side: int = SIDE) -> NDArray[np.float32]:
    """A face right of a column of a crop, hair left of it."""
    shown = np.zeros((side, side), np.float32)
    shown[:, column:] = 1.0
    return shown


def picture(shown: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(shown[..., None] > 0.5, np.float32(SKIN), np.float32(HAIR))


def test_skin_goes_on_where_the_picture_shows_hair() -> None:
    shown = shown_from(40)
    rgb = picture(shown)
    result = continued(rgb, shown, SIZE)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, np.broadcast_to(np.float32(SKIN), rgb.shape), atol=0.02)


def test_the_face_keeps_its_pixels_beyond_a_narrow_edge() -> None:
    shown = shown_from(40)
    rgb = np.random.default_rng(1).random((SIDE, SIDE, 3), dtype=np.float32)
    result = continued(rgb, shown, SIZE)
    inside = 40 + int(np.ceil(0.07 * SIZE * SIDE)) + 1
    np.testing.assert_array_equal(result[:, inside:], rgb[:, inside:])
    assert (result[:, :30] != rgb[:, :30]).mean() > 0.99


def test_what_is_no_face_within_the_face_stays() -> None:
    shown = np.ones((SIDE, SIDE), np.float32)
    shown[50:58, 70:84] = 0.1
    rgb = picture(shown)
    np.testing.assert_array_equal(continued(rgb, shown, SIZE), rgb)


def test_a_narrow_gap_from_outside_into_the_face_opens_nothing() -> None:
    shown = shown_from(40)
    shown[60:70, 80:94] = 0.1
    shown[64:66, 40:80] = 0.1
    rgb = np.random.default_rng(3).random((SIDE, SIDE, 3), dtype=np.float32)
    result = continued(rgb, shown, SIZE)
    np.testing.assert_array_equal(result[:, 50:], rgb[:, 50:])


def test_a_face_is_one_region_and_what_else_is_taken_for_one_is_not() -> None:
    shown = shown_from(60)
    shown[100:110, 10:20] = 1.0
    rgb = picture(shown_from(60))
    result = continued(rgb, shown, SIZE)
    np.testing.assert_allclose(result[100:110, 10:20], np.broadcast_to(np.float32(SKIN), (10, 10, 3)), atol=0.02)


@pytest.mark.parametrize("known", ["nowhere", "in a speck", "in a sliver"])
def test_where_no_face_is_known_the_picture_stays(known: str) -> None:
    shown = np.zeros((SIDE, SIDE), np.float32)
    if known == "in a speck":
        shown[60:66, 60:66] = 1.0
    elif known == "in a sliver":
        shown[:, 60:63] = 1.0
    rgb = np.random.default_rng(2).random((SIDE, SIDE, 3), dtype=np.float32)
    np.testing.assert_array_equal(continued(rgb, shown, SIZE), rgb)


def test_a_picture_that_is_all_face_stays() -> None:
    rgb = np.random.default_rng(2).random((SIDE, SIDE, 3), dtype=np.float32)
    np.testing.assert_array_equal(continued(rgb, np.ones((SIDE, SIDE), np.float32), SIZE), rgb)


@pytest.mark.parametrize("side", [64, 256, 512])
def test_any_size_of_model_is_continued(side: int) -> None:
    shown = shown_from(40)
    rgb = picture(shown_from(40 * side // SIDE, side))
    result = continued(rgb, shown, SIZE)
    assert result.shape == (side, side, 3)
    assert result[:, : side // 4].min() > 0.4
    np.testing.assert_allclose(result[:, side // 2 :], rgb[:, side // 2 :], atol=1e-6)


@given(seed=st.integers(0, 999), column=st.integers(1, 120))
@hypothesis_settings(max_examples=20, deadline=None)
def test_colours_stay_between_those_of_the_picture(seed: int, column: int) -> None:
    rgb = np.random.default_rng(seed).random((SIDE, SIDE, 3), dtype=np.float32)
    result = continued(rgb, shown_from(column), SIZE)
    assert result.min() >= -1e-5
    assert result.max() <= 1.0 + 1e-5


PLAIN = CompositingSettings.model_validate(
    {"colour": {"method": "none"}, "light": {"method": "none"}, "motion_blur": 0, "focus": 0, "grain": 0}
)


def test_the_sources_hair_is_not_placed(make_scene: Callable[..., Scene], tmp_path: Path) -> None:
    scene = make_scene(frames=3, hair=True, colour=(200, 60, 40))
    folder = tmp_path / "finished"
    folder.mkdir()
    composite(scene.frames, scene.alignments, scene.converted, folder, PLAIN)
    for frame, transform in zip(Frames.read(folder), scene.alignments.table["transform"], strict=True):
        left, right = (crop(frame.rgb(), as_matrix(transform), 64)[28:36, at] for at in (slice(22, 28), slice(36, 42)))
        np.testing.assert_allclose(left.mean(axis=(0, 1)), right.mean(axis=(0, 1)), atol=12)
        np.testing.assert_allclose(right.mean(axis=(0, 1)), (200, 60, 40), atol=12)


def test_the_sources_hair_is_not_measured(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(frames=3, hair=True)
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    faces = inputs.some(range(len(inputs.faces))).faces

    def darkest(found: Measured) -> float:
        return float(found.statistics[:, 0, :3].min())

    class Unknown(Converted):
        def shown(self, rows: pd.DataFrame | None = None) -> Iterator[NDArray[np.uint8]]:
            return (np.full_like(each, 255) for each in super().shown(rows))

    blind = Unknown(scene.converted.folder, scene.converted.index, scene.converted.facts)
    known, unknown = (measured(scene.frames, faces, each, CompositingSettings()) for each in (scene.converted, blind))
    assert darkest(known) > darkest(unknown) + 0.3
