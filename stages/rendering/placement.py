"""How a head of a given shape has to be set, so that it is found where the mean head would be found.

Size, place and attitude of a head are no part of an identity, see :meth:`stages.rendering.head.HeadBasis.shape`, but
somebody has to say when two heads of different shape have the same. Points of the mesh can not: where the bridge of a
nose or a temple lies on the mesh is the modeller's choice, and alignment by landmarks, which looks at a picture, does
not find it there. So what counts is where alignment finds a head, as a smooth function of the head's shape. It was
fitted to many performers, none of them one of the samples, by :mod:`stages.rendering.build_placement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from stages.problems import Problem
from stages.rendering.mesh import F64

PLACEMENT_FILE = Path("data/performers/placement.safetensors")

POINTS = 68
"""iBUG's landmarks, as vertices of a neutral head: what is known of its shape."""

FREEDOMS = ("x", "y", "scale", "yaw", "pitch", "roll")
"""Of a nudge, in the order of its values."""


@dataclass(frozen=True)
class Nudge:
    """A small motion of a head in head space: turned and scaled about the head's middle, then moved.

    Attributes:
        values: (6,) as in ``FREEDOMS``: cm, cm, natural logarithm of a factor, and a rotation vector about the axes
            y, x and z in degrees.
    """

    values: F64

    @property
    def shift(self) -> F64:
        """(3,) cm; never along the line of sight, which a picture does not tell from size."""
        return np.array([self.values[0], self.values[1], 0.0])

    @property
    def scale(self) -> float:
        """The factor."""
        return float(np.exp(self.values[2]))

    @property
    def rotation_vector(self) -> F64:
        """(3,) radians about x, y and z."""
        return np.radians(self.values[[4, 3, 5]])


@dataclass(frozen=True)
class Placement:
    """A linear model of where alignment finds heads.

    Attributes:
        middle: (204,) float64, coordinates of the 68 landmarks that need no nudge, cm in head space.
        weights: (6, 204) float64, to the nudge that a head seems to have been given.
    """

    middle: F64
    weights: F64

    @classmethod
    def load(cls, path: Path = PLACEMENT_FILE) -> Placement:
        """Read the model's file.

        Raises:
            Problem: the file is missing or is no such file.
        """
        try:
            with safe_open(path, "np") as file:
                return cls(file.get_tensor("middle"), file.get_tensor("weights"))
        except (OSError, SafetensorError) as error:
            raise Problem(
                f"cannot read where performers' heads belong: {error}",
                where=str(path),
                mend="take the file from the repository, or make it with `python -m stages.rendering.build_placement`",
            ) from error

    def of(self, points: F64) -> Nudge:
        """The nudge that sets a head right.

        Args:
            points: (68, 3) landmarks of the neutral head in head space, cm.
        """
        return Nudge(-self.weights @ (points.ravel() - self.middle))
