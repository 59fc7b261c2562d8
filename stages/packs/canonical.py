"""The canonical face: where the landmarks lie on a mean face that looks straight ahead (MediaPipe)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.problems import Problem
from stages.topology import CHIN, FOREHEAD

VERTICES: Final = 468


def read_canonical(path: Path) -> NDArray[np.float64]:
    """The canonical face's vertices, (468, 3) in centimetres: x to the picture's right, y down, z away from the camera.

    The origin is in the middle of the head's height between forehead and chin, so that a turn about it keeps the face
    in the middle of its crop; in depth it is the mean of all vertices.

    Args:
        path: ``canonical_face.obj`` of a pack: Wavefront OBJ, y up, z towards the camera. The irises, landmarks 468 to
            477, are not in it.

    Raises:
        Problem: it does not hold 468 vertices.
    """
    lines = path.read_text(encoding="ascii").splitlines()
    vertices = np.array([[float(value) for value in line.split()[1:4]] for line in lines if line.startswith("v ")])
    if vertices.shape != (VERTICES, 3):
        raise Problem(
            f"it has {len(vertices)} vertices, not {VERTICES}", where=path, mend="restore it: `git checkout data/packs`"
        )
    turned = vertices * np.array([1.0, -1.0, -1.0])
    middle = np.array([0.0, (turned[FOREHEAD, 1] + turned[CHIN, 1]) / 2, turned[:, 2].mean()])
    return np.asarray(turned - middle, np.float64)
