"""Masks: geometry of the hull, where the soft edge lies, and what it never does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.alignment.canonical_crop import template
from stages.compositing.faces import MASK_SIZE
from stages.compositing.masks import Mask, face_size, landmark_hull, raw_mask, shaped
from stages.compositing.settings import MaskSettings
from stages.topology import LEFT_EYE, RIGHT_EYE
from stages.training.regions import _LIPS
from tests.alignment.test_canonical_crop import FACE, turned

SIZE = 128


def ellipse(x: float = 0.5, y: float = 0.5, width: float = 0.3, height: float = 0.4) -> NDArray[np.float64]:
    """Points on an ellipse in the unit crop, half axes ``width`` and ``height``."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return np.stack([x + width * np.cos(angle), y + height * np.sin(angle)], axis=1)


def test_a_mask_is_one_inside_zero_outside_and_soft_between() -> None:
    decoder = np.full((64, 64), 255, np.uint8)
    outline = ellipse()
    raw = raw_mask(decoder, outline, SIZE, MaskSettings())
    mask = shaped(raw, face_size(outline) * SIZE, MaskSettings(feather=0.1))
    assert mask[SIZE // 2, SIZE // 2] == 1.0
    assert mask[0, 0] == 0.0
    assert ((mask > 0.1) & (mask < 0.9)).any()
    assert mask.dtype == np.float32
    assert mask.min() >= 0.0
    assert mask.max() <= 1.0


def test_the_hull_covers_the_area_of_its_polygon() -> None:
    hull = landmark_hull(ellipse(), SIZE)
    polygon = 0.5 * 60 * np.sin(2 * np.pi / 60) * 0.3 * 0.4
    assert hull.sum() / SIZE**2 == pytest.approx(polygon, rel=0.03)


@given(x=st.floats(0.3, 0.7), y=st.floats(0.3, 0.7))
@hypothesis_settings(max_examples=20, deadline=None)
def test_the_hull_lies_where_the_points_lie(x: float, y: float) -> None:
    hull = landmark_hull(ellipse(x, y, 0.2, 0.2), SIZE).astype(np.float64)
    centres = (np.arange(SIZE) + 0.5) / SIZE
    assert (hull.sum(axis=0) @ centres) / hull.sum() == pytest.approx(x, abs=0.2 / SIZE)
    assert (hull.sum(axis=1) @ centres) / hull.sum() == pytest.approx(y, abs=0.2 / SIZE)


def test_growing_moves_the_edge_by_its_share_of_the_face_size() -> None:
    outline = ellipse(width=0.25, height=0.25)
    size = face_size(outline) * SIZE
    raw = landmark_hull(outline, SIZE)
    radii = []
    for grow in (-0.1, 0.0, 0.1):
        mask = shaped(raw, size, MaskSettings(grow=grow, feather=0.0))
        radii.append(np.sqrt((mask > 0.5).sum() / np.pi))
    assert radii[1] - radii[0] == pytest.approx(0.1 * size, abs=1.0)
    assert radii[2] - radii[1] == pytest.approx(0.1 * size, abs=1.0)


@given(grow=st.floats(-0.2, 0.0), feather=st.floats(0.0, 0.5))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_mask_that_does_not_grow_stays_inside_itself(grow: float, feather: float) -> None:
    raw = landmark_hull(ellipse(), SIZE)
    mask = shaped(raw, face_size(ellipse()) * SIZE, MaskSettings(grow=grow, feather=feather))
    assert not mask[raw < 0.5].any()


def test_a_wider_feather_takes_away_and_never_adds() -> None:
    raw = landmark_hull(ellipse(), SIZE)
    size = face_size(ellipse()) * SIZE
    narrow = shaped(raw, size, MaskSettings(feather=0.05))
    wide = shaped(raw, size, MaskSettings(feather=0.3))
    assert (wide <= narrow + 1e-6).all()


def test_what_covers_the_face_in_the_decoders_mask_stays_uncovered() -> None:
    decoder = np.full((64, 64), 255, np.uint8)
    decoder[30:50, 20:44] = 0
    raw = raw_mask(decoder, ellipse(), SIZE, MaskSettings())
    mask = shaped(raw, face_size(ellipse()) * SIZE, MaskSettings(grow=0.0))
    assert not mask[64:96, 44:84].any()
    assert mask[30:50, 50:80].any()


@pytest.mark.parametrize(
    ("decoder", "hull", "corner", "hole"),
    [(True, True, 0, 0), (True, False, 1, 0), (False, True, 0, 1), (False, False, 1, 1)],
)
def test_the_settings_choose_the_masks(decoder: bool, hull: bool, corner: int, hole: int) -> None:
    given_mask = np.full((64, 64), 255, np.uint8)
    given_mask[28:36, 28:36] = 0
    raw = raw_mask(given_mask, ellipse(), SIZE, MaskSettings(decoder=decoder, hull=hull))
    assert raw[2, 2] == corner
    assert raw[SIZE // 2, SIZE // 2] == hole


def test_a_mask_never_reaches_the_crops_border() -> None:
    mask = shaped(np.ones((SIZE, SIZE), np.float32), SIZE * 0.8, MaskSettings(grow=0.2))
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert not border.any()


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((SIZE, SIZE), np.float32)
    assert not shaped(empty, 80.0, MaskSettings(grow=0.25)).any()


def least_over_parts(yaw: float, pitch: float, settings: MaskSettings) -> list[float]:
    """The least that a turned canonical face's finished mask is on the right eye, on the left one, and on the lips."""
    points = template(FACE, turned(yaw, pitch, 0))
    raw = raw_mask(np.full((64, 64), 255, np.uint8), points, MASK_SIZE, settings)
    mask: Mask = shaped(raw, face_size(points) * MASK_SIZE, settings)
    parts = (landmark_hull(points[list(part)], MASK_SIZE) > 0 for part in (RIGHT_EYE, LEFT_EYE, _LIPS))
    return [float(mask[part].min()) for part in parts]


@given(yaw=st.floats(-40, 40), pitch=st.floats(-20, 20))
@hypothesis_settings(max_examples=40, deadline=None)
def test_the_seam_runs_neither_through_eyes_nor_through_lips(yaw: float, pitch: float) -> None:
    assert min(least_over_parts(yaw, pitch, MaskSettings())) > 0.999


@pytest.mark.parametrize("settings", [MaskSettings(grow=0.0), MaskSettings(feather=0.14)])
def test_with_other_settings_it_may(settings: MaskSettings) -> None:
    """As docs/compositing.md says of its limits."""
    assert min(least_over_parts(40, 0, settings)) < 0.9
