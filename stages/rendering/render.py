"""A performer's picture: rasterise, interpolate, shade, and what a camera does to light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from stages.rendering import deferred, hair, landmarks, shading
from stages.rendering.camera import Camera
from stages.rendering.colour import develop
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import F32, U8, Hair, Head
from stages.rendering.occluders.covering import Covering
from stages.rendering.occluders.panes import glaze
from stages.rendering.placement import Nudge
from stages.rendering.posing import Pose, pose_head


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


@dataclass(frozen=True)
class Sight:
    """As a `Picture`, before the camera: linear (H, W, 3) float32, the light of each pixel."""

    linear: F32
    parts: U8
    depth: F32
    landmarks: F32


class Performer:
    """An identity made ready to be rendered: its head, hair and painted skin."""

    def __init__(self, identity: Identity, basis: HeadBasis, nudge: Nudge | None = None) -> None:
        self.identity = identity
        self.head: Head = basis.build(identity, nudge)
        self.hair: Hair | None = hair.grow(identity, self.head)
        self.maps = shading.Maps.paint(identity, self.head)

    def render(
        self,
        pose: Pose,
        camera: Camera,
        light: Light,
        backdrop: F32,
        sensor: Sensor,
        rng: np.random.Generator,
        covering: Covering | None = None,
        seconds: float = 0.0,
    ) -> Picture:
        """Render one frame.

        Args:
            pose, camera, light, backdrop, covering, seconds: see :meth:`sight`.
            sensor: noise and blur.
            rng: draws the noise.
        """
        seen = self.sight(pose, camera, light, backdrop, covering, seconds)
        return Picture(expose(seen.linear, sensor, rng), seen.parts, seen.depth, seen.landmarks)

    def sight(
        self,
        pose: Pose,
        camera: Camera,
        light: Light,
        backdrop: F32,
        covering: Covering | None = None,
        seconds: float = 0.0,
    ) -> Sight:
        """What reaches the lens at one moment.

        Args:
            pose: what the performer does.
            camera: at the frame's resolution.
            light: the scene's light, camera space.
            backdrop: (H, W, 3) float32 linear, what stands behind.
            covering: what comes before the face.
            seconds: when, for what moves of it.
        """
        if covering is None:
            posed, prop = pose_head(self.head, self.hair, pose), None
        else:
            posed, prop = covering.over(pose_head(self.head, covering.hair_with(self.hair), pose), seconds)
        gbuffer = deferred.fill(posed, camera, light.direction, prop)
        linear = deferred.resolve(gbuffer, shading.shade(gbuffer, self.maps, light), backdrop)
        parts, depth = deferred.labels(gbuffer)
        if prop is not None:
            linear = glaze(linear, depth, prop.panes, camera, light)
        return Sight(linear, parts, depth, landmarks.project(posed, camera))


def expose(linear: F32, sensor: Sensor, rng: np.random.Generator) -> U8:
    """Linear light (H, W, 3) to 8-bit sRGB through lens blur, shot noise and read noise."""
    light = gaussian_filter(linear * sensor.exposure, (sensor.blur, sensor.blur, 0)) if sensor.blur else linear
    if sensor.shot:
        light = light + sensor.shot * np.sqrt(np.maximum(light, 0.0)) * rng.standard_normal(light.shape)
    code = 255.0 * develop(light)
    if sensor.noise:
        code = code + sensor.noise * rng.standard_normal(code.shape)
    return np.asarray(np.clip(np.rint(code), 0, 255), np.uint8)
