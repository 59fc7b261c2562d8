"""One face is found once, however many boxes the detector puts about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stages.detection.looking import distinct, looking_of
from stages.detection.settings import DetectionSettings
from stages.geometry import apply
from stages.packs import Found, open_pack
from tests.film import collins, hopper, moved, placed


class TwoBoxes:
    """A detector that also gives a box about head and shoulders of each face, as large as twice its own."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def detect(self, frames: list[Any], *, tilted: bool) -> list[Found]:
        (found,) = self._detector.detect(frames, tilted=tilted)
        height = found.boxes[:, 3:] - found.boxes[:, 1:2]
        wide = found.boxes + height * np.array([-0.5, -0.3, 0.5, 0.7], np.float32)
        return [
            Found(
                np.concatenate([found.scores, found.scores - 0.1]),
                np.concatenate([found.boxes, wide]),
                np.concatenate([found.points, found.points + 3.0]),
            )
        ]


def test_two_boxes_about_one_face_are_one_face() -> None:
    looking = looking_of(open_pack(), DetectionSettings(device="cpu", minimum_face=40))
    frame = placed((collins(), moved(90, 110, scale=0.8)), (hopper(), moved(255, 150, scale=0.6)))
    once, _ = looking.at(frame)
    found, embeddings = replace(looking, detector=TwoBoxes(looking.detector)).at(frame)  # type: ignore[arg-type]
    assert len(once) == len(found) == len(embeddings) == 2
    np.testing.assert_array_equal(found.boxes, once.boxes)


@pytest.mark.parametrize("degrees", range(0, 360, 40))
def test_heads_are_found_however_they_are_tilted(degrees: int) -> None:
    looking = looking_of(open_pack(), DetectionSettings(device="cpu", minimum_face=40))
    upright, tilted = (moved(160, 120, scale=0.8, degrees=angle) for angle in (0, degrees))
    there, described = looking.at(placed((collins(), upright)))
    found, embeddings = looking.at(placed((collins(), tilted)), tilted=True)
    assert len(there) == len(found) == 1
    way = np.vstack([tilted, [0, 0, 1]]) @ np.linalg.inv(np.vstack([upright, [0, 0, 1]]))
    expected = apply(way[:2], there.points[0])
    eyes = np.linalg.norm(expected[1] - expected[0])
    assert np.linalg.norm(found.points[0] - expected, axis=1).max() < 0.15 * eyes
    assert float(embeddings[0] @ described[0]) > 0.97
    low, high = found.boxes[0].reshape(2, 2)
    assert ((low < expected) & (expected < high)).all()


def test_faces_beside_each_other_stay_two() -> None:
    face = np.array([[0, 0], [40, 0], [20, 20], [5, 40], [35, 40]], np.float32)
    beside = face + np.array([60, 0])
    assert distinct(np.stack([face, beside, face + 4, face * 1.2])) == [0, 1]
    assert distinct(np.zeros((0, 5, 2))) == []
