"""Masks against the right ones: overlap and edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.evaluation.masks import boundary_f, intersection_over_union


def disc(x: float, radius: float, size: int = 128) -> np.ndarray:
    rows, columns = np.mgrid[0:size, 0:size]
    return np.hypot(columns - x, rows - size / 2) <= radius


def test_equal_masks_are_right_in_area_and_edge() -> None:
    mask = disc(64, 40)
    assert intersection_over_union(mask, mask) == 1.0
    assert boundary_f(mask, mask) == 1.0


def test_a_mask_of_half_the_area_has_half_the_overlap() -> None:
    assert intersection_over_union(disc(64, 40 / np.sqrt(2)), disc(64, 40)) == pytest.approx(0.5, abs=0.01)


@given(shift=st.floats(0, 30), further=st.floats(1, 20))
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_mask_farther_away_is_never_better(shift: float, further: float) -> None:
    right = disc(40, 30)
    near, far = disc(40 + shift, 30), disc(40 + shift + further, 30)
    assert intersection_over_union(far, right) <= intersection_over_union(near, right)


def test_edges_count_up_to_the_tolerance_only() -> None:
    right = disc(64, 40)
    assert boundary_f(disc(64, 41), right) == 1.0  # 1.45 pixels are allowed at 128
    assert boundary_f(disc(64, 44), right) == 0.0


def test_a_hole_in_the_face_costs_the_edge_more_than_the_area() -> None:
    right = disc(64, 40)
    holed = right & ~disc(64, 6)
    assert intersection_over_union(holed, right) > 0.97
    assert boundary_f(holed, right) < 0.95


def test_nothing_found_is_nothing_and_nothing_to_find_is_no_figure() -> None:
    nothing = np.zeros((128, 128), bool)
    assert (intersection_over_union(nothing, disc(64, 40)), boundary_f(nothing, disc(64, 40))) == (0.0, 0.0)
    assert np.isnan(intersection_over_union(nothing, nothing))
    assert np.isnan(boundary_f(nothing, nothing))
