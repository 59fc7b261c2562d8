"""One-off, part of `build_head`: choose the template head's vertices for iBUG's 68 landmarks from its topology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages.rendering.mesh import F64, I32, U8, Part

EYE_LINE, EYE_X = 1.84, 3.08  # the eyes' centres on the template, cm
BROW = np.array([[1.35, 1.50], [2.2, 1.78], [3.1, 2.0], [4.1, 1.98], [5.1, 1.45]])  # from the eye line, inner to outer


def choose(points: F64, quads: I32, labels: U8, weld: I32, opening: F64) -> I32:
    """Vertex numbers (68,) int32.

    points (V, 3) cm, x to the person's left, y up, z forward; quads (F, 4); labels (F,) a `Part` each; weld (V,);
    opening (V,) how far the jaw's opening moves each vertex.
    """
    mesh = _Template(points, quads, labels, weld, opening)
    right_eye, left_eye = mesh.lids(-1), mesh.lids(1)
    outer, inner = mesh.lips()
    brow = [mesh.front(x, EYE_LINE + y) for x, y in BROW]
    brow_right = [mesh.front(-x, EYE_LINE + y) for x, y in BROW]
    return np.array(
        [*mesh.jaw(), *brow_right[::-1], *brow, *mesh.nose(), *right_eye, *left_eye, *outer, *inner], np.int32
    )


class _Template:
    def __init__(self, points: F64, quads: I32, labels: U8, weld: I32, opening: F64) -> None:
        self.opening = opening
        self.points, self.quads, self.labels, self.weld = points, quads, labels, weld
        self.skin = np.unique(quads[np.isin(labels, (Part.SKIN, Part.LIPS))])
        self.near = self.skin[points[self.skin, 2] > 3.0]

    def front(self, x: float, y: float) -> int:
        """The foremost skin vertex within reach of a point of the frontal view."""
        distance = np.hypot(self.points[self.near, 0] - x, self.points[self.near, 1] - y)
        close = self.near[distance < distance.min() + 0.12]
        score = np.hypot(self.points[close, 0] - x, self.points[close, 1] - y) - 0.5 * self.points[close, 2]
        return int(close[np.argmin(score)])

    def loop(self, inside: NDArray[np.intp], outside: NDArray[np.intp]) -> I32:
        """Vertices of the faces `outside` that share a geometric vertex with the faces `inside`."""
        shared = np.intersect1d(self.weld[self.quads[inside]], self.weld[self.quads[outside]])
        own = np.unique(self.quads[outside])
        return own[np.isin(self.weld[own], shared)]

    def lids(self, side: int) -> list[int]:
        """Six points on the edge of an eye's lids, in iBUG's order for that side."""
        middle = self.points[self.quads].mean(1)
        here = middle[:, 0] * side > 0
        socket = np.flatnonzero((self.labels == Part.SOCKET) & here)
        edge = self.loop(socket, np.flatnonzero((self.labels == Part.SKIN) & here))
        x, y = self.points[edge, 0] * side, self.points[edge, 1]
        inner, outer = edge[np.argmin(x)], edge[np.argmax(x)]
        slope = (self.points[outer, 1] - self.points[inner, 1]) / (x.max() - x.min())
        line = self.points[inner, 1] + slope * (x - x.min())
        upper, lower = edge[y > line + 0.02], edge[y < line - 0.02]

        def at(rows: I32, share: float) -> int:
            return int(rows[np.argmin(np.abs(self.points[rows, 0] * side - (x.min() + share * np.ptp(x))))])

        up, down = [at(upper, share) for share in (1 / 3, 2 / 3)], [at(lower, share) for share in (1 / 3, 2 / 3)]
        if side < 0:  # from the outer corner over the upper lid
            return [int(outer), up[1], up[0], int(inner), down[0], down[1]]
        return [int(inner), up[0], up[1], int(outer), down[1], down[0]]

    def lips(self) -> tuple[list[int], list[int]]:
        """Twelve outer and eight inner points of the lips."""
        lips, skin = np.flatnonzero(self.labels == Part.LIPS), np.flatnonzero(self.labels == Part.SKIN)
        outline = self.loop(skin, lips)
        corner = self.points[outline, 1][np.argmax(self.points[outline, 0])]
        half = self.points[outline, 0].max()
        z = self.points[outline, 2]
        upper = outline[(self.points[outline, 1] > corner)]
        lower = outline[(self.points[outline, 1] < corner) & (z > z.min() + 0.1)]

        def at(rows: I32, x: float) -> int:
            return int(rows[np.argmin(np.abs(self.points[rows, 0] - x))])

        left, right = outline[np.argmax(self.points[outline, 0])], outline[np.argmin(self.points[outline, 0])]
        outer = [int(right), *(at(upper, half * f) for f in (-0.62, -0.28, 0.0, 0.28, 0.62)), int(left)]
        outer += [at(lower, half * f) for f in (0.65, 0.33, 0.0, -0.33, -0.65)]
        rows = np.unique(self.quads[lips])
        inner_half = 0.82 * half

        def parting(x: float, sign: int) -> int:
            """Where the closed lips part: the lowest of the upper lip's front, the highest of the lower's."""
            of_lip = (self.opening[rows] > 0.5 * self.opening[rows].max()) == (sign < 0)
            near = rows[of_lip & (np.abs(self.points[rows, 0] - x) < 0.17)]
            front = near[self.points[near, 2] > self.points[near, 2].max() - 0.45]
            return int(front[np.argmin(sign * self.points[front, 1] + 0.3 * np.abs(self.points[front, 0] - x))])

        inner = [parting(-inner_half, 1), *(parting(half * f, 1) for f in (-0.36, 0.0, 0.36)), parting(inner_half, 1)]
        inner += [parting(half * f, -1) for f in (0.36, 0.0, -0.36)]
        return outer, inner

    def jaw(self) -> list[int]:
        """Seventeen points along the lower outline of the face, from beside the right eye over the chin."""
        rows = self.skin[(self.points[self.skin, 2] > 2.4) & (self.points[self.skin, 1] < EYE_LINE + 1.0)]
        centre = np.array([0.0, EYE_LINE - 1.5])
        away = self.points[rows, :2] - centre
        angle = np.degrees(np.arctan2(away[:, 0], -away[:, 1]))  # 0 at the chin, negative to the person's right
        radius = np.linalg.norm(away, axis=1)
        chosen = []
        for wanted in np.linspace(-103.0, 103.0, 17):
            close = np.abs(angle - wanted) < 4.0
            score = radius[close] - 0.12 * np.abs(angle[close] - wanted)
            chosen.append(int(rows[close][np.argmax(score)]))
        return chosen

    def nose(self) -> list[int]:
        """Four points down the bridge and five below the nostrils."""
        middle = self.near[np.abs(self.points[self.near, 0]) < 0.05]
        y, z = self.points[middle, 1] - EYE_LINE, self.points[middle, 2]
        nose = (y < 0.5) & (y > -5.2)
        tip = middle[nose][np.argmax(z[nose])]
        tip_y = self.points[tip, 1]
        bridge = [self.front(0.0, EYE_LINE + 0.1 + f * (tip_y - EYE_LINE - 0.1)) for f in (0.0, 1 / 3, 2 / 3)]
        base_y = tip_y - 0.85
        return [
            *bridge,
            int(tip),
            *(
                self.front(x, base_y + up)
                for x, up in ((-1.5, 0.35), (-0.8, 0.15), (0.0, 0.0), (0.8, 0.15), (1.5, 0.35))
            ),
        ]
