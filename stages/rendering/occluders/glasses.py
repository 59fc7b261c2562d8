"""Glasses that sit on a performer's nose and ears: rims or a frame, temples, and panes that mirror a little."""

from __future__ import annotations

import numpy as np

from stages.rendering import anatomy
from stages.rendering.mesh import F64, I32, Head, Part
from stages.rendering.occluders.prop import Finish, Pane, Prop, joined
from stages.rendering.occluders.solids import tube

_EAR = (7.35, 0.9, -7.2)  # where a temple rests, face frame of the template head, cm
_CURVE = 0.026  # of the front about the face, 1/cm: depth lost with the square of the distance from the nose
_AWAY = 0.35  # cm between the lashes' side of a pane and the skin that comes nearest to it


def glasses(head: Head, rng: np.random.Generator) -> Prop:
    """Glasses in head space.

    Args:
        head: whose nose and ears carry them.
        rng: draws their form and what they are made of.
    """
    metal = rng.random() < 0.4
    wide, high = rng.uniform(2.35, 2.85), rng.uniform(1.55, 2.3)
    corner = rng.uniform(2.0, 3.6)
    thick = rng.uniform(0.07, 0.11) if metal else rng.uniform(0.18, 0.34)
    finish = _metal(rng) if metal else _plastic(rng)
    eyes = np.stack([eye.centre for eye in head.eyes]).astype(np.float64)
    apart = max(float(np.abs(eyes[:, 0]).mean()), wide + 0.75)
    height = float(eyes[:, 1].mean()) - 0.15 * high
    reach = _reach(head, height, wide, high, apart)

    def front(x: F64, y: F64) -> F64:
        # the lower rims are nearer to the cheeks, the whole bends about the face
        return np.stack([x, y, reach - _CURVE * x * x + 0.12 * (y - height)], -1)

    pieces, panes = [], []
    angle = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    cosine, sine = np.cos(angle), np.sin(angle)
    ring_x = wide * np.sign(cosine) * np.abs(cosine) ** (2.0 / corner)
    ring_y = high * np.sign(sine) * np.abs(sine) ** (2.0 / corner)
    # a frame is thicker above than below
    radii = thick * np.stack([1.0 + 0.35 * (sine > 0) * (not metal), np.full(len(angle), 0.8)], 1)
    for side in (-1.0, 1.0):
        rim = front(side * apart + side * ring_x, height + ring_y - 0.10 * np.abs(ring_x))
        pieces.append(tube(rim, radii, closed=True))
        panes.append(_pane(rim, np.array([side * apart, height, 0.0])))
        pieces.append(_temple(head, rim[:, 0] * side, rim, side, thick))
    pieces.append(_bridge(head, apart - wide, height + 0.35 * high, reach, thick))
    props = [Prop.of(points, faces, finish, Part.GLASSES) for points, faces in pieces]
    whole = joined(props)
    return Prop(**{**whole.__dict__, "panes": tuple(panes)})


def _reach(head: Head, height: float, wide: float, high: float, apart: float) -> float:
    """How far in front the panes lie so that brows and cheeks stay behind them; the nose goes between."""
    x, y, z = head.positions.astype(np.float64).T
    behind = (np.abs(np.abs(x) - apart) < wide) & (np.abs(y - height) < high) & (z > 0.0)
    return float((z + _CURVE * x * x - 0.12 * (y - height))[behind].max()) + _AWAY


def _bridge(head: Head, half: float, height: float, reach: float, thick: float) -> tuple[F64, I32]:
    """From rim to rim over the nose."""
    x = np.linspace(-half, half, 15)
    ridge = ridge_of(head, height) + thick + 0.05
    across = 1.0 - (x / half) ** 2
    z = reach - _CURVE * x * x + across * max(ridge - reach, 0.15)
    path = np.stack([x, height + 0.25 * across, z], 1)
    return tube(path, np.full((15, 2), thick))


def ridge_of(head: Head, height: float) -> float:
    """How far in front the middle of the nose lies at a height; of a coarse mesh, at the nearest vertex."""
    aside, off = np.abs(head.positions[:, 0]), np.abs(head.positions[:, 1] - height)
    near = (aside < 0.35) & (off < 0.35)
    if not near.any():
        away = np.where(head.positions[:, 2] > 0.0, np.hypot(aside, off), np.inf)
        near = away == away.min()
    return float(head.positions[near, 2].max())


def _temple(head: Head, outward: F64, rim: F64, side: float, thick: float) -> tuple[F64, I32]:
    """From the outer edge of a rim over the ear."""
    hinge = rim[int(np.argmax(outward + 0.3 * rim[:, 1]))]
    ear = _on(head, (side * _EAR[0], _EAR[1], _EAR[2]))
    bow = np.array([side * (abs(hinge[0]) + 0.35), hinge[1], hinge[2] - 1.0])
    path = np.stack(
        [
            hinge,
            bow,
            0.5 * (bow + ear) + np.array([side * 0.35, 0.2, 0.0]),
            ear + np.array([side * 0.05, 0.35, 0.0]),
            ear + np.array([side * -0.1, -0.9, -1.4]),
            ear + np.array([side * -0.2, -2.4, -1.9]),
        ]
    )
    dense = np.stack([np.interp(np.linspace(0, 5, 24), np.arange(6), path[:, k]) for k in range(3)], 1)
    return tube(dense, np.full((24, 2), [max(0.6 * thick, 0.07), max(thick, 0.12)]))


def _on(head: Head, place: tuple[float, float, float]) -> F64:
    """Where a place of the template's face frame lies on this head."""
    away = anatomy.face_frame(head.rest) - np.asarray(place, np.float32)
    return np.asarray(head.positions[int((away**2).sum(1).argmin())], np.float64)


def _pane(rim: F64, centre: F64) -> Pane:
    """The glass within a rim, a little domed."""
    middle = rim.mean(0)
    points = np.concatenate([middle[None] + [0.0, 0.0, 0.12], rim])
    count = len(rim)
    after = np.arange(count) + 1
    faces = np.stack([np.zeros(count, int), after, after % count + 1], 1).astype(np.int32)
    normals = np.stack([*((points - centre)[:, :2] / 9.0).T, np.ones(len(points))], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Pane(points.astype(np.float32), normals.astype(np.float32), faces)


def _metal(rng: np.random.Generator) -> Finish:
    tone = np.array([[0.30, 0.30, 0.31], [0.42, 0.30, 0.14], [0.06, 0.06, 0.065]])[int(rng.integers(3))]
    return Finish(tuple(tone), 0.28, 6.0)


def _plastic(rng: np.random.Generator) -> Finish:
    palette = np.array(
        [[0.012, 0.012, 0.013], [0.10, 0.045, 0.02], [0.25, 0.02, 0.03], [0.03, 0.06, 0.14], [0.5, 0.48, 0.44]]
    )
    return Finish(tuple(palette[int(rng.integers(5))] * rng.uniform(0.8, 1.3)), 0.25, 1.4, grain=0.6 * rng.random())
