"""Noise is a pure function of position and salt, smooth, centred, and different for each purpose."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.rendering import noise


def points(count: int = 4000, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-10, 10, (count, 3)).astype(np.float32)


def test_same_point_and_salt_give_the_same_value() -> None:
    where = points()
    once = noise.fractal(where, 1.7, salt=noise.salt(3, "pores"))
    again = noise.fractal(where[::-1].copy(), 1.7, salt=noise.salt(3, "pores"))[::-1]
    np.testing.assert_array_equal(once, again)


def test_purposes_and_seeds_are_independent() -> None:
    where = points()
    one = noise.fractal(where, 2.0, salt=noise.salt(3, "pores"))
    for other in (noise.salt(3, "freckles"), noise.salt(4, "pores")):
        assert abs(np.corrcoef(one, noise.fractal(where, 2.0, salt=other))[0, 1]) < 0.1


def test_fractal_is_centred_and_bounded() -> None:
    values = noise.fractal(points(50_000), 1.3, salt=5, octaves=4)
    assert abs(values.mean()) < 0.02
    assert 0.15 < values.std() < 0.45
    assert np.abs(values).max() < 2.0


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50))
def test_fractal_is_continuous(x: float, y: float, z: float) -> None:
    here = np.array([[x, y, z]], np.float32)
    step = np.float32(1e-3)
    a, b = (noise.fractal(p, 1.0, salt=9, octaves=1)[0] for p in (here, here + step))
    assert abs(a - b) < 0.02


def test_fractal_vanishes_on_the_lattice() -> None:
    lattice = np.array([[0, 0, 0], [3, -2, 7], [-5, 1, 1]], np.float32)
    np.testing.assert_array_equal(noise.fractal(lattice, 1.0, salt=2, octaves=1), 0.0)


def test_cells_measure_the_distance_to_the_nearest_centre() -> None:
    where = points(20_000)
    distance, value = noise.cells(where, 0.8, salt=11)
    assert distance.min() >= 0.0
    assert np.sqrt(3.0) > distance.max() > 0.5
    assert ((value >= 0.0) & (value <= 1.0)).all()
    # a distance changes no faster than the point moves
    moved, _ = noise.cells(where + np.float32(0.01), 0.8, salt=11)
    assert np.abs(moved - distance).max() <= 0.01 * np.sqrt(3.0) * 0.8 + 1e-4


def test_shape_of_the_points_is_kept() -> None:
    grid = np.zeros((3, 5, 3), np.float32)
    assert noise.fractal(grid, 1.0, salt=1).shape == (3, 5)
    assert noise.cells(grid, 1.0, salt=1)[0].shape == (3, 5)
