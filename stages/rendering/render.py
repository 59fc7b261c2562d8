"""A performer's picture: rasterise, interpolate, shade, and what a camera does to light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from stages.rendering import hair, landmarks, rasteriser, shading, skin
from stages.rendering.camera import Camera
from stages.rendering.colour import develop
from stages.rendering.gbuffer import GBuffer
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import F32, I32, U8, Hair, Head, Part, PosedHead
from stages.rendering.posing import Pose, pose_head
from stages.rendering.surface import DepthMap

SAMPLES = 2  # supersampling along each axis
SHADOW = 512  # texels along a side of the shadow map
GROWTHS = (Part.HAIR, Part.BROWS, Part.BEARD, Part.LASHES)  # the quarters of `Hair.uv` v


@dataclass(frozen=True)
class Sensor:
    """What the camera adds. noise: standard deviation of read noise in 8-bit codes; shot: of light, relative; blur:
    pixels, standard deviation of the lens; exposure: factor on linear light."""

    noise: float = 1.0
    shot: float = 0.012
    blur: float = 0.45
    exposure: float = 1.0


@dataclass(frozen=True)
class Picture:
    """A rendered frame: rgb (H, W, 3) uint8; parts (H, W) uint8 a `Part`; depth (H, W) float32 cm, 0 where there is
    nothing; landmarks (70, 2) float32 frame pixels."""

    rgb: U8
    parts: U8
    depth: F32
    landmarks: F32


class Performer:
    """An identity made ready to be rendered: its head, hair and painted skin."""

    def __init__(self, identity: Identity, basis: HeadBasis) -> None:
        self.identity = identity
        self.head: Head = basis.build(identity)
        self.hair: Hair | None = hair.grow(identity, self.head)
        self.maps = shading.Maps.paint(identity, self.head)

    def render(
        self, pose: Pose, camera: Camera, light: Light, backdrop: F32, sensor: Sensor, rng: np.random.Generator
    ) -> Picture:
        """Render one frame.

        Args:
            pose: what the performer does.
            camera: at the frame's resolution.
            light: the scene's light, camera space.
            backdrop: (H, W, 3) float32 linear, what stands behind.
            sensor: noise and blur.
            rng: draws the noise.
        """
        posed = pose_head(self.head, self.hair, pose)
        fine = Camera(
            camera.width * SAMPLES,
            camera.height * SAMPLES,
            camera.focal * SAMPLES,
            (camera.shift[0] * SAMPLES, camera.shift[1] * SAMPLES),
        )
        gbuffer = fill(posed, fine, light.direction)
        linear = shading.shade(gbuffer, self.maps, light)
        shape = (camera.height, SAMPLES, camera.width, SAMPLES)
        colour = np.zeros((fine.height * fine.width, 3), np.float32)
        covered = np.zeros(fine.height * fine.width, np.float32)
        colour[gbuffer.index], covered[gbuffer.index] = linear, 1.0
        colour = colour.reshape(*shape, 3).mean((1, 3))
        coverage = covered.reshape(shape).mean((1, 3))[..., None]
        colour = colour + (1.0 - coverage) * backdrop
        depth = np.zeros(fine.height * fine.width, np.float32)
        depth[gbuffer.index] = gbuffer.depth
        return Picture(
            rgb=expose(colour, sensor, rng),
            parts=part_labels(gbuffer, shape),
            depth=depth.reshape(shape)[:, 0, :, 0].copy(),
            landmarks=landmarks.project(posed, camera),
        )


def fill(posed: PosedHead, camera: Camera, light: F32) -> GBuffer:
    """The visible surface of a posed head at the camera's resolution; `light` (3,) is the unit vector to the key."""
    head, strands = posed.head, posed.hair
    positions, faces, attributes = _assemble(posed)
    screen, z = camera.project(positions), positions[:, 2].astype(np.float64)
    uv, alpha = attributes[:, 9:11], np.ones((1, 1), np.float32)
    if strands is not None:
        alpha = strands.alpha
    triangle, _ = rasteriser.visible(
        screen, z, faces, camera.height, camera.width, opaque=len(head.faces), uv=np.ascontiguousarray(uv), alpha=alpha
    )
    index = np.flatnonzero(triangle.ravel() >= 0).astype(np.int32)
    seen = triangle.ravel()[index]
    values = rasteriser.interpolate(screen, z, faces, seen, index, camera.width, attributes)
    part = np.full(len(faces), Part.HAIR, np.uint8)
    part[: len(head.faces)] = head.parts
    normal = values[:, 3:6]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    position = np.ascontiguousarray(values[:, 0:3])
    shadow = DepthMap.draw(positions, faces, np.asarray(light, np.float64), SHADOW)
    return GBuffer(
        height=camera.height,
        width=camera.width,
        index=index,
        part=part[seen],
        position=position,
        normal=np.ascontiguousarray(normal),
        tangent=np.ascontiguousarray(values[:, 6:9]),
        uv=np.ascontiguousarray(values[:, 9:11]),
        rest=np.ascontiguousarray(values[:, 11:14]),
        depth=np.ascontiguousarray(values[:, 2]),
        occlusion=np.ascontiguousarray(values[:, 14]),
        visibility=shadow.visibility(position + np.float32(0.35) * normal, softness=2),
        rotation=posed.rotation,
    )


def _assemble(posed: PosedHead) -> tuple[F32, I32, F32]:
    """Head and hair as one mesh: positions (V, 3), faces (F, 3), attributes (V, 15): position, normal, tangent, uv,
    rest, occlusion."""
    head, strands = posed.head, posed.hair
    count = len(head.positions)
    table = np.zeros((count + (len(strands.positions) if strands is not None else 0), 15), np.float32)
    body = table[:count]
    body[:, 0:3], body[:, 3:6], body[:, 9:11] = posed.positions, posed.normals, head.uv
    body[:, 11:14], body[:, 14] = head.rest, head.occlusion
    faces = head.faces
    if strands is not None:
        grown = table[count:]
        grown[:, 0:3], grown[:, 3:6], grown[:, 6:9] = posed.hair_positions, posed.hair_normals, posed.hair_tangents
        grown[:, 9:11], grown[:, 11:14], grown[:, 14] = strands.uv, strands.positions, strands.shade
        faces = np.concatenate([faces, strands.faces + count]).astype(np.int32)
    return np.ascontiguousarray(table[:, 0:3]), faces, table


def part_labels(gbuffer: GBuffer, shape: tuple[int, int, int, int]) -> U8:
    """A `Part` a pixel: of its samples, the label that covers most (the smaller number if two tie)."""
    label = gbuffer.part.copy()
    grown = label == Part.HAIR
    growth = np.clip((gbuffer.uv[grown, 1] * 4).astype(int), 0, 3)
    label[grown] = np.array(GROWTHS, np.uint8)[growth]
    samples = np.zeros(gbuffer.height * gbuffer.width, np.uint8)
    samples[gbuffer.index] = label
    four = np.sort(samples.reshape(shape).transpose(0, 2, 1, 3).reshape(shape[0], shape[2], -1), axis=2)
    # sorted a <= b <= c <= d: a label with a majority is b or c; with two pairs b; with all different the smallest
    pair = np.where(four[..., 2] == four[..., 3], four[..., 3], four[..., 0])
    pair = np.where((four[..., 1] == four[..., 2]), four[..., 1], pair)
    return np.where(four[..., 0] == four[..., 1], four[..., 0], pair).astype(np.uint8)


def expose(linear: F32, sensor: Sensor, rng: np.random.Generator) -> U8:
    """Linear light (H, W, 3) to 8-bit sRGB through lens blur, shot noise and read noise."""
    light = gaussian_filter(linear * sensor.exposure, (sensor.blur, sensor.blur, 0)) if sensor.blur else linear
    if sensor.shot:
        light = light + sensor.shot * np.sqrt(np.maximum(light, 0.0)) * rng.standard_normal(light.shape)
    code = 255.0 * develop(light)
    if sensor.noise:
        code = code + sensor.noise * rng.standard_normal(code.shape)
    return np.clip(np.rint(code), 0, 255).astype(np.uint8)


__all__ = ["GBuffer", "Performer", "Picture", "Sensor", "expose", "fill", "replace", "skin"]
