"""Deferred shading's two ends: from a posed head to the points that are seen, and from their light to pixels."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from stages.rendering import rasteriser
from stages.rendering.camera import Camera
from stages.rendering.gbuffer import GBuffer
from stages.rendering.mesh import COVERS, F32, F64, I32, U8, Part, PosedHead
from stages.rendering.occluders.prop import Prop
from stages.rendering.surface import DepthMap

SAMPLES = 2  # along either side of a pixel
SHADOW = 512  # texels along a side of the shadow map
SAME_SURFACE = 0.01  # relative difference of depth within a pixel up to which it is shaded once
GROWTHS = (Part.HAIR, Part.BROWS, Part.BEARD, Part.LASHES)  # the quarters of `Hair.uv` v


def fill(posed: PosedHead, camera: Camera, light: F32, prop: Prop | None = None) -> GBuffer:
    """The visible surface of a posed head, and of what comes before it.

    Args:
        posed: in camera space.
        camera: at the frame's resolution.
        light: (3,) unit vector toward the lamp that casts the shadow.
        prop: in camera space.
    """
    fine = Camera(
        camera.width * SAMPLES,
        camera.height * SAMPLES,
        camera.focal * SAMPLES,
        (camera.shift[0] * SAMPLES, camera.shift[1] * SAMPLES),
    )
    head, strands = posed.head, posed.hair
    positions, faces, attributes = _assemble(posed, prop)
    solid = head.parts if prop is None else np.concatenate([head.parts, prop.parts])
    screen, z = fine.project(positions), positions[:, 2].astype(np.float64)
    triangle, nearest = rasteriser.visible(
        screen,
        z,
        faces,
        fine.height,
        fine.width,
        opaque=len(solid),
        uv=np.ascontiguousarray(attributes[:, 9:11]),
        alpha=np.ones((1, 1), np.float32) if strands is None else strands.alpha,
    )
    part = np.full(len(faces), Part.HAIR, np.uint8)
    part[: len(solid)] = solid
    chosen: tuple[I32, NDArray[np.bool_]] = _points(triangle, nearest, part)
    index, whole = chosen
    seen = triangle.ravel()[index]
    middle = np.where(whole, 1.0, 0.5)
    points: F64 = np.stack([index % fine.width + middle, index // fine.width + middle], 1)
    values = rasteriser.interpolate(screen, z, faces, seen, points, attributes)
    position, normal = values[:, 0:3].copy(), values[:, 3:6].copy()
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + np.float32(1e-9)
    paint = np.zeros((0, 8), np.float32)
    if prop is not None:
        rows = np.flatnonzero(np.isin(part[seen], COVERS))
        own = np.s_[len(head.positions) : len(head.positions) + len(prop.positions)]
        first = np.int32(len(head.faces))
        paint = rasteriser.interpolate(screen[own], z[own], prop.faces, seen[rows] - first, points[rows], prop.paint)
    shadow = DepthMap.draw(positions, faces, np.asarray(light, np.float64), SHADOW)
    return GBuffer(
        height=fine.height,
        width=fine.width,
        index=index,
        whole=whole,
        part=part[seen],
        position=position,
        normal=normal,
        tangent=values[:, 6:9].copy(),
        uv=values[:, 9:11].copy(),
        rest=values[:, 11:14].copy(),
        depth=values[:, 2].copy(),
        occlusion=np.clip(values[:, 14], 0.0, 1.0),
        visibility=shadow.visibility(position + np.float32(0.35) * normal, softness=2),
        rotation=posed.rotation,
        paint=paint,
    )


def _assemble(posed: PosedHead, prop: Prop | None) -> tuple[F32, I32, F32]:
    """Head, prop and hair as one mesh: positions (V, 3), faces (F, 3), attributes (V, 15): position, normal, tangent,
    uv, rest, occlusion."""
    head, strands = posed.head, posed.hair
    bare = len(head.positions)
    count = bare + (len(prop.positions) if prop is not None else 0)
    table = np.zeros((count + (len(strands.positions) if strands is not None else 0), 15), np.float32)
    body = table[:bare]
    body[:, 0:3], body[:, 3:6], body[:, 9:11] = posed.positions, posed.normals, head.uv
    body[:, 11:14], body[:, 14] = head.rest, head.occlusion
    faces = head.faces
    if prop is not None:
        before = table[bare:count]
        before[:, 0:3], before[:, 3:6], before[:, 11:14] = prop.positions, prop.normals, prop.rest
        before[:, 14] = prop.occlusion
        faces = np.concatenate([faces, prop.faces + bare]).astype(np.int32)
    if strands is not None:
        grown = table[count:]
        grown[:, 0:3], grown[:, 3:6], grown[:, 6:9] = posed.hair_positions, posed.hair_normals, posed.hair_tangents
        grown[:, 9:11], grown[:, 11:14], grown[:, 14] = strands.uv, strands.positions, strands.shade
        faces = np.concatenate([faces, strands.faces + count]).astype(np.int32)
    return np.ascontiguousarray(table[:, 0:3]), faces, table


@numba.njit(cache=True, nogil=True)
def _points(triangle: I32, nearest: F64, part: U8) -> tuple[I32, NDArray[np.bool_]]:
    """Which samples are shaded, and which of them stand for their whole pixel."""
    height, width = triangle.shape
    index = np.empty(height * width, np.int32)
    whole = np.empty(height * width, np.bool_)
    count = 0
    for y in range(0, height, 2):
        for x in range(0, width, 2):
            first = triangle[y, x]
            same = first >= 0 and part[first] != 9
            if same:
                low, high = nearest[y, x], nearest[y, x]
                for k in range(1, 4):
                    other = triangle[y + k // 2, x + k % 2]
                    if other < 0 or part[other] != part[first]:
                        same = False
                        break
                    low, high = min(low, nearest[y + k // 2, x + k % 2]), max(high, nearest[y + k // 2, x + k % 2])
                same = same and high <= low * (1.0 + SAME_SURFACE)
            for k in range(1 if same else 4):
                if triangle[y + k // 2, x + k % 2] >= 0:
                    index[count] = (y + k // 2) * width + x + k % 2
                    whole[count] = same
                    count += 1
    return index[:count].copy(), whole[:count].copy()


def resolve(gbuffer: GBuffer, linear: F32, backdrop: F32) -> F32:
    """Light (N, 3) of the shaded points over a backdrop (H, W, 3), as a picture (H, W, 3) float32."""
    height, width = gbuffer.height // SAMPLES, gbuffer.width // SAMPLES
    total = np.zeros((height * width, 4), np.float32)
    _accumulate(gbuffer.index, gbuffer.whole, gbuffer.width, linear, total)
    picture = total.reshape(height, width, 4)
    return picture[..., :3] + (1.0 - picture[..., 3:]) * backdrop


@numba.njit(cache=True, nogil=True)
def _accumulate(index: I32, whole: NDArray[np.bool_], width: int, linear: F32, total: F32) -> None:
    for i in range(index.shape[0]):
        pixel = (index[i] // width // 2) * (width // 2) + index[i] % width // 2
        share = np.float32(1.0 if whole[i] else 0.25)
        for k in range(3):
            total[pixel, k] += share * linear[i, k]
        total[pixel, 3] += share


def labels(gbuffer: GBuffer) -> tuple[U8, F32]:
    """A `Part` a pixel, (H, W) uint8: the label of most of its samples (the smaller if two tie); and the depth of its
    nearest sample, (H, W) float32 cm, 0 where there is nothing."""
    label = gbuffer.part.copy()
    grown = label == Part.HAIR
    growth = np.clip((gbuffer.uv[grown, 1] * 4).astype(int), 0, 3)
    label[grown] = np.array(GROWTHS, np.uint8)[growth]
    height, width = gbuffer.height // SAMPLES, gbuffer.width // SAMPLES
    votes = np.zeros((height * width, len(Part)), np.uint8)
    depth = np.zeros(height * width, np.float32)
    _vote(gbuffer.index, gbuffer.whole, gbuffer.width, label, gbuffer.depth, votes, depth)
    votes[:, Part.BACKGROUND] = 4 - votes[:, 1:].sum(1)
    return votes.argmax(1).astype(np.uint8).reshape(height, width), depth.reshape(height, width)


@numba.njit(cache=True, nogil=True)
def _vote(index: I32, whole: NDArray[np.bool_], width: int, label: U8, z: F32, votes: U8, depth: F32) -> None:
    for i in range(index.shape[0]):
        pixel = (index[i] // width // 2) * (width // 2) + index[i] % width // 2
        votes[pixel, label[i]] += 4 if whole[i] else 1
        if depth[pixel] == 0.0 or z[i] < depth[pixel]:
            depth[pixel] = z[i]
