"""Named scenes, each one difficulty of real footage, with the exact right answer of a swap in them.

One performer plays, another is rendered into the same performance: pose, light, camera, sensor and what comes before
the face are the same to the bit, so the second is what a perfect swap of the first would show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.occluders.covering import Covering, Kind
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Sensor, Sight, expose

CLEAN: Final = Sensor(noise=0.8, shot=0.008, blur=0.5)
CALM: Final = Acting(yaw=14.0, pitch=7.0, roll=5.0, distance=78.0)

SKIN: Final = ("skin_melanin", "skin_redness", "skin_undertone")
"""Fields of an identity that a swap leaves the target's: the colour of the skin, which neck and ears go on with."""

RATE: Final = 25
"""Frames a second."""

_BEHIND: Final = 50.0
"""cm from the player to whoever passes: more than a bust is deep, so that one is wholly in front of the other."""

_WALK: Final = (-62.0, 62.0)
"""cm to the picture's right at which a passer begins and ends."""


@dataclass(frozen=True)
class NamedScene:
    """One difficulty.

    Attributes:
        name: in tables.
        what: the difficulty in a few words.
        seed: of motion, light, backdrop, occluders and noise.
        seconds: how long.
        acting, sensor: how it is played and filmed.
        before: kinds of what comes before the face.
        turn: degrees of yaw at the beginning and at the end, added to the acting's.
        across: cm to the picture's right at the beginning and at the end, added likewise.
        sweep: degrees by which the light goes round the person over the scene.
        hard: whether the fill and the room give a quarter of their light.
        pan: heights of the picture by which the camera's view moves aside over the scene.
        shutter: share of the time of a frame during which light falls in; what moves then is blurred.
        cut: whether a nearer camera takes over in the middle.
        passer: seed of an identity that walks by behind, in the light that the player has; None for nobody.
        crf: x264's rate factor with which the clip was coded before it came to us; None for lossless.
        fields: of the identity who plays, in place of its own.
    """

    name: str
    what: str
    seed: int
    seconds: float = 1.0
    acting: Acting = CALM
    sensor: Sensor = CLEAN
    before: tuple[Kind, ...] = ()
    turn: tuple[float, float] = (0.0, 0.0)
    across: tuple[float, float] = (0.0, 0.0)
    sweep: float = 0.0
    hard: bool = False
    pan: float = 0.0
    shutter: float = 0.0
    cut: bool = False
    passer: int | None = None
    crf: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """How many."""
        return round(self.seconds * RATE)


SCENES: Final = (
    NamedScene("plain", "nothing in the way: what the others are to be held against", 301),
    NamedScene("glasses", "glasses with panes that mirror", 302, before=("glasses",)),
    NamedScene("hand", "a hand before the face", 312, seconds=1.4, before=("hand",)),
    NamedScene("microphone", "a microphone before the mouth", 304, seconds=1.4, before=("microphone",)),
    NamedScene("fringe", "hair over the brow", 305, before=("fringe",)),
    NamedScene("profile", "a turn to 60 degrees", 306, turn=(0.0, 58.0)),
    NamedScene("hard-light", "a hard light that goes round the person", 307, sweep=110.0, hard=True),
    NamedScene("motion-blur", "a fast turn and a slow shutter", 308, turn=(-32.0, 32.0), seconds=0.6, shutter=0.9),
    NamedScene("defocus", "out of focus", 309, sensor=replace(CLEAN, blur=2.6)),
    NamedScene("low-light", "little light, much noise", 310,
               sensor=Sensor(noise=5.0, shot=0.05, blur=0.6, exposure=0.4)),
    NamedScene("out-of-frame", "half out of the picture and back in", 311, across=(-17.0, -3.0)),
    NamedScene("beard", "a full beard that nobody had in training", 313,
               fields={"beard_style": "full", "beard_density": 0.9}),
    NamedScene("cut", "another camera in the middle", 314, cut=True),
    NamedScene("camera-move", "a camera that pans", 315, pan=0.35),
    NamedScene("close-up", "a face of two and a half times what the model draws", 316, seconds=0.6,
               acting=replace(CALM, distance=58.0, yaw=8.0, pitch=4.0)),
    NamedScene("passer-by", "another person who walks by behind", 317, passer=41),
    NamedScene("compressed", "a clip that was coded hard", 318, crf=34),
    NamedScene("speech", "three seconds of talk: what one second can not tell of lips", 319, seconds=3.0),
)  # fmt: skip


@dataclass(frozen=True)
class Take:
    """One frame: ``target``, ``truth`` and ``same_skin``, the truth in the target's skin, (h, w, 3) uint8; ``parts``
    (h, w) uint8 of the first two; ``landmarks`` (70, 2) of the target, frame pixels."""

    target: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    same_skin: NDArray[np.uint8]
    target_parts: NDArray[np.uint8]
    truth_parts: NDArray[np.uint8]
    landmarks: NDArray[np.float32]


def shoot(scene: NamedScene, player: Identity, other: Identity, height: int = 360, width: int = 640) -> Iterator[Take]:
    """The frames in order, one at a time.

    Args:
        scene: that is played.
        player: who plays.
        other: whose face the right answer shows.
        height, width: of the pictures, pixels.
    """
    player = player.model_copy(update=scene.fields)
    basis = HeadBasis.load()
    mine, hers = Performer(player, basis), Performer(other, basis)
    tanned = Performer(other.model_copy(update={name: getattr(player, name) for name in SKIN}), basis)
    covering = None
    if scene.before:
        asked = [(kind, scene.seed) for kind in scene.before]
        covering = Covering.of(asked, player, mine.head, scene.seconds)
    passer = None if scene.passer is None else Performer(Identity.from_seed(scene.passer), basis)
    track = perform(scene.seed, scene.frames + 1, RATE, scene.acting)
    lights = [Light.from_seed(scene.seed), Light.from_seed(scene.seed + 1)]
    walls = [backdrop(scene.seed, height, width), backdrop(scene.seed + 1, height, width)]
    for number in range(scene.frames):
        after_cut = scene.cut and number >= scene.frames // 2
        opened = np.linspace(0.0, scene.shutter, 5) if scene.shutter else np.zeros(1)
        sights: dict[int, list[Sight]] = {0: [], 1: [], 2: []}
        for delay in opened:
            done = (number + float(delay)) / max(scene.frames - 1, 1)
            camera = Camera(
                width, height, 2.0 * height * (1.5 if after_cut else 1.0), ((done - 0.5) * scene.pan * height, 0.0)
            )
            pose = _pose(scene, pose_at(track, number), pose_at(track, number + 1), float(delay), done)
            light = lit(lights[int(after_cut)], scene, done)
            seconds = (number + float(delay)) / RATE
            behind = walls[int(after_cut)]
            if passer is not None:
                behind = passer.sight(_walking(scene, pose, done), camera, light, behind).linear
            for which, performer in enumerate((mine, hers, tanned)):
                sights[which].append(performer.sight(pose, camera, light, behind, covering, seconds))
        pictures = [
            expose(
                np.mean([sight.linear for sight in sights[which]], axis=0, dtype=np.float32),
                scene.sensor,
                np.random.Generator(np.random.PCG64([scene.seed, number])),
            )
            for which in sights
        ]
        middle = len(opened) // 2
        target, truth = (sights[which][middle] for which in (0, 1))
        yield Take(pictures[0], pictures[1], pictures[2], target.parts, truth.parts, target.landmarks)


def lit(light: Light, scene: NamedScene, done: float) -> Light:
    """The light when a share `done` of the scene is over: gone round the vertical, and harder."""
    moved = light.turned((done - 0.5) * scene.sweep)
    return moved.hardened(1.5, 0.25, 0.625) if scene.hard else moved


def _walking(scene: NamedScene, player: Pose, done: float) -> Pose:
    """Of whoever passes, when a share ``done`` of the scene is over: walks to the right, and looks at the camera."""
    start, end = _WALK
    return Pose(
        yaw=18.0,
        position=(start + done * (end - start), player.position[1] - 2.0, scene.acting.distance + _BEHIND),
    )


def _pose(scene: NamedScene, pose: Pose, following: Pose, delay: float, done: float) -> Pose:
    def between(ends: tuple[float, float]) -> float:
        return ends[0] + done * (ends[1] - ends[0])

    x, y, z = (a + delay * (b - a) for a, b in zip(pose.position, following.position, strict=True))
    return replace(
        pose,
        yaw=pose.yaw + delay * (following.yaw - pose.yaw) + between(scene.turn),
        pitch=pose.pitch + delay * (following.pitch - pose.pitch),
        position=(x + between(scene.across), y, z),
    )
