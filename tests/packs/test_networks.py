"""The networks of the open pack find, describe and recognise faces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from stages.packs import Detector, Landmarker, Recogniser, five_points, open_pack
from stages.packs.canonical import read_canonical
from stages.problems import Problem
from stages.topology import LEFT_EYE_CORNERS, MOUTH_CORNERS, RIGHT_EYE_CORNERS, mirror_of
from tests.film import BACKGROUND, collins, hopper, moved, placed

PLACES = [(110, 120, 0.8, 10.0), (200, 110, 1.1, -20.0), (160, 130, 0.6, 0.0), (150, 120, 0.9, 35.0)]


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(open_pack())


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker(open_pack())


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(open_pack())


def five(frame: NDArray[np.uint8], detector: Detector, landmarker: Landmarker) -> NDArray[np.float32]:
    """Good five points of every face of a frame, from left to right."""
    found = detector.detect([frame])[0]
    points = five_points(landmarker.refine(frame, found.points, passes=3)[0])
    return points[np.argsort(points[:, 2, 0])]


class TestDetector:
    def test_finds_everyone(self, detector: Detector) -> None:
        frame = placed((collins(), moved(90, 120, scale=0.7)), (hopper(), moved(235, 120, scale=0.7)))
        found, nothing = detector.detect([frame, BACKGROUND])
        assert len(found) == 2
        assert len(nothing) == 0
        assert (np.diff(found.scores) <= 0).all()
        inside = (found.points >= found.boxes[:, None, :2]) & (found.points <= found.boxes[:, None, 2:])
        assert inside.all()

    def test_large_faces_are_found_in_large_frames(self, detector: Detector) -> None:
        large = np.kron(placed((collins(), moved(160, 120))), np.ones((6, 6, 1), np.uint8))
        found = detector.detect([large])[0]
        assert len(found) == 1
        assert found.boxes[0, 3] - found.boxes[0, 1] > 400

    def test_a_mirrored_frame_has_mirrored_faces(self, detector: Detector) -> None:
        frame = placed((collins(), moved(140, 120)))
        plain, mirrored = detector.detect([frame, np.ascontiguousarray(frame[:, ::-1])])
        back = mirrored.points[0, [1, 0, 2, 4, 3]] * [-1, 1] + [frame.shape[1], 0]
        assert np.abs(back - plain.points[0]).mean() < 3.0

    def test_twice_gives_the_same_bytes(self, detector: Detector) -> None:
        frame = placed((collins(), moved(140, 120)))
        first, second = (Detector(open_pack()).detect([frame])[0] for _ in range(2))
        assert first.boxes.tobytes() == second.boxes.tobytes()
        assert first.points.tobytes() == second.points.tobytes()


class TestLandmarker:
    def test_landmarks_follow_a_known_movement(self, detector: Detector, landmarker: Landmarker) -> None:
        """Through the inverse of each movement, all frames' landmarks fall on the portrait's."""
        on_portrait = []
        for x, y, scale, degrees in PLACES:
            transform = moved(x, y, scale=scale, degrees=degrees)
            frame = placed((collins(), transform))
            found = detector.detect([frame])[0]
            landmarks, sure = landmarker.refine(frame, found.points[:1], passes=3)
            assert sure[0] > 0.9
            linear, shift = transform[:, :2], transform[:, 2]
            on_portrait.append((landmarks[0, :, :2] - shift) @ np.linalg.inv(linear).T)
        face_height = np.ptp(on_portrait[0][:, 1])
        spread = np.std(on_portrait, axis=0).mean() / face_height
        assert spread < 0.012

    def test_a_mirrored_face_has_mirrored_landmarks(self, detector: Detector, landmarker: Landmarker) -> None:
        """To the rounding of sums: the network alone differs by about a pixel of 256."""
        portrait = np.pad(placed((collins(), moved(128, 120, scale=1.6)))[:, :256], ((0, 16), (0, 0), (0, 0)))
        crops = np.stack([portrait, portrait[:, ::-1]])
        (plain, mirrored), sure = landmarker.place(crops)
        mirror = mirror_of(read_canonical(open_pack().files["canonical_face"]))
        back = mirrored[mirror] * [-1, 1, 1] + [256, 0, 0]
        assert (sure > 0.9).all()
        np.testing.assert_allclose(back, plain, atol=1e-3)

    def test_a_mirror_swaps_the_eyes_and_gives_every_place_back(self) -> None:
        mirror = mirror_of(read_canonical(open_pack().files["canonical_face"]))
        assert mirror[list(RIGHT_EYE_CORNERS)].tolist() == list(LEFT_EYE_CORNERS)
        assert mirror[list(MOUTH_CORNERS)].tolist() == list(MOUTH_CORNERS[::-1])
        assert mirror[mirror].tolist() == list(range(478))

    def test_knows_what_is_no_face(self, landmarker: Landmarker) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (1, 256, 256, 3), dtype=np.uint8)
        assert landmarker.place(noise)[1][0] < 0.1

    def test_no_faces_give_empty_arrays(self, landmarker: Landmarker) -> None:
        landmarks, sure = landmarker.refine(BACKGROUND, np.zeros((0, 5, 2)))
        assert landmarks.shape == (0, 478, 3)
        assert sure.shape == (0,)

    def test_the_batch_has_no_influence_on_a_face(self, landmarker: Landmarker) -> None:
        crops = np.random.default_rng(0).integers(0, 255, (3, 256, 256, 3), dtype=np.uint8)
        together = landmarker.place(crops)[0]
        alone = np.concatenate([landmarker.place(crops[i : i + 1])[0] for i in range(3)])
        np.testing.assert_allclose(together, alone, atol=1e-3)


class TestRecogniser:
    def test_one_person_is_more_alike_than_two(
        self, detector: Detector, landmarker: Landmarker, recogniser: Recogniser
    ) -> None:
        people = []
        for portrait in (collins(), hopper()):
            frames = [placed((portrait, moved(x, y, scale=s, degrees=d))) for x, y, s, d in PLACES]
            people.append(np.concatenate([recogniser.embed(f, five(f, detector, landmarker)) for f in frames]))
        np.testing.assert_allclose(np.linalg.norm(np.concatenate(people), axis=1), 1.0, atol=1e-5)
        same = min((person @ person.T).min() for person in people)
        different = (people[0] @ people[1].T).max()
        assert same > open_pack().same_person > different

    def test_no_faces_give_no_embeddings(self, recogniser: Recogniser) -> None:
        assert recogniser.embed(BACKGROUND, np.zeros((0, 5, 2))).shape == (0, 128)

    def test_the_network_equals_dlibs(self, tmp_path: Path) -> None:
        """On chips of waves; the embeddings are dlib 20.0.1's. Half-precision weights cost less than 0.0005 of 1.3."""
        expected = json.loads((Path(__file__).parent / "dlib_embeddings.json").read_text())["embeddings"]
        trunk = tmp_path / "trunk.onnx"
        onnx.utils.extract_model(str(open_pack().files["recognition"]), str(trunk), ["chip"], ["embedding"])
        session = ort.InferenceSession(str(trunk), providers=["CPUExecutionProvider"])
        chips = np.stack([waves(0), waves(3)]).transpose(0, 3, 1, 2).astype(np.float32)
        embeddings = session.run(None, {"chip": chips})[0]
        np.testing.assert_allclose(embeddings, expected, atol=5e-4)


def waves(phase: int) -> NDArray[np.uint8]:
    """A chip (150, 150, 3) uint8 RGB that can be made anywhere."""
    y, x = np.mgrid[0:150, 0:150].astype(np.float64)
    red, green = np.sin(x / (7.0 + phase)) + np.cos(y / 11.0), np.sin((x + y) / (13.0 - phase))
    blue = np.cos(x / 17.0) * np.sin(y / (5.0 + phase))
    return np.round(127.5 + 60 * np.stack([red, green, blue], -1)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("network", [Detector, Landmarker, Recogniser])
def test_a_gpu_that_is_not_there_is_a_problem(network: type[Detector | Landmarker | Recogniser]) -> None:
    with pytest.raises(Problem, match="CUDA"):
        network(open_pack(), device="cuda")


def test_five_points_are_in_the_detectors_order(detector: Detector, landmarker: Landmarker) -> None:
    transform = moved(160, 120)
    frame = placed((collins(), transform))
    found = detector.detect([frame])[0]
    dense = five_points(landmarker.refine(frame, found.points, passes=2)[0])[0]
    assert np.abs(dense - found.points[0]).max() < 12.0
