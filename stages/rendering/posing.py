"""From a neutral head to a posed one in camera space: expression, gaze, lids on the eyeballs, neck."""

from __future__ import annotations

from dataclasses import dataclass, field

import numba
import numpy as np

from stages.rendering import eyeballs
from stages.rendering.mesh import F32, F64, I32, Eye, Hair, Head, PosedHead
from stages.rendering.surface import vertex_normals

PIVOT = np.array([0.0, -2.5, -1.0])  # the head turns about the top of the neck, head space, cm
SHOULDER_SHARE = 0.12  # of the head's turn, that the shoulders follow
LOOK_LIMIT = 35.0  # degrees of gaze at which the eyeLook units are full
LID_GAP = 1.015  # lids rest this far out on the eyeball, in its radii


@dataclass(frozen=True)
class Pose:
    """What a performer does in one frame.

    yaw, pitch, roll: degrees, see docs/architecture.md. position: (3,) cm in camera space, where the neck's pivot is.
    gaze_yaw, gaze_pitch: degrees in the head, positive to the person's left and up; both eyes alike.
    units: expression unit -> 0..1 (ARKit's names without the eyeLook ones, which follow the gaze).
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    position: tuple[float, float, float] = (0.0, 0.0, 70.0)
    gaze_yaw: float = 0.0
    gaze_pitch: float = 0.0
    units: dict[str, float] = field(default_factory=dict)


def rotation(yaw: float, pitch: float, roll: float) -> F64:
    """Head space to camera space, (3, 3): roll first, then pitch, then yaw, in degrees.

    With all zero the face looks into the camera. Yaw is positive when the face turns to the picture's right, pitch
    when it looks up, roll when it turns clockwise in the picture.
    """
    y, p, r = np.radians([yaw, -pitch, -roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turned: F64 = np.diag([1.0, -1.0, -1.0]) @ about_y @ about_x @ about_z
    return turned


def express(head: Head, pose: Pose) -> F32:
    """The head's vertices (V, 3) in head space with the pose's expression and gaze."""
    positions = head.positions.copy()
    for name, amount in {**pose.units, **look_units(pose.gaze_yaw, pose.gaze_pitch)}.items():
        if amount and name in head.units:
            rows, deltas = head.units[name]
            positions[rows] += np.float32(amount) * deltas
    turn = gaze_rotation(pose.gaze_yaw, pose.gaze_pitch)
    lids = lid_vertices(head)
    for eye, near in zip(head.eyes, lids, strict=True):
        first, end = eye.vertices
        positions[first:end] = (head.positions[first:end] - eye.centre) @ turn.T + eye.centre
        positions[near] = _out_of_eye(positions[near], eye, turn)
    return positions


def gaze_rotation(gaze_yaw: float, gaze_pitch: float) -> F64:
    """Rotation (3, 3) of the eyeballs in head space."""
    y, p = np.radians([gaze_yaw, -gaze_pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    turn: F64 = about_y @ about_x
    return turn


def look_units(gaze_yaw: float, gaze_pitch: float) -> dict[str, float]:
    """The ARKit units by which the lids follow a gaze."""
    left, right = max(gaze_yaw, 0.0) / LOOK_LIMIT, max(-gaze_yaw, 0.0) / LOOK_LIMIT
    up, down = max(gaze_pitch, 0.0) / LOOK_LIMIT, max(-gaze_pitch, 0.0) / LOOK_LIMIT
    amounts = {"OutLeft": left, "InRight": left, "InLeft": right, "OutRight": right}
    amounts |= {f"{way}{side}": a for way, a in (("Up", up), ("Down", down)) for side in ("Left", "Right")}
    return {f"eyeLook{name}": min(amount, 1.0) for name, amount in amounts.items()}


def lid_vertices(head: Head) -> tuple[I32, I32]:
    """Rows of the vertices that may touch the (right, left) eyeball: those that a blink or a wide eye moves."""
    found = []
    for side, eye in zip(("Right", "Left"), head.eyes, strict=True):
        rows = np.unique(np.concatenate([head.units[f"{unit}{side}"][0] for unit in ("eyeBlink", "eyeWide")]))
        away = head.positions[rows] - eye.centre
        near = (np.linalg.norm(away, axis=1) < 1.5 * eye.radius) & (away[:, 2] > 0.25 * eye.radius)
        found.append(rows[near])
    return found[0], found[1]


def _out_of_eye(points: F32, eye: Eye, turn: F64) -> F32:
    """Push points (K, 3) that lie inside the eyeball (with its cornea where the gaze turns it) onto its surface."""
    away = points - eye.centre
    distance = np.linalg.norm(away, axis=1)
    angle = np.arccos(np.clip(away @ turn[:, 2] / np.maximum(distance, 1e-6), -1.0, 1.0))
    least = LID_GAP * eye.radius * eyeballs.profile(angle)
    outward = np.maximum(1.0, least / np.maximum(distance, 1e-6))
    return np.asarray(eye.centre + away * outward[:, None], np.float32)


def pose_head(head: Head, hair: Hair | None, pose: Pose) -> PosedHead:
    """Pose a head and its hair in camera space."""
    local = express(head, pose)
    whole = rotation(pose.yaw, pose.pitch, pose.roll)
    body = rotation(SHOULDER_SHARE * pose.yaw, 0.0, SHOULDER_SHARE * pose.roll)
    place = np.asarray(pose.position, np.float64)
    positions = _place(local - np.float32(PIVOT), head.neck, whole, body, place)
    normals = vertex_normals(positions, head.faces, head.weld)
    empty = np.zeros((0, 3), np.float32)
    hair_positions, hair_normals, hair_tangents = empty, empty, empty
    if hair is not None:
        moved = hair.positions + (local - head.positions)[hair.bind] - np.float32(PIVOT)
        hair_positions = _place(moved, head.neck[hair.bind], whole, body, place)
        turn = np.ascontiguousarray(whole.T, np.float32)
        hair_normals, hair_tangents = hair.normals @ turn, hair.tangents @ turn
    return PosedHead(
        head, hair, positions, normals, hair_positions, hair_normals, hair_tangents, whole, place - whole @ PIVOT
    )


@numba.njit(cache=True, nogil=True)
def _place(points: F32, neck: F32, whole: F64, body: F64, place: F64) -> F32:
    """Blend of the head's and the shoulders' rigid motion of points (N, 3) by `neck` (N,), (N, 3) float32."""
    out = np.empty_like(points)
    for i in range(points.shape[0]):
        for k in range(3):
            head = whole[k, 0] * points[i, 0] + whole[k, 1] * points[i, 1] + whole[k, 2] * points[i, 2]
            rest = body[k, 0] * points[i, 0] + body[k, 1] * points[i, 1] + body[k, 2] * points[i, 2]
            out[i, k] = neck[i] * head + (1.0 - neck[i]) * rest + place[k]
    return out
