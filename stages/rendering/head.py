"""From an identity to its neutral head: the shape space of `data/performers/head.safetensors`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from scipy.spatial.transform import Rotation

from stages.problems import Problem
from stages.rendering import eyeballs, surface, teeth
from stages.rendering.block import Block, join
from stages.rendering.identity import Identity
from stages.rendering.mesh import F32, F64, I32, U8, Eye, Head
from stages.rendering.placement import PLACEMENT_FILE, Nudge, Placement

HEAD_FILE = Path("data/performers/head.safetensors")
OLD, YOUNG = 90.0, 25.0  # years at which MakeHuman's two adult ages are exact

STEADY = (131, 134, 136, 164, 169, 201, 227, 266, 286, 317, 868, 870, 1130, 2162, 2196, 2227, 2280, 2283, 2285, 2287,
          2413, 3143, 3163, 3681, 3683, 3930, 4930, 4963, 5044, 5047, 5050)  # fmt: skip
"""Geometric vertices that no expression moves, eye corners, nose, forehead, temples: those of the mean head that lie
nearest to the places a face is aligned by (`stages.topology.RIGID`). Heads are set by them first, then by `Placement`,
since a place on the mesh is not where a picture shows it on every head."""

AJAR = {"jawOpen": 0.45, "mouthLowerDownLeft": 0.5, "mouthLowerDownRight": 0.5}
"""Mouth that ambient occlusion is taken with: closed lips would leave lips, teeth and tongue black when they part."""


@dataclass(frozen=True)
class HeadBasis:
    """The linear shape space of heads, over G geometric vertices; V render vertices are copies of them.

    positions (G, 3) float64 cm; macros name -> (G, 3) float64; shapes and units: name -> (rows (K,), deltas (K, 3));
    weld (V,), uv (V, 2), faces (F, 3), parts (F,) as in `Head`; neck (G,); guides name -> rows. placement: where heads
    of any shape belong; None leaves them where their vertices say.
    """

    positions: F64
    macros: dict[str, F64]
    shapes: dict[str, tuple[I32, F32]]
    units: dict[str, tuple[I32, F32]]
    weld: I32
    uv: F32
    faces: I32
    parts: U8
    neck: F32
    masks: dict[str, F32]
    landmarks: I32
    guides: dict[str, I32]
    placement: Placement | None = None

    @classmethod
    def load(cls, path: Path = HEAD_FILE, placement: Path | None = PLACEMENT_FILE) -> HeadBasis:
        """Read the head file, and where heads belong.

        Raises:
            Problem: a file is missing or is no such file.
        """
        try:
            with safe_open(path, "np") as file:
                names = json.loads(file.metadata()["names"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # its handle is no mapping
        except (OSError, SafetensorError, KeyError, TypeError) as error:
            raise Problem(
                f"cannot read the performers' head: {error}",
                where=str(path),
                mend="take the file from the repository, or make it with `python -m stages.rendering.build_head`",
            ) from error

        def sparse(kind: str) -> dict[str, tuple[I32, F32]]:
            starts, rows, values = (tensors[f"{kind}.{key}"] for key in ("starts", "rows", "values"))
            return {
                name: (rows[a:b].astype(np.int32), values[a:b].astype(np.float32))
                for name, a, b in zip(names[kind], starts[:-1], starts[1:], strict=True)
            }

        return cls(
            positions=tensors["positions"].astype(np.float64),
            macros=dict(zip(names["macros"], tensors["macros"].astype(np.float64), strict=True)),
            shapes=sparse("shapes"),
            units=sparse("units"),
            weld=tensors["weld"],
            uv=tensors["uv"],
            faces=tensors["faces"],
            parts=tensors["parts"],
            neck=tensors["neck"],
            masks={k.removeprefix("mask."): t.astype(np.float32) for k, t in tensors.items() if k.startswith("mask.")},
            landmarks=tensors["landmarks"],
            guides={k.removeprefix("guide."): t for k, t in tensors.items() if k.startswith("guide.")},
            placement=None if placement is None else Placement.load(placement),
        )

    def shape(self, identity: Identity, nudge: Nudge | None = None) -> tuple[F64, F64]:
        """An identity's geometric vertices (G, 3), cm, centred in head space, and what turned and scaled it, (3, 3).

        All heads have the mean head's size, place and attitude: by the points that no expression moves (a similarity
        by least squares, Umeyama 1991), and then as `placement` says. A picture does not tell a head's size from its
        distance, nor how a face is set on its skull from a nod, and a swap keeps the target's of both, so neither is
        part of an identity. Otherwise the right answer of a swap would be a face larger, smaller, higher or more
        raised than any swap can know of.

        Args:
            identity: whose.
            nudge: a motion on top of all that, for measurements.
        """
        positions = self._mean_weighted(
            identity.masculinity,
            (identity.age - YOUNG) / (OLD - YOUNG),
            {"african": identity.african, "asian": identity.asian, "caucasian": identity.european},
            identity.weight,
        )
        for name, amount in identity.shape.items():
            if amount:
                rows, deltas = self.shapes[f"{name}+" if amount > 0 else f"{name}-"]
                positions[rows] += abs(amount) * deltas
        mean = self.mean()
        own, common = positions[list(STEADY)], mean[list(STEADY)]
        spread, goal = own - own.mean(0), common - common.mean(0)
        turn = Rotation.align_vectors(goal, spread)[0].as_matrix()
        scale = float(((spread @ turn.T) * goal).sum() / (spread**2).sum())
        middle = common.mean(0)
        shaped, onto_mean = self._set(positions - own.mean(0), scale, turn), scale * turn
        for asked in (self._placed(shaped + middle), nudge):
            if asked is not None:
                turn = Rotation.from_rotvec(asked.rotation_vector).as_matrix()
                shaped, onto_mean = self._set(shaped, asked.scale, turn), asked.scale * turn @ onto_mean
                shaped = shaped + asked.shift
        return shaped + middle, onto_mean

    def _placed(self, positions: F64) -> Nudge | None:
        return None if self.placement is None else self.placement.of(positions[self.weld[self.landmarks]])

    def _set(self, centred: F64, scale: float, turn: F64) -> F64:
        """Scale a whole body and turn its head; shoulders stay as they are under a head that is set another way."""
        scaled = centred * scale
        turned: F64 = scaled + self.neck[:, None] * (scaled @ turn.T - scaled)
        return turned

    def mean(self) -> F64:
        """The mean adult's geometric vertices (G, 3), cm, centred in head space."""
        positions = self._mean_weighted(0.5, 0.15, {"african": 1.0, "asian": 1.0, "caucasian": 1.0}, 0.5)
        return positions - self._centre(positions)

    def build(self, identity: Identity, nudge: Nudge | None = None) -> Head:
        """An identity's neutral head with eyes, teeth, tongue and ambient occlusion; see :meth:`shape`."""
        (shaped, onto_mean), mean = self.shape(identity, nudge), self.mean()
        right, left = (eyeballs.eyeball(shaped[self.guides[name]]) for name in ("r-eye", "l-eye"))
        skin = Block(
            positions=shaped[self.weld],
            rest=self.positions[self.weld],
            uv=self.uv,
            faces=self.faces,
            parts=self.parts,
            weld=self.weld,
            neck=self.neck[self.weld],
            units={name: self._split(rows, deltas, onto_mean) for name, (rows, deltas) in self.units.items()},
        )
        rows = [self._teeth(name, shaped, mean, onto_mean) for name in ("upper", "lower")]
        whole, spans = join([skin, *rows, right.block, left.block])
        positions = whole.positions.astype(np.float32)
        normals = surface.vertex_normals(positions, whole.faces, whole.weld)
        ajar = positions.copy()
        for name, amount in AJAR.items():
            rows_moved, deltas = whole.units[name]
            ajar[rows_moved] += np.float32(amount) * deltas
        return Head(
            positions=positions,
            normals=normals,
            uv=whole.uv.astype(np.float32),
            rest=whole.rest.astype(np.float32),
            faces=whole.faces,
            parts=whole.parts,
            weld=whole.weld,
            occlusion=surface.occlusion(ajar, surface.vertex_normals(ajar, whole.faces, whole.weld), whole.faces),
            neck=whole.neck,
            masks={name: _padded(mask, len(positions)) for name, mask in self.masks.items()},
            landmarks=self.landmarks,
            units=whole.units,
            eyes=(
                Eye(right.centre.astype(np.float32), right.radius, spans[3]),
                Eye(left.centre.astype(np.float32), left.radius, spans[4]),
            ),
        )

    def _teeth(self, name: str, shaped: F64, mean: F64, onto_mean: F64) -> Block:
        guide = self.guides[f"{name}-teeth"]
        moved = {
            unit: dense(rows, deltas, len(shaped))[guide] @ onto_mean.T for unit, (rows, deltas) in self.units.items()
        }
        return teeth.row(name, shaped[guide], mean[guide], moved)

    def _split(self, rows: I32, deltas: F32, onto_mean: F64) -> tuple[I32, F32]:
        """A sparse displacement of geometric vertices as one of render vertices of a head turned and scaled."""
        every = (dense(rows, deltas, len(self.positions)) @ onto_mean.T)[self.weld]
        moved = np.flatnonzero(np.abs(every).max(1) > 0.0).astype(np.int32)
        return moved, every[moved].astype(np.float32)

    def _mean_weighted(self, masculinity: float, old: float, ancestry: dict[str, float], weight: float) -> F64:
        """MakeHuman's macro targets, mixed linearly: sex x age x ancestry, and sex x age x weight."""
        sexes = {"female": 1.0 - masculinity, "male": masculinity}
        age = float(np.clip(old, 0.0, 1.0))
        ages = {"young": 1.0 - age, "old": age}
        heavy = 2.0 * weight - 1.0
        weights = {"min": max(-heavy, 0.0), "average": 1.0 - abs(heavy), "max": max(heavy, 0.0)}
        total = sum(ancestry.values()) or 1.0
        positions = self.positions.copy()
        for name, delta in self.macros.items():
            words = name.split("-")
            if words[0] == "universal":
                share = sexes[words[1]] * ages[words[2]] * weights[words[4].removesuffix("weight")]
            else:
                share = sexes[words[1]] * ages[words[2]] * ancestry[words[0]] / total
            if share:
                positions += share * delta
        return positions

    def _centre(self, positions: F64) -> F64:
        """Where the middle between the ear canals of this head is taken to be: fixed to the skull's mean point."""
        skull = self.neck > 0.95
        middle = positions[skull].mean(0)
        return np.array([0.0, middle[1] + 0.2, middle[2] - 6.17])


def dense(rows: I32, deltas: F32, count: int) -> F64:
    """A sparse displacement as (count, 3)."""
    every = np.zeros((count, 3))
    every[rows] = deltas
    return every


def _padded(mask: F32, count: int) -> F32:
    return np.concatenate([mask, np.zeros(count - len(mask), np.float32)])
