"""What the rasteriser hands to shading: the visible surface at every covered sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stages.rendering.mesh import F32, F64, I32, U8


@dataclass(frozen=True)
class GBuffer:
    """The N shaded points of a frame, row by row; the frame has `height` x `width` samples, 2 x 2 to a pixel.

    A pixel whose four samples see one solid part is shaded once, in its middle; elsewhere (edges, hair) every covered
    sample is shaded.

    index: (N,) int32, row * width + column of the sample; of a whole pixel, its top left one.
    whole: (N,) bool, whether the point stands for a whole pixel.
    part: (N,) uint8, a `Part`.
    position, normal: (N, 3) float32, camera space (x right, y down, z away), cm and unit. The camera stands at the
        origin, so the unit vector to the eye is -position / |position|. Normals face the outside of the surface.
    tangent: (N, 3) float32 camera space, unit: along the strand for HAIR, 0 elsewhere.
    uv: (N, 2) float32, see `Head.uv` and `Hair.uv`.
    rest: (N, 3) float32, see `Head.rest`; for HAIR the hair's own neutral position in head space.
    depth: (N,) float32, z in cm.
    occlusion: (N,) float32, ambient visibility 0..1; for HAIR `Hair.shade`.
    visibility: (N,) float32, share of the key light that reaches the sample (its shadow map), 0..1.
    rotation: (3, 3) float64, head space to camera space of the rigid skull, as in `PosedHead`.
    paint: (K, 8) float32, see `Prop.paint`, of the K samples whose part is one of `COVERS`, in their order.
    """

    height: int
    width: int
    index: I32
    whole: NDArray[np.bool_]
    part: U8
    position: F32
    normal: F32
    tangent: F32
    uv: F32
    rest: F32
    depth: F32
    occlusion: F32
    visibility: F32
    rotation: F64
    paint: F32 = field(default_factory=lambda: np.zeros((0, 8), np.float32))
