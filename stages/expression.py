"""What a face does, measured on its landmarks: how it is turned, how far mouth and eyes are open, where it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats
from stages.topology import (
    INNER_LIPS,
    LEFT_EYE_CORNERS,
    LEFT_EYE_LIDS,
    RIGHT_EYE_CORNERS,
    RIGHT_EYE_LIDS,
    RIGID,
)

FOCAL: Final = 1.2
"""Focal length assumed, in widths of the frame's longer side (a horizontal view of 45 degrees)."""

RIGHT_IRIS, LEFT_IRIS = 468, 473
"""The middles of the irises."""


class Pose(NamedTuple):
    """Degrees: yaw to the picture's right, pitch up, roll clockwise."""

    yaw: float
    pitch: float
    roll: float


def pose_of(landmarks: NDArray[np.floating], canonical: Floats, width: int, height: int) -> Pose:
    """The head's pose towards a camera that looks at the middle of the frame.

    Perspective-n-point (SQPnP, Terzakis and Lourakis 2020) on the places that no expression moves.

    Args:
        landmarks: (478, 2 or 3) in frame pixels.
        canonical: (468, 3), see :func:`stages.packs.canonical.read_canonical`.
        width, height: of the frame in pixels.
    """
    focal = FOCAL * max(width, height)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    seen = np.ascontiguousarray(np.asarray(landmarks, np.float64)[list(RIGID), :2])
    _, turn, _ = cv2.solvePnP(canonical[list(RIGID)], seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    return angles_of(np.asarray(cv2.Rodrigues(turn)[0], np.float64))


def angles_of(rotation: Floats) -> Pose:
    """The angles of a rotation (3, 3) of the canonical face: first roll, then pitch, then yaw."""
    forward = -rotation[:, 2]
    yaw = np.arctan2(forward[0], -forward[2])
    pitch = np.arcsin(np.clip(-forward[1], -1.0, 1.0))
    # the picture's right, as a face with this yaw and pitch but without roll has it
    level = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
    roll = np.arctan2(np.dot(np.cross(level, rotation[:, 0]), rotation[:, 2]), np.dot(level, rotation[:, 0]))
    return Pose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def mouth_open(landmarks: NDArray[np.floating]) -> float:
    """Gap between the inner lips over the distance of the outer eye corners, in space: 0 closed, 0.5 wide open."""
    eyes = _distance(landmarks, (RIGHT_EYE_CORNERS[0], LEFT_EYE_CORNERS[0]))
    return _gap(landmarks, INNER_LIPS) / eyes


def eyes_open(landmarks: NDArray[np.floating]) -> tuple[float, float]:
    """Gap between the lids over the eye's width, in space, of the left and the right eye: 0 closed, about 0.3 open."""
    left = _gap(landmarks, LEFT_EYE_LIDS) / _distance(landmarks, LEFT_EYE_CORNERS)
    right = _gap(landmarks, RIGHT_EYE_LIDS) / _distance(landmarks, RIGHT_EYE_CORNERS)
    return left, right


def gaze(landmarks: NDArray[np.floating]) -> float:
    """Where the eyes look, to the side: the irises' place between the corners of their eyes, mean of both eyes.

    How far up or down they look is not told: the lids move with it, and their corners do not say how much of it is the
    head's pitch.

    Args:
        landmarks: (478, 2 or 3), pixels.

    Returns:
        parts of the eye's width along the line between its corners in the picture: 0 where the iris is midway between
        them, positive to the picture's right.
    """
    places = []
    for iris, corners in ((RIGHT_IRIS, RIGHT_EYE_CORNERS), (LEFT_IRIS, LEFT_EYE_CORNERS[::-1])):
        left, right = (np.asarray(landmarks[corner, :2], np.float64) for corner in corners)
        across = (right - left) / max(float(np.linalg.norm(right - left)), 1e-9) ** 2
        places.append(float((np.asarray(landmarks[iris, :2], np.float64) - (left + right) / 2) @ across))
    return sum(places) / 2


def _gap(landmarks: NDArray[np.floating], pairs: Sequence[tuple[int, int]]) -> float:
    return float(np.mean([_distance(landmarks, pair) for pair in pairs]))


def _distance(landmarks: NDArray[np.floating], pair: tuple[int, int]) -> float:
    between = np.asarray(landmarks[pair[0]], np.float64) - np.asarray(landmarks[pair[1]], np.float64)
    return max(float(np.linalg.norm(between)), 1e-9)
