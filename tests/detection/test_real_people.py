"""On footage of real people, where it is at hand: finding and telling apart only, nothing is made of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
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


@pytest.mark.parametrize("name", ["asl_A.mp4", "asl_C.mp4", "asl_E.mp4"])
def test_somebody_who_lies_down_is_followed(name: str, tmp_path: Path) -> None:
    """The camera turns by 9 degrees a frame."""
    upright = pictures(name, 40)
    height, width = upright[0].shape[:2]
    middle, side = (width / 2, height / 2), int(np.hypot(width, height))
    turned = []
    for number, picture in enumerate(upright):
        matrix = cv2.getRotationMatrix2D(middle, 9.0 * number, 1.0)
        matrix[:, 2] += side / 2 - np.array(middle)
        turned.append(np.asarray(cv2.warpAffine(picture, matrix, (side, side)), np.uint8))
    found = detect(film(tmp_path / "frames", turned), SETTINGS, (), clip="lying", identity="one")
    assert found.facts["frames_with_the_person"] == 40
    table = align(film(tmp_path / "again", turned), found.faces, AlignmentSettings(device="cpu"), clip="lying").whole()
    assert (table["confidence"] > 0.9).all()
    assert np.unwrap(table["roll"].to_numpy(), period=360.0) == pytest.approx(
        table["roll"].iloc[0] + np.sign(np.unwrap(table["roll"], period=360.0)[-1]) * 9.0 * np.arange(40), abs=12.0
    )
