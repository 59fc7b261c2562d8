"""Drawn faces of a few people, whose face sets take a moment to make and whose swap is plain to see."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.face_set import FaceSet
from stages.topology import LEFT_EYE, RIGHT_EYE
from stages.training.regions import _LIPS
from stages.training.settings import NetworkSettings, PresetSettings, TrainingSettings

SIZE = 64
COLOURS = {
    "ada": ((224, 178, 150), (90, 60, 40)),
    "ben": ((120, 84, 60), (20, 20, 24)),
    "cyd": ((190, 140, 100), (150, 150, 150)),
}
"""Skin and hair, RGB."""


def drawn_face(
    identity: str, turn: float, mouth: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """A crop (64, 64, 3) RGB, its mask (64, 64) and 478 landmarks in the unit crop, of which eyes and lips are right.

    Args:
        identity: of COLOURS.
        turn: of the head, -1..1.
        mouth: how far it is open, 0..1.
    """
    skin, hair = COLOURS[identity]
    crop = np.full((SIZE, SIZE, 3), (70, 110, 140), np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    shift = int(5 * turn)
    cv2.ellipse(crop, (32, 28), (25, 27), 0, 0, 360, hair, -1)
    cv2.ellipse(crop, (32, 35), (20, 25), 0, 0, 360, skin, -1)
    cv2.ellipse(mask, (32, 35), (20, 25), 0, 0, 360, 255, -1)
    points = np.full((478, 2), 0.5, np.float32)
    for outline, x in ((RIGHT_EYE, 24 + shift), (LEFT_EYE, 40 + shift)):
        cv2.ellipse(crop, (x, 30), (4, 2), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(crop, (x + shift // 3, 30), 2, hair, -1)
        points[list(outline)] = _ring(x, 30, 4, 2, len(outline))
    cv2.ellipse(crop, (32 + shift, 48), (7, 2 + int(5 * mouth)), 0, 0, 360, (150, 40, 50), -1)
    points[list(_LIPS)] = _ring(32 + shift, 48, 7, 2 + 5 * mouth, len(_LIPS))
    return crop, mask, points


def _ring(x: float, y: float, width: float, height: float, count: int) -> NDArray[np.float32]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1).astype(np.float32) / SIZE


def write_face_set(folder: Path, identity: str, *, train: int = 24, held_out: int = 6, seed: int = 0) -> None:
    """A face set of drawn faces under ``folder``."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(seed)
    rows = []
    with FaceSet.crops_into(folder) as writer:
        for frame in range(train + held_out):
            turn, mouth = chance.uniform(-1, 1), chance.uniform(0, 1)
            crop, mask, points = drawn_face(identity, turn, mouth)
            shard, row = writer.add(crops=crop, masks=mask)
            quality = dict.fromkeys(POSE_AND_QUALITY, 0.5) | {"yaw": 40 * turn}
            split = "train" if frame < train else "held-out"
            place = {"frame": frame, "face": 0, "shard": shard, "row": row, "split": split}
            rows.append(place | quality | {"landmarks": points.ravel()})
    FaceSet.write_index(folder, pd.DataFrame(rows), {})


def smoke_preset(**changes: object) -> PresetSettings:
    """32 pixels and few iterations: seconds on a CPU."""
    network = NetworkSettings(
        input_size=32,
        output_size=32,
        encoder_channels=(16, 32),
        latent=32,
        decoder_channels=(48, 24, 16),
        mask_channels=8,
    )
    given = {"network": network, "iterations": 20, "batch": 4, "check_every": 5, "judge_every": 10, "stored_size": 64}
    return PresetSettings.model_validate(given | changes)


def smoke_settings(**changes: object) -> TrainingSettings:
    """Settings with :func:`smoke_preset` chosen, on one thread."""
    return TrainingSettings(preset="smoke", threads=1, presets={"smoke": smoke_preset(**changes)})
