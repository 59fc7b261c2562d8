"""A thing before a face, as one mesh that is drawn with the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stages.rendering.mesh import F32, F64, I32, U8, Part
from stages.rendering.surface import occlusion, vertex_normals


@dataclass(frozen=True)
class Finish:
    """How a surface sends light back.

    albedo: linear R, G, B 0..1. roughness 0..1; gloss: strength of the highlight; scattering: 1 as skin, 0 not at all;
    depth: exponent of the ambient visibility; grain: amplitude of fine unevenness in colour and relief.
    """

    albedo: tuple[float, float, float]
    roughness: float
    gloss: float
    scattering: float = 0.0
    depth: float = 1.0
    grain: float = 0.0

    def row(self) -> F32:
        """As a row of `Prop.paint`, (8,)."""
        return np.array([*self.albedo, self.roughness, self.gloss, self.scattering, self.depth, self.grain], np.float32)


@dataclass(frozen=True)
class Pane:
    """Clear glass that is looked through: positions, normals (V, 3) float32, faces (F, 3) int32."""

    positions: F32
    normals: F32
    faces: I32


@dataclass(frozen=True)
class Prop:
    """A thing in a space of its own, in head space or in camera space; all in centimetres.

    positions, normals: (V, 3) float32. rest: (V, 3) float32, where each vertex lies in the thing itself, for patterns.
    paint: (V, 8) float32, see `Finish`. occlusion: (V,) float32, ambient visibility of the thing alone.
    faces: (F, 3) int32, counter-clockwise seen from outside. parts: (F,) uint8, one of `COVERS` a face.
    panes: what is looked through.
    """

    positions: F32
    normals: F32
    rest: F32
    paint: F32
    occlusion: F32
    faces: I32
    parts: U8
    panes: tuple[Pane, ...] = ()

    @classmethod
    def of(cls, positions: F64 | F32, faces: I32, finish: Finish | F32, part: Part) -> Prop:
        """A closed mesh of one part.

        Args:
            positions: (V, 3) cm.
            faces: (F, 3), counter-clockwise from outside.
            finish: of the whole, or (V, 8) a row a vertex.
            part: the label of its pixels.
        """
        points = np.ascontiguousarray(positions, np.float32)
        faces = np.ascontiguousarray(faces, np.int32)
        normals = vertex_normals(points, faces, np.arange(len(points), dtype=np.int32))
        paint = np.tile(finish.row(), (len(points), 1)) if isinstance(finish, Finish) else finish
        parts = np.full(len(faces), part, np.uint8)
        return cls(points, normals, points, paint, np.ones(len(points), np.float32), faces, parts)

    def shaded_in(self) -> Prop:
        """With the ambient visibility that its own shape leaves, which takes a moment."""
        return replace(self, occlusion=occlusion(self.positions, self.normals, self.faces, 48, 96))

    def moved(self, rotation: F64, shift: F64) -> Prop:
        """Turned by (3, 3), then moved by (3,) cm; what it is made of stays."""
        turn, by = np.ascontiguousarray(rotation.T, np.float32), np.asarray(shift, np.float32)
        panes = tuple(Pane(pane.positions @ turn + by, pane.normals @ turn, pane.faces) for pane in self.panes)
        return replace(self, positions=self.positions @ turn + by, normals=self.normals @ turn, panes=panes)

    def mirrored(self) -> Prop:
        """As in a mirror across x = 0: a left hand of a right one."""
        flip = np.array([-1.0, 1.0, 1.0], np.float32)
        panes = tuple(Pane(p.positions * flip, p.normals * flip, p.faces[:, ::-1]) for p in self.panes)
        return replace(
            self,
            positions=self.positions * flip,
            normals=self.normals * flip,
            faces=np.ascontiguousarray(self.faces[:, ::-1]),
            panes=panes,
        )


def joined(props: Sequence[Prop]) -> Prop:
    """Several things as one."""
    firsts = np.cumsum([0, *(len(prop.positions) for prop in props)])
    names = ("positions", "normals", "rest", "paint", "occlusion", "parts")
    return Prop(
        **{name: np.concatenate([getattr(prop, name) for prop in props]) for name in names},
        faces=np.concatenate([prop.faces + first for prop, first in zip(props, firsts, strict=False)]).astype(np.int32),
        panes=tuple(pane for prop in props for pane in prop.panes),
    )
