"""On footage of real people, where it is at hand: finding and telling apart only, nothing is made of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align
from stages.detection.settings import DetectionSettings
from stages.detection.stage import detect
from stages.video import decode
from tests.conftest import REPOSITORY
from tests.film import film

CLIPS = REPOSITORY.parent / "shared" / "clips"
SETTINGS = DetectionSettings(device="cpu")

pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason="the clips are not here")


def pictures(name: str, count: int, step: int = 1) -> list[np.ndarray]:
    return [frame.rgb() for frame in islice(decode(CLIPS / name), 0, count * step, step)]


def test_two_people_with_tilted_heads_are_told_apart(tmp_path: Path) -> None:
    frames = film(tmp_path / "frames", pictures("head-pose-face-detection-female-and-male.gif", 8, step=6))
    found = detect(frames, SETTINGS, (), clip="pair", identity="one")
    assert list(found.tracks["faces"]) == [8, 8]
    assert sorted(found.tracks["taken"]) == [False, True]
    assert found.faces.groupby("frame")["taken"].sum().eq(1).all()


def test_hands_over_a_face_do_not_lose_it(tmp_path: Path) -> None:
    frames = film(tmp_path / "frames", pictures("asl_A.mp4", 12, step=8))
    found = detect(frames, SETTINGS, (), clip="signing", identity="one")
    assert found.facts["frames_with_the_person"] == 12
    table = align(frames, found.faces, AlignmentSettings(device="cpu"), clip="signing").whole()
    assert (table["confidence"] > 0.9).all()
    assert table["yaw"].abs().max() < 30
