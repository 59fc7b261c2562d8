"""Several performers in one picture, with the exact truth of each: who stands where, turned how, and covered by whom.

People are rendered one by one and laid over each other from the farthest to the nearest by the coverage of their
samples (the *over* operator, Porter and Duff 1984). That is right as long as one of two people is wholly in front of
the other, which :func:`shoot` makes sure of. Light is shared, shadows are each person's own, and the camera's blur and
noise come last, over all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.picture_bytes import png
from stages.rendering import deferred, landmarks, shading
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import Part
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.posing import Pose, pose_head
from stages.rendering.render import Performer, Sensor, expose

FACE: Final = 17.7
"""Height in cm of a face from the top of the forehead to the chin; heads of performers have one size."""

APART: Final = 30.0
"""Least distance in cm, along the line of sight, of two people whose pictures may touch: more than a bust is deep."""

IDLE: Final = Acting(yaw=5.0, pitch=9.0, roll=6.0, sway=0.4)
"""What everybody does beside what the scene has them do: talk, look about, nod."""

STILL: Final = Acting(yaw=0.0, pitch=0.0, roll=0.0, talking=0.0, smiling=0.0, sway=0.0)

CAMERA: Final = Sensor(noise=0.8, shot=0.008, blur=0.5)

REFERENCES: Final = ((-15.0, 0.0), (0.0, 3.0), (15.0, 0.0))
"""Yaw and pitch of a person's reference pictures."""


@dataclass(frozen=True)
class Mark:
    """Where a person is at a time.

    Attributes:
        at: seconds.
        x: cm to the picture's right of the camera's axis.
        yaw: degrees towards the picture's right *as the camera sees it*, that is against the line of sight.
    """

    at: float
    x: float
    yaw: float = 0.0


@dataclass(frozen=True)
class Role:
    """One person of a scene.

    Attributes:
        name: in tables.
        identity: its seed.
        distance: cm from the camera to the neck.
        marks: where it is when; between them it moves along minimum-jerk paths (Flash and Hogan 1985).
        below: cm from the camera's axis down to the neck.
        fields: of the identity, in place of what the seed draws.
        acting: what it does besides; None keeps it as still as a statue.
    """

    name: str
    identity: int
    distance: float
    marks: tuple[Mark, ...]
    below: float = 8.0
    fields: dict[str, Any] = field(default_factory=dict)
    acting: Acting | None = IDLE


@dataclass(frozen=True)
class Scene:
    """People before a camera that stands still.

    Attributes:
        seed: of performances, light, backdrop and noise.
        roles: the people.
        frames: how many.
        rate: frames a second.
        width, height: of the picture, pixels, even.
        focal: focal length in heights of the picture.
        sensor: blur and noise.
    """

    seed: int
    roles: tuple[Role, ...]
    frames: int
    rate: int = 25
    width: int = 640
    height: int = 360
    focal: float = 2.0
    sensor: Sensor = CAMERA

    @property
    def camera(self) -> Camera:
        """The camera."""
        return Camera(self.width, self.height, self.focal * self.height)


@dataclass(frozen=True)
class Person:
    """What is exactly known of one person in one frame.

    Attributes:
        name: the role's.
        landmarks: (70, 2) float32 frame pixels, see :mod:`stages.rendering.landmarks`.
        yaw, pitch, roll: degrees; yaw and pitch against the line of sight.
        rotation: (3, 3) float64, head space to camera space.
        scale: pixels a cm at the head.
        size: height of the face in pixels, as in ``FACE``.
        eyes: distance of the outer eye corners in space, in pixels: turning does not shorten it.
        covered: share of the face (the landmarks' hull) that others cover or that lies outside of the picture, 0..1.
    """

    name: str
    landmarks: NDArray[np.float32]
    yaw: float
    pitch: float
    roll: float
    rotation: NDArray[np.float64]
    scale: float
    size: float
    eyes: float
    covered: float


@dataclass(frozen=True)
class Shot:
    """One frame: ``rgb`` (h, w, 3) uint8, and its people in the scene's order."""

    rgb: NDArray[np.uint8]
    people: tuple[Person, ...]


def cast(scene: Scene, basis: HeadBasis | None = None) -> dict[str, Performer]:
    """The scene's performers by role; a few seconds each."""
    basis = basis or HeadBasis.load()
    return {
        role.name: Performer(
            Identity.from_settings(role.identity, role.fields, where=role.name) if role.fields
            else Identity.from_seed(role.identity), basis
        )
        for role in scene.roles
    }  # fmt: skip


def shoot(scene: Scene, performers: dict[str, Performer]) -> Iterator[Shot]:
    """The frames in order, one at a time.

    Raises:
        ValueError: two people stand too close to be laid over each other.
    """
    distances = sorted(role.distance for role in scene.roles)
    if any(far - near < APART for near, far in pairwise(distances)):
        raise ValueError(f"people of a scene stand at least {APART:g} cm apart in depth")
    tracks = {role.name: track(role, scene, number) for number, role in enumerate(scene.roles)}
    light, behind = Light.from_seed(scene.seed), backdrop(scene.seed, scene.height, scene.width)
    for number in range(scene.frames):
        poses = {name: pose_at(rows, number) for name, rows in tracks.items()}
        noise = np.random.Generator(np.random.PCG64([scene.seed, number]))
        yield _picture(scene, performers, poses, light, behind, noise)


def track(role: Role, scene: Scene, number: int) -> pd.DataFrame:
    """A role's performance, as :func:`stages.rendering.performance.perform` gives it, moved to where the role goes."""
    rows = perform(scene.seed + 101 * number, scene.frames, scene.rate, role.acting or STILL)
    time = np.arange(scene.frames) / scene.rate
    x, yaw = (between(role.marks, name, time) for name in ("x", "yaw"))
    if role.acting is None:
        rows[:] = 0.0
    rows["x"] += x
    rows["y"] = role.below + (rows["y"] - rows["y"].mean())
    rows["z"] = role.distance + (rows["z"] - rows["z"].mean())
    rows["yaw"] += yaw - np.degrees(np.arctan2(rows["x"], rows["z"]))
    return rows.astype(np.float32)


def between(marks: Sequence[Mark], name: str, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """A mark's value over time (n,) in seconds: minimum-jerk between marks, held before and after them."""
    at = np.array([mark.at for mark in marks])
    values = np.array([getattr(mark, name) for mark in marks], float)
    if len(marks) == 1:
        return np.full(len(time), values[0])
    leg = np.clip(np.searchsorted(at, time, side="right") - 1, 0, len(at) - 2)
    s = np.clip((time - at[leg]) / (at[leg + 1] - at[leg]), 0.0, 1.0)
    return np.asarray(values[leg] + s**3 * (10 - 15 * s + 6 * s * s) * (values[leg + 1] - values[leg]))


def reference_pictures(role: Role, performer: Performer, folder: Path) -> list[Path]:
    """Stills of one person alone, in other light and before another wall, as PNG files in an existing folder."""
    size = 320
    paths = []
    for number, (yaw, pitch) in enumerate(REFERENCES):
        camera, light = Camera(size, size, 2.0 * size), Light.from_seed(900 + number)
        pose = Pose(yaw=yaw, pitch=pitch, position=(0.0, 5.0, 90.0))
        behind = backdrop(900 + number, size, size)
        picture = performer.render(pose, camera, light, behind, Sensor(), np.random.default_rng(number))
        paths.append(folder / f"{role.name}-{number}.png")
        paths[-1].write_bytes(png(picture.rgb, paths[-1]))
    return paths


def _picture(
    scene: Scene,
    performers: dict[str, Performer],
    poses: dict[str, Pose],
    light: Light,
    behind: NDArray[np.float32],
    noise: np.random.Generator,
) -> Shot:
    camera = scene.camera
    linear, in_front = behind, np.zeros((scene.height, scene.width), bool)
    posed, there = {}, {}
    for name, pose in sorted(poses.items(), key=lambda item: -item[1].position[2]):
        performer = performers[name]
        posed[name] = pose_head(performer.head, performer.hair, pose)
        gbuffer = deferred.fill(posed[name], camera, light.direction)
        if len(gbuffer.index):
            linear = deferred.resolve(gbuffer, shading.shade(gbuffer, performer.maps, light), linear)
        there[name] = deferred.labels(gbuffer)[0] != Part.BACKGROUND
    people = {}
    for name, pose in sorted(poses.items(), key=lambda item: item[1].position[2]):
        points = landmarks.project(posed[name], camera)
        corners = posed[name].positions[posed[name].head.landmarks[[36, 45]]].astype(np.float64)
        scale = camera.focal / float(corners[:, 2].mean())
        x, y, z = corners.mean(axis=0)
        people[name] = Person(
            name=name,
            landmarks=points,
            yaw=pose.yaw + float(np.degrees(np.arctan2(x, z))),
            pitch=pose.pitch - float(np.degrees(np.arctan2(y, z))),
            roll=pose.roll,
            rotation=posed[name].rotation,
            scale=scale,
            size=FACE * scale,
            eyes=scale * float(np.linalg.norm(corners[0] - corners[1])),
            covered=_covered(points[:68], in_front),
        )
        in_front = in_front | there[name]
    rgb = expose(linear, scene.sensor, noise)
    return Shot(rgb, tuple(people[role.name] for role in scene.roles))


def _covered(points: NDArray[np.float32], in_front: NDArray[np.bool_]) -> float:
    """Share of the hull of points (n, 2) that lies under a mask (h, w), or outside of it."""
    low, high = np.floor(points.min(axis=0)).astype(int), np.ceil(points.max(axis=0)).astype(int) + 1
    face = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.round(points - low - 0.5).astype(np.int32)), 1)
    rows, columns = np.nonzero(face)
    rows, columns = rows + low[1], columns + low[0]
    height, width = in_front.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    return 1.0 - float((~in_front[rows[inside], columns[inside]]).sum()) / max(len(rows), 1)


def named(scene: Scene, names: Sequence[str]) -> Scene:
    """The scene with some of its people only."""
    return replace(scene, roles=tuple(role for role in scene.roles if role.name in names))


THREE: Final = Scene(
    seed=7,
    frames=150,
    roles=(
        Role(
            "near",
            21,
            110.0,
            (
                Mark(0.0, -24.0),
                Mark(0.8, -24.0, 52.0),
                Mark(1.6, -24.0, -52.0),
                Mark(2.4, -24.0, 20.0),
                Mark(3.8, 22.0, 40.0),
                Mark(4.6, 22.0, -52.0),
                Mark(5.5, 22.0, 52.0),
            ),
        ),
        Role(
            "middle",
            34,
            170.0,
            (
                Mark(0.2, -100.0, 45.0),
                Mark(2.3, 45.0, 50.0),
                Mark(2.9, 45.0, -30.0),
                Mark(4.1, -105.0, -50.0),
                Mark(4.4, -105.0, 30.0),
                Mark(5.6, -20.0, 10.0),
            ),
        ),
        Role(
            "far",
            47,
            245.0,
            (
                Mark(0.0, 60.0),
                Mark(0.9, 62.0, -50.0),
                Mark(1.9, 60.0, 45.0),
                Mark(3.6, -15.0, -48.0),
                Mark(4.6, -20.0, 40.0),
                Mark(6.0, 60.0, 20.0),
            ),
            below=16.0,
        ),
    ),
)
"""Three people, of 116, 75 and 52 pixels of face. They turn to almost 60 degrees; the middle one comes in from the
left behind the near one, passes before the far one, leaves and comes back; the near one crosses before both."""
