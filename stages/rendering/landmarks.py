"""Exact landmarks of a performer: iBUG's 68 points as vertices of the head, and the two iris centres.

Order (Sagonas et al., "300 faces in-the-wild challenge", 2013), all from the picture's left to its right on a frontal
face: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, outer lips 48-59, inner lips 60-67; then the right and the left
iris, 68 and 69. Jaw points are fixed on the skin, as depth-aware annotations are, and do not slide to the silhouette.
"""

from __future__ import annotations

import numpy as np

from stages.rendering.camera import Camera
from stages.rendering.mesh import F32, PosedHead

COUNT = 70


def project(posed: PosedHead, camera: Camera) -> F32:
    """The landmarks of a posed head in frame pixels, (70, 2) float32."""
    rows = np.concatenate([posed.head.landmarks, [eye.vertices[0] for eye in posed.head.eyes]])
    return camera.project(posed.positions[rows]).astype(np.float32)
