"""How much could be kept at best: the truth in place of the network's word, and how it is told."""

from __future__ import annotations

import numpy as np
import pytest

from stages.bench.keeping import SIDES, table_of, truth_in
from stages.rendering.mesh import Part


@pytest.mark.parametrize("side", SIDES)
def test_the_truth_is_seen_in_the_crop_and_beside_the_face_the_network_is_believed(side: int) -> None:
    """Of a frame whose upper half is skin before which a hand passes; below it is a wall."""
    parts = np.full((100, 100), Part.BACKGROUND, np.uint8)
    parts[:50], parts[:50, 40:60] = Part.SKIN, Part.HAND
    said = np.full((side, side), 0.3, np.float32)
    seen = truth_in(parts, np.array([[0.01, 0.0, 0.0], [0.0, 0.01, 0.0]]), said, side)
    assert seen.shape == (side, side)
    middle, left, right, rim = side // 2, round(0.4 * side), round(0.6 * side), 3
    assert (seen[: middle - rim, : left - rim] > 0.99).all()
    assert (seen[: middle - rim, left + rim : right - rim] < 0.01).all()
    assert (seen[: middle - rim, right + rim : -rim] > 0.99).all()
    np.testing.assert_allclose(seen[middle + rim :], 0.3, atol=1e-6)


def test_the_table_has_a_row_for_each_way_of_knowing() -> None:
    found = {"the network": {"hand": (0.8, 0.9, 0.04), "fringe": (0.6, float("nan"), 0.0)}}
    assert table_of(found).splitlines() == [
        "| known from | hand | fringe | mean |",
        "|---|---:|---:|---:|",
        "| the network | 0.800 / 0.900 / 4.0% | 0.600 / - / 0.0% | 0.700 / 0.900 / 2.0% |",
    ]
