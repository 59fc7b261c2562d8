"""The meshes of a performer, as plain arrays.

Head space: centimetres, right-handed, x to the person's left, y up, z out of the face; the origin lies midway between
the ear canals of the mean head. Camera space: centimetres, x to the picture's right, y down, z away from the camera.
Vertices are split at UV seams, so every vertex has one UV; `weld` joins the copies again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


class Part(IntEnum):
    """What a face of the mesh, and so a pixel of `parts.mkv`, belongs to."""

    BACKGROUND = 0
    SKIN = 1
    LIPS = 2
    EYE = 3
    MOUTH = 4
    TEETH = 5
    TONGUE = 6
    NECK = 7
    CLOTHES = 8
    HAIR = 9
    LASHES = 10
    EAR = 11
    BROWS = 12
    BEARD = 13
    SOCKET = 14
    GLASSES = 15
    HAND = 16
    OBJECT = 17


COVERS = (Part.GLASSES, Part.HAND, Part.OBJECT)
"""What is no part of a person's head but may come before it; hair over the brow is HAIR."""


@dataclass(frozen=True)
class Eye:
    """One eyeball of a head: a sphere with a corneal bulge, turned by the gaze about its own centre.

    `centre` (3,) head space; `radius` in cm; `vertices` (first, end) its rows in the head's vertex arrays.
    """

    centre: F32
    radius: float
    vertices: tuple[int, int]


@dataclass(frozen=True)
class Head:
    """An identity's neutral head with shoulders, eyes, teeth and tongue.

    positions: (V, 3) float32, head space, mouth closed, eyes open and looking straight ahead.
    normals: (V, 3) float32, unit, smooth across UV seams.
    uv: (V, 2) float32 in 0..1. SKIN, LIPS, EAR, NECK, MOUTH, CLOTHES, TONGUE: MakeHuman's texture
        coordinates, u right, v *up*. EYE: (0.5, 0.5) is the pole of the iris and the distance from it is the angle
        from the optical axis over 180 degrees. TEETH: u along the arch from the person's right to left, 14 teeth in
        0..1; v from gum (0) to tip (1).
    rest: (V, 3) float32, each vertex on MakeHuman's *template* head (the same for all identities, eyes' centres at
        (+-3.08, 1.84, 10.37)): paint by anatomy
        ("above the brow", "under the nose") with this and it lands right on everyone. EYE: the unit direction from the
        eye's centre in the eye's own frame, z the optical axis.
    faces: (F, 3) int32, counter-clockwise seen from outside.
    parts: (F,) uint8, a `Part` a face.
    weld: (V,) int32, the geometric vertex that a vertex is a copy of.
    occlusion: (V,) float32, ambient visibility of the neutral head, 1 open, 0 shut in.
    masks: name -> (V,) float32 0..1, painted anatomy at the vertices: lips, eyelids, ears, face.
    neck: (V,) float32, 1 follows the head's motion, 0 stays with the shoulders.
    landmarks: (68,) int32, the vertices of iBUG's 68 points, see `landmarks`.
    units: the expression units: name -> (rows (K,) int32, deltas (K, 3) float32 cm), ARKit's 52 names.
    eyes: (right, left), the person's own.
    """

    positions: F32
    normals: F32
    uv: F32
    rest: F32
    faces: I32
    parts: U8
    weld: I32
    occlusion: F32
    neck: F32
    masks: dict[str, F32]
    landmarks: I32
    units: dict[str, tuple[I32, F32]]
    eyes: tuple[Eye, Eye]


@dataclass(frozen=True)
class Hair:
    """Hair (scalp, brows or beard) as extra geometry over a head: shells or cards with an alpha map.

    positions: (V, 3) float32, head space, on the neutral head.
    normals: (V, 3) float32 unit; tangents: (V, 3) float32 unit, root to tip along the strand.
    uv: (V, 2) float32 in 0..1 into `alpha`, v down.
    faces: (F, 3) int32, seen from both sides.
    bind: (V,) int32, the head vertex whose expression displacement a hair vertex follows.
    alpha: (A, B) float32 0..1; a sample of the picture is hair where it is >= 0.5 (antialiased by supersampling).
    shade: (V,) float32 0..1, depth below the hair's surface: 0 deep (dark, occluded), 1 outermost.
    """

    positions: F32
    normals: F32
    tangents: F32
    uv: F32
    faces: I32
    bind: I32
    alpha: F32
    shade: F32


@dataclass(frozen=True)
class PosedHead:
    """A head (and its hair) in one frame, in camera space.

    positions, normals: (V, 3) float32; hair_positions, hair_normals, hair_tangents: (W, 3) float32, W may be 0.
    rotation (3, 3), translation (3,) float64: head space to camera space of the rigid skull.
    """

    head: Head
    hair: Hair | None
    positions: F32
    normals: F32
    hair_positions: F32
    hair_normals: F32
    hair_tangents: F32
    rotation: F64
    translation: F64
