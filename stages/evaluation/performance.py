"""Whether the performance was kept: landmarks, pose, gaze, mouth and lids of the finished face against another's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from stages.expression import eyes_open, gaze, mouth_open, pose_of
from stages.geometry import Floats

OUTER_EYE_CORNERS: Final = (33, 263)
"""In the 478 landmarks: right, left."""

POSE: Final = ("yaw", "pitch", "roll")
SIGNALS: Final = (*POSE, "mouth", "eyes", "gaze")
"""What a face does, as columns of the table by frame; see :mod:`stages.expression`."""


@dataclass(frozen=True)
class Performance:
    """What a face does in one picture.

    Attributes:
        landmarks: (478, 3) float32, pixels of the picture that was measured.
        signals: by the names in :data:`SIGNALS`: degrees, and parts of the distance between the eyes or of their width.
    """

    landmarks: NDArray[np.float32]
    signals: dict[str, float]

    @classmethod
    def of(cls, landmarks: NDArray[np.float32], canonical: Floats, width: int, height: int) -> Self:
        """Measured on landmarks (478, 3) in a frame of this size; see :func:`stages.expression.pose_of`."""
        pose = pose_of(landmarks, canonical, width, height)
        left, right = eyes_open(landmarks)
        values = (*pose, mouth_open(landmarks), (left + right) / 2, gaze(landmarks))
        return cls(landmarks, dict(zip(SIGNALS, values, strict=True)))

    def errors(self, right: Performance, suffix: str = "") -> dict[str, float]:
        """Distances to what another face does: of landmarks, pose (degrees), gaze and mouth opening."""
        ours, theirs = self.signals, right.signals
        pose = np.array([[each[name] for name in POSE] for each in (ours, theirs)])
        return {
            f"landmark_error{suffix}": landmark_error(self.landmarks, right.landmarks),
            f"pose_error{suffix}": float(np.abs((pose[0] - pose[1] + 180.0) % 360.0 - 180.0).mean()),
            f"gaze_error{suffix}": abs(ours["gaze"] - theirs["gaze"]),
            f"mouth_error{suffix}": abs(ours["mouth"] - theirs["mouth"]),
        }


def landmark_error(found: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Normalised mean error of landmarks (NME).

    The mean distance in the picture of all landmarks, divided by the distance of the outer eye corners in
    ``expected`` (the inter-ocular distance of Sagonas et al. 2013, 300-W).

    Args:
        found, expected: (478, 2 or 3), pixels.

    Returns:
        0 for equal landmarks; 0.05 is five per cent of the distance between the eyes.
    """
    return float(np.linalg.norm(found[:, :2] - expected[:, :2], axis=1).mean() / between_eyes(expected))


def between_eyes(landmarks: NDArray[np.floating]) -> float:
    """The distance of the outer eye corners in the picture, pixels."""
    right, left = (np.asarray(landmarks[corner, :2], np.float64) for corner in OUTER_EYE_CORNERS)
    return max(float(np.linalg.norm(right - left)), 1e-6)


def second_difference(before: NDArray[np.floating], now: NDArray[np.floating], after: NDArray[np.floating]) -> float:
    """How far landmarks are from going on as they went: mean square of their acceleration over the eyes' distance.

    Steady motion gives 0, trembling does not.

    Args:
        before, now, after: (478, 2 or 3) of three frames in a row, pixels.
    """
    bend = (before[:, :2] - 2.0 * now[:, :2] + after[:, :2]) / between_eyes(now)
    return float(np.mean(np.square(bend).sum(axis=1)))
