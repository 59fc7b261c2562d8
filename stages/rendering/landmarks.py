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

_FIVE = ((36, 39), (42, 45), (30,), (48,), (54,))
"""Numbers whose means are a detector's five points: eyes, tip of the nose, corners of the mouth."""


def project(posed: PosedHead, camera: Camera) -> F32:
    """The landmarks of a posed head in frame pixels, (70, 2) float32."""
    rows = np.concatenate([posed.head.landmarks, [eye.vertices[0] for eye in posed.head.eyes]])
    return camera.project(posed.positions[rows]).astype(np.float32)


def five_points(landmarks: F32) -> F32:
    """The landmarks (70, 2) as a detector gives a face, (5, 2) float32: what the landmark network starts from."""
    return np.stack([landmarks[list(numbers)].mean(axis=0) for numbers in _FIVE])
