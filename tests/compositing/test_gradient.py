"""Gradient-domain blending: the solver against a direct one, and what of the two pictures comes through."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.compositing.blending import blend
from stages.compositing.gradient import membrane
from stages.compositing.settings import BlendSettings

Plane = NDArray[np.float32]
GRADIENT = BlendSettings(method="gradient")


def ellipse(height: int, width: int, right: float = 0.0) -> NDArray[np.bool_]:
    """About the middle, or as many pixels to the right of it."""
    y, x = np.mgrid[:height, :width] + 0.5
    inside = ((y - height / 2) / (0.42 * height)) ** 2 + ((x - width / 2 - right) / (0.4 * width)) ** 2 < 1
    return np.asarray(inside)


def differences(height: int, width: int) -> Plane:
    """Of about a hundred code values, with noise."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(1).normal(0, 4, (height, width))
    return np.asarray(40 * np.sin(x / 20) + 30 * np.cos(y / 15) + noise, np.float32)


def solved(difference: Plane, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The same by a sparse direct solver: each inner value is the mean of its neighbours."""
    height, width = inside.shape

    def chain(length: int) -> scipy.sparse.spmatrix:
        return scipy.sparse.diags([1.0, 1.0], [-1, 1], shape=(length, length))

    near = scipy.sparse.kronsum(chain(width), chain(height), format="csr")
    degree = scipy.sparse.diags(np.asarray(near.sum(axis=1)).ravel())
    free = scipy.sparse.diags(inside.ravel().astype(float))
    system = free @ (degree - near) + scipy.sparse.diags((~inside).ravel().astype(float))
    right = np.where(inside, 0.0, difference).ravel()
    return np.asarray(scipy.sparse.linalg.spsolve(system.tocsc(), right).reshape(inside.shape))


@pytest.mark.parametrize(("height", "width"), [(90, 117), (64, 64), (33, 41), (130, 70)])
def test_the_membrane_is_a_direct_solvers(height: int, width: int) -> None:
    inside, difference = ellipse(height, width), differences(height, width)
    away = np.abs(membrane(difference, inside) - solved(difference, inside))
    assert away.max() < 1.0
    assert away.mean() < 0.3


def test_a_face_half_out_of_the_picture_is_pulled_by_the_seam_alone() -> None:
    inside, difference = ellipse(120, 100, right=30.0), differences(120, 100)
    assert inside[:, -1].any()
    assert np.abs(membrane(difference, inside) - solved(difference, inside)).mean() < 2.0


@given(height=st.integers(3, 70), width=st.integers(3, 70), seed=st.integers(0, 99))
@hypothesis_settings(max_examples=30, deadline=None)
def test_whatever_the_mask_it_stays_between_the_seams_values(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside, difference = rng.random((height, width)) < 0.6, differences(height, width)
    found = membrane(difference, inside)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found[~inside], difference[~inside])
    if not inside.all():
        assert difference[~inside].min() - 1.0 <= found.min() <= found.max() <= difference[~inside].max() + 1.0


def test_another_level_of_brightness_vanishes_and_detail_stays() -> None:
    """A face that is brighter all over, and has a mole: the mole comes over, the brightness does not."""
    alpha = ellipse(96, 96).astype(np.float32)
    target, layer = np.full((96, 96), 100, np.float32), np.full((96, 96), 150, np.float32)
    layer[44:50, 44:50] -= 30.0
    result = blend(target, layer, alpha, GRADIENT)
    np.testing.assert_allclose(result[44:50, 44:50], 70.0, atol=1.0)
    np.testing.assert_allclose(result[70:, :], 100.0, atol=1.0)


def test_the_layer_on_the_whole_picture_is_the_layer() -> None:
    target, layer = differences(40, 40), differences(40, 40)[::-1]
    np.testing.assert_allclose(blend(target, layer, np.ones((40, 40), np.float32), GRADIENT), layer, atol=1e-4)
