"""The pixel convention and the similarity transform: round trips and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import geometry

angles = st.floats(-3.1, 3.1)
scales = st.floats(0.01, 50.0)
shifts = st.floats(-500.0, 500.0)


def similarity(angle: float, scale: float, dx: float, dy: float) -> geometry.Floats:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, dx], [s, c, dy]])


@given(angles, scales, shifts, shifts)
def test_umeyama_finds_the_similarity_that_moved_the_points(angle: float, scale: float, dx: float, dy: float) -> None:
    points = np.random.default_rng(1).normal(size=(9, 2)) * 10
    wanted = similarity(angle, scale, dx, dy)
    found = geometry.umeyama(points, geometry.apply(wanted, points))
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-6 * max(1.0, scale))


def test_umeyama_never_mirrors() -> None:
    points = np.random.default_rng(2).normal(size=(12, 2))
    found = geometry.umeyama(points, points * [-1, 1])
    assert np.linalg.det(found[:, :2]) > 0


def test_umeyama_heeds_weights() -> None:
    source = np.array([[0.0, 0], [1, 0], [0, 1], [5, 5]])
    target = source.copy()
    target[3] += 100
    found = geometry.umeyama(source, target, np.array([1.0, 1, 1, 0]))
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_umeyama_refuses_points_that_determine_nothing() -> None:
    with pytest.raises(ValueError, match="two points apart"):
        geometry.umeyama(np.ones((5, 2)), np.zeros((5, 2)))


@given(angles, scales, shifts, shifts)
def test_inverse_undoes_and_compose_is_in_order(angle: float, scale: float, dx: float, dy: float) -> None:
    transform = similarity(angle, scale, dx, dy)
    points = np.array([[0.0, 0.0], [3.0, -7.0], [120.5, 88.25]])
    there = geometry.apply(transform, points)
    np.testing.assert_allclose(geometry.apply(geometry.invert(transform), there), points, atol=1e-5)
    double = np.array([[2.0, 0, 1], [0, 2, 1]])
    np.testing.assert_allclose(geometry.apply(geometry.compose(transform, double), points), there * 2 + 1, atol=1e-6)


def test_identity_warp_keeps_every_pixel() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(geometry.warp(picture, np.eye(2, 3), 30, 20), picture)


def test_a_pixel_centre_lies_at_one_half() -> None:
    """Doubling a picture puts the first pixel's centre, (0.5, 0.5), at (1, 1): between the first four pixels."""
    picture = np.zeros((8, 8), np.float32)
    picture[2, 3] = 1.0
    doubled = geometry.warp(picture, np.array([[2.0, 0, 0], [0, 2.0, 0]]), 16, 16)
    ys, xs = np.mgrid[0:16, 0:16] + 0.5
    centre = (doubled * xs).sum() / doubled.sum(), (doubled * ys).sum() / doubled.sum()
    np.testing.assert_allclose(centre, (7.0, 5.0), atol=1e-3)


def test_crop_samples_the_unit_crop() -> None:
    """A crop whose transform is an aligned block of pixels is that block."""
    frame = np.random.default_rng(4).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    transform = np.array([[1 / 16, 0, -24 / 16], [0, 1 / 16, -8 / 16]])
    np.testing.assert_array_equal(geometry.crop(frame, transform, 16), frame[8:24, 24:40])


def test_shrinking_does_not_alias() -> None:
    """A checkerboard of single pixels shrinks to grey, not to a pattern."""
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    frame = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    small = geometry.crop(frame, np.array([[1 / 240.5, 0, -0.02], [0, 1 / 240.5, -0.02]]), 32)[2:-2, 2:-2]
    assert abs(float(small.mean()) - 127.5) < 2
    assert float(small.std()) < 4


def test_what_lies_out_of_the_frame_is_known() -> None:
    """Of a turned crop over the frame's lower right corner, by what a white frame on black leaves."""
    turn = geometry.as_matrix([0.04, 0.01, -1.6, -0.01, 0.04, -0.4])
    outside = geometry.beyond(turn, 64, 50, 40)
    white = np.pad(np.full((40, 50), 255, np.uint8), 100)
    moved = geometry.compose(np.array([[1.0, 0.0, -100.0], [0.0, 1.0, -100.0]]), turn)
    seen = geometry.warp(white, geometry.compose(moved, geometry.to_pixels(64)), 64, 64)
    assert 0.2 < outside.mean() < 0.8
    assert ((seen > 127) == ~outside).mean() > 0.995  # a rounding decides on the very edge
    assert not geometry.beyond(geometry.as_matrix([0.05, 0, -0.5, 0, 0.05, -0.5]), 64, 50, 40).any()


def test_region_is_cut_to_the_frame_and_falls_on_multiples() -> None:
    transform = np.array([[1 / 31.0, 0, 5 / 31], [0, 1 / 31.0, -7 / 31]])
    assert geometry.region(transform, 100, 100, multiple=2) == (0, 6, 26, 38)
    outside = np.array([[1 / 10.0, 0, 90 / 10], [0, 1 / 10.0, 0]])
    x0, _, x1, _ = geometry.region(outside, 50, 50)
    assert x1 <= x0
    assert geometry.crop(np.zeros((50, 50, 3), np.uint8), outside, 8).shape == (8, 8, 3)
