"""The rasteriser against a triangle that can be worked out by hand, and against brute force."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.rendering import rasteriser
from stages.rendering.camera import Camera
from stages.rendering.surface import DepthMap, occlusion, vertex_normals

NO_ALPHA = np.ones((1, 1), np.float32)


def _visible(
    points: np.ndarray, faces: np.ndarray, size: int, opaque: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    z = points[:, 2].astype(np.float64)
    uv = np.zeros((len(points), 2), np.float32)
    count = len(faces) if opaque is None else opaque
    return rasteriser.visible(
        points[:, :2].astype(np.float64), z, faces, size, size, opaque=count, uv=uv, alpha=NO_ALPHA
    )


def test_a_square_of_two_triangles_covers_each_of_its_samples_once() -> None:
    points = np.array([[2, 2, 5], [2, 6, 5], [6, 6, 5], [6, 2, 5]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    triangle, inverse = _visible(points, faces, 8)
    assert (triangle[2:6, 2:6] >= 0).all()
    assert (triangle >= 0).sum() == 16
    np.testing.assert_allclose(inverse[triangle >= 0], 1 / 5)


def test_the_nearer_triangle_wins_whatever_the_order() -> None:
    near = np.array([[0, 0, 3], [0, 8, 3], [8, 8, 3]], float)
    far = near + np.array([0.0, 0.0, 4.0])
    for points, front in ((np.concatenate([near, far]), 0), (np.concatenate([far, near]), 1)):
        triangle, _ = _visible(points, np.array([[0, 1, 2], [3, 4, 5]], np.int32), 8)
        assert set(np.unique(triangle)) == {-1, front}


def test_solid_faces_are_seen_from_outside_only_and_hair_from_both_sides() -> None:
    points = np.array([[0, 0, 3], [8, 8, 3], [0, 8, 3]], float)
    faces = np.array([[0, 1, 2]], np.int32)
    assert (_visible(points, faces, 8)[0] == -1).all()
    assert (_visible(points, faces, 8, opaque=0)[0] == 0).any()


def test_hair_is_cut_by_its_alpha() -> None:
    points = np.array([[0, 0, 3], [0, 8, 3], [8, 8, 3], [8, 0, 3]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32)
    alpha = np.array([[1.0, 0.0]], np.float32)
    triangle, _ = rasteriser.visible(points[:, :2], points[:, 2], faces, 8, 8, opaque=0, uv=uv, alpha=alpha)
    assert (triangle[:, :4] >= 0).all()
    assert (triangle[:, 4:] == -1).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_random_triangles_agree_with_brute_force(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    points = np.concatenate([rng.uniform(-4, 20, (30, 2)), rng.uniform(2, 9, (30, 1))], 1)
    faces = np.arange(30, dtype=np.int32).reshape(10, 3)
    triangle, inverse = _visible(points, faces, 16, opaque=0)
    best = np.zeros((16, 16))
    y, x = np.mgrid[0:16, 0:16] + 0.5
    for a, b, c in points[faces]:
        area = np.linalg.det([b[:2] - a[:2], c[:2] - a[:2]])
        wa = ((b[0] - x) * (c[1] - y) - (c[0] - x) * (b[1] - y)) / area
        wb = ((c[0] - x) * (a[1] - y) - (a[0] - x) * (c[1] - y)) / area
        inside = (wa >= 0) & (wb >= 0) & (wa + wb <= 1)
        best = np.maximum(best, np.where(inside, wa / a[2] + wb / b[2] + (1 - wa - wb) / c[2], 0.0))
    assert ((triangle >= 0) == (best > 0)).mean() > 0.995  # a sample on an edge may fall to either side
    both = (triangle >= 0) & (best > 0)
    np.testing.assert_allclose(inverse[both], best[both], rtol=1e-6)


def test_attributes_are_interpolated_in_perspective() -> None:
    camera = Camera(64, 64, 60.0)
    corners = np.array([[-10, -10, 20], [-10, 10, 20], [10, 10, 60], [10, -10, 60]], float)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    screen = camera.project(corners)
    triangle, _ = rasteriser.visible(
        screen, corners[:, 2], faces, 64, 64, opaque=2, uv=np.zeros((4, 2), np.float32), alpha=NO_ALPHA
    )
    index = np.flatnonzero(triangle.ravel() >= 0).astype(np.int32)
    points = np.stack([index % 64 + 0.5, index // 64 + 0.5], 1)
    got = rasteriser.interpolate(
        screen, corners[:, 2], faces, triangle.ravel()[index], points, corners.astype(np.float32)
    )
    # a point of the surface, projected, is the sample it was interpolated for
    np.testing.assert_allclose(camera.project(got), points, atol=1e-3)


def _ball(rings: int = 24) -> tuple[np.ndarray, np.ndarray]:
    from stages.rendering.block import grid_faces

    polar, around = np.meshgrid(np.linspace(0, np.pi, rings), 2 * np.pi * np.arange(rings) / rings, indexing="ij")
    points = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], -1)
    faces = grid_faces(rings, rings, wrap=True)
    return points.reshape(-1, 3).astype(np.float32), faces


def test_normals_of_a_ball_point_along_its_radius() -> None:
    points, faces = _ball()
    middle = np.abs(points[:, 1]) < 0.9
    normals = vertex_normals(points, faces, np.arange(len(points), dtype=np.int32))
    assert np.abs((normals * points).sum(1))[middle].min() > 0.98


def test_a_ball_sees_the_whole_sky_and_the_floor_below_it_less() -> None:
    points, faces = _ball()
    outward = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert occlusion(5 * points, outward, faces).min() > 0.9
    floor = np.array([[-40, -6, -40], [40, -6, -40], [40, -6, 40], [-40, -6, 40], [0, -6, 0]], np.float32)
    both = np.concatenate([5 * points, floor])
    up = np.concatenate([outward, np.tile(np.float32([0, 1, 0]), (5, 1))])
    ground = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.int32) + len(points)
    light = occlusion(both, up, np.concatenate([faces, ground]))
    assert light[-1] < 0.6 * light[-2]


def test_a_lamp_does_not_reach_behind_a_ball() -> None:
    points, faces = _ball()
    lamp = DepthMap.draw(points, faces, np.array([0.0, 1.0, 0.0]), 128)
    lit = lamp.visibility(np.array([[0, 1.0, 0], [0, -1.0, 0]], np.float32))
    assert lit[0] == 1.0
    assert lit[1] == 0.0
