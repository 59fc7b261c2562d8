"""Hair that falls over the brow and moves a little."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stages.rendering.anatomy import smoothstep
from stages.rendering.hair import Growth, joined, ribbons
from stages.rendering.mesh import F32, F64, Hair, Head, PosedHead
from stages.rendering.strands import Growing, Strands, Surface, clump, grow, scatter

_LOCK = 14  # strands that hang together
_SWING = 0.5  # cm at the tips


@dataclass(frozen=True)
class Fringe:
    """Loose hair over the brow of one head. hair: as of a `Performer`; phases: (2, 3) of its swing."""

    hair: Hair
    phases: F64

    @classmethod
    def of(cls, head: Head, rng: np.random.Generator) -> Fringe:
        """Grow it from the hairline of a head; from nearly nothing to all over the brow."""
        middle, half = rng.uniform(-3.0, 3.0), rng.uniform(1.5, 5.0)
        part = rng.uniform(-2.5, 2.5)
        sweep = rng.uniform(-0.7, 0.7)

        def band(places: F32) -> F64:
            x, y, z = places.T
            front = smoothstep(4.6, 5.4, y + 0.055 * x * x) * smoothstep(8.2, 7.0, y) * (z > -5.0)
            return np.asarray(front * smoothstep(half + 0.8, half, np.abs(x - middle)), np.float64)

        def comb(points: F64, normals: F64) -> F64:
            aside = 0.25 * np.tanh(points[:, 0] - part) + sweep
            return np.stack([aside, np.full(len(points), -1.0), np.full(len(points), 0.25)], 1)

        roots = scatter(head, int(rng.uniform(250, 1100)), band, rng)
        count = len(roots.positions)
        how = Growing(
            rng.uniform(4.0, 9.0) * rng.uniform(0.7, 1.15, count),
            rng.uniform(0.25, 0.9, count),
            0.55, 0.55, rng.choice([0.0, 0.0, 0.25]), 0.35, 0.06, 0.55, 14, hug=0.35,
        )  # fmt: skip
        paths, outward = grow(roots, Surface(head), comb, how, rng)
        paths = clump(paths, _LOCK, rng.uniform(0.3, 0.85))
        shade = np.full(paths.shape[:2], 0.85)
        strands = Strands(paths, outward, rng.uniform(0.03, 0.055, count), rng.random(count), shade, roots.bind)
        return cls(ribbons(Growth.SCALP, strands), rng.random((2, 3)))

    def on(self, hair: Hair | None) -> Hair:
        """With the hair that is there already; the fringe comes last."""
        return self.hair if hair is None else joined([hair, self.hair])

    def swung(self, posed: PosedHead, seconds: float) -> PosedHead:
        """A posed head that wears it, at a time: the tips swing, the roots stay."""
        count = len(self.hair.positions)
        loose = self.hair.uv[:, :1] ** 2
        swing = np.sin(2 * np.pi * (np.array([[0.6], [1.4]]) * seconds + self.phases)).sum(0) * [_SWING, 0.1, 0.2]
        positions = posed.hair_positions.copy()
        positions[-count:] += (loose * swing).astype(np.float32)
        return replace(posed, hair_positions=positions)
