"""Two rows of teeth with gums, made here (MakeHuman has only bands), carried by the skull and the jaw."""

from __future__ import annotations

import numpy as np

from stages.rendering.block import Block, grid_faces
from stages.rendering.mesh import F32, F64, I32, Part

# Outer outline of the mean head's upper arch from the middle to the last molar, (x, z) cm
ARCH = np.array(
    [[0.0, 11.62], [0.9, 11.5], [1.75, 11.05], [2.25, 10.4], [2.6, 9.7], [2.9, 8.95], [3.1, 8.3], [3.25, 7.6]]
)
# Crown widths and heights from the middle to the second molar, cm (Wheeler's dental anatomy, rounded)
WIDTHS = {"upper": [0.85, 0.65, 0.76, 0.70, 0.68, 0.95, 0.9], "lower": [0.54, 0.60, 0.69, 0.70, 0.71, 1.0, 0.95]}
HEIGHTS = {"upper": [1.05, 0.93, 1.0, 0.85, 0.8, 0.72, 0.7], "lower": [0.9, 0.93, 1.0, 0.85, 0.8, 0.72, 0.7]}
THICKNESS = [0.42, 0.40, 0.50, 0.70, 0.75, 0.95, 0.95]
TIP = {"upper": -4.0, "lower": -3.72}  # height of the biting edge in the middle
INSET = {"upper": 0.0, "lower": 0.2}  # the lower front teeth bite behind the upper ones
# lowest and foremost point of MakeHuman's band of teeth in the coordinates that the figures above were read off in
GUIDE_LOW, GUIDE_FRONT = {"upper": -4.056, "lower": -5.614}, {"upper": 11.796, "lower": 11.612}
AROUND, RINGS = 14, 8


def row(name: str, guide: F64, mean_guide: F64, guide_units: dict[str, F64]) -> Block:
    """The `upper` or `lower` row, fitted to an identity.

    guide, mean_guide: (68, 3) cm, MakeHuman's band of teeth on the identity and on the mean head; the teeth follow the
    affine map between them. guide_units: expression unit -> (68, 3) displacement of the band; teeth follow likewise.
    """
    rest, uv, faces, parts = _mean_row(name)
    rest += np.array([0.0, mean_guide[:, 1].min() - GUIDE_LOW[name], mean_guide[:, 2].max() - GUIDE_FRONT[name]])
    lift = np.linalg.pinv(_homogeneous(mean_guide))
    positions = _homogeneous(rest) @ (lift @ guide)
    every = np.arange(len(rest), dtype=np.int32)
    units: dict[str, tuple[I32, F32]] = {}
    for unit, delta in guide_units.items():
        if np.abs(delta).max() > 1e-3:
            units[unit] = every, (_homogeneous(rest) @ (lift @ delta)).astype(np.float32)
    return Block(positions, rest, uv, faces, parts, every, np.ones(len(rest), np.float32), units)


def _homogeneous(points: F64) -> F64:
    return np.concatenate([points, np.ones((len(points), 1))], 1)


def _mean_row(name: str) -> tuple[F64, F64, I32, np.ndarray]:
    """Vertices, uv, faces and parts of a row on the mean head."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(ARCH, axis=0), axis=1))])
    sign = 1.0 if name == "upper" else -1.0
    vertices, uvs, faces, parts, count = [], [], [], [], 0
    for side in (-1.0, 1.0):  # the person's right is -x
        edge = 0.0
        for k, (width, height, thick) in enumerate(zip(WIDTHS[name], HEIGHTS[name], THICKNESS, strict=True)):
            along = edge + width / 2
            edge += width
            here, ahead = (_on_arch(lengths, along + d, INSET[name]) for d in (-0.05, 0.05))
            tangent = (ahead - here) / np.linalg.norm(ahead - here)
            middle = (here + ahead) / 2
            outward = np.array([-tangent[1], tangent[0]]) * -1.0
            outward *= np.sign(outward[1] + 0.3 * outward[0]) or 1.0
            tip = TIP[name] + sign * (0.05 * (k == 1) + 0.04 * k)
            around = 2.0 * np.pi * np.arange(AROUND) / AROUND
            level = np.linspace(0.0, 1.0, RINGS)  # from the gum to the tip
            t, v = (g.ravel() for g in np.meshgrid(around, level, indexing="ij"))
            # superellipse across, narrowing at the gum and rounding off at the tip
            across = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.6
            depth = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.75
            taper = (0.80 + 0.2 * np.sin(np.pi / 2 * np.minimum(v / 0.7, 1.0))) * np.sqrt(1.0 - (v**6) * 0.85)
            slim = (1.0 - 0.55 * v**1.5 * (k < 3)) * np.sqrt(1.0 - (v**8) * 0.9)
            closed = np.where(v >= 1.0, 0.0, 1.0)
            offset = across * taper * closed * width * 0.49
            push = (depth * slim * closed - 1.0 + 0.35 * (1 - v) * (k < 3) * 0.3) * thick / 2
            x = middle[0] + offset * tangent[0] + push * outward[0]
            z = middle[1] + offset * tangent[1] + push * outward[1]
            y = tip + sign * height * (1.0 - v)
            vertices.append(np.stack([side * x, y, z], 1))
            place = (7 + (k if side > 0 else -1 - k) + 0.5 + 0.5 * side * across) / 14
            uvs.append(np.stack([place, v], 1))
            # grid rows run around, columns towards the tip
            grid = grid_faces(AROUND + 1, RINGS)
            ring = (grid // RINGS % AROUND) * RINGS + grid % RINGS
            core = np.array([side * (middle[0] - outward[0] * thick / 2), 0.0, middle[1] - outward[1] * thick / 2])
            core[1] = tip + sign * height / 2
            faces.append(_outward(ring, vertices[-1], np.broadcast_to(core, vertices[-1].shape)) + count)
            parts.append(np.full(len(ring), Part.TEETH, np.uint8))
            count += len(y)
    gum, gum_faces = _gum(name, lengths, sign)
    vertices.append(gum)
    uvs.append(np.tile([[0.84, 0.07]], (len(gum), 1)))  # inside MakeHuman's island of the mouth cavity
    faces.append(gum_faces + count)
    parts.append(np.full(len(gum_faces), Part.MOUTH, np.uint8))
    return np.concatenate(vertices), np.concatenate(uvs), np.concatenate(faces), np.concatenate(parts)


def _gum(name: str, lengths: F64, sign: float) -> tuple[F64, I32]:
    """A rounded band around the roots of a row."""
    along = np.linspace(-lengths[-1], lengths[-1], 57)
    base = np.array([_on_arch(lengths, abs(s), INSET[name]) * [np.sign(s) or 1.0, 1.0] for s in along])
    tangent = np.gradient(base, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    outward = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    outward *= np.sign(outward[:, 1:] * 1.0 + outward[:, :1] * np.sign(along)[:, None] * 0.3)
    bend = np.linspace(0.0, np.pi, 9)
    scallop = 0.12 * np.cos(2 * np.pi * (np.abs(along) / 0.8))
    rings = []
    for angle in bend:
        reach = 0.09 - 0.45 * (1.0 - np.sin(angle))
        up = sign * (0.78 - 0.04 * np.abs(along) + scallop * np.sin(angle) * 0.6) + sign * 0.5 * (1 - np.cos(angle))
        flat = base + reach * outward
        rings.append(np.stack([flat[:, 0], TIP[name] + up, flat[:, 1]], 1))
    vertices = np.stack(rings).reshape(-1, 3)
    core = base - 0.36 * outward
    core = np.stack([core[:, 0], np.full(len(core), TIP[name] + sign * 1.28), core[:, 1]], 1)
    return vertices, _outward(grid_faces(len(bend), len(along)), vertices, np.tile(core, (len(bend), 1)))


def _on_arch(lengths: F64, along: float, inset: float) -> F64:
    """The point (x, z) at an arc length from the middle of the arch, moved inward."""
    x, z = (float(np.interp(along, lengths, ARCH[:, k])) for k in (0, 1))
    if along < 0.0:
        x, z = along, float(ARCH[0, 1])
    return np.array([x * (1.0 - inset / 4.5), z - inset])


def _outward(faces: I32, vertices: F64, core: F64) -> I32:
    """Turn each face so that it looks away from `core` (V, 3), the inner point that belongs to each vertex."""
    corner = vertices[faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    wrong = np.einsum("fc,fc->f", normal, corner.mean(1) - core[faces].mean(1)) < 0.0
    return np.where(wrong[:, None], faces[:, ::-1], faces).astype(np.int32)
