"""A swap that is known through and through: a photograph moved about, its "swap" the same face in other colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnx
import pandas as pd
import pytest
import skimage.data
from numpy.typing import NDArray
from onnx import TensorProto, helper

from stages import geometry
from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.evaluation import Evaluation
from stages.artifacts.face_set import HELD_OUT, TRAIN, FaceSet
from stages.artifacts.files import write_facts
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.truth import Truth
from stages.artifacts.visibility import ALL_SEEN
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.evaluation.evidence import Evidence
from stages.evaluation.settings import EvaluationSettings
from stages.evaluation.stage import evaluate
from stages.packs import Detector, Landmarker, open_pack
from stages.video import VideoFacts

SIZE, CROP, FRAMES = 256, 64, 10
FACTS = VideoFacts(
    width=SIZE, height=SIZE, pixel_format="yuv444p", time_base="1/25", rate="25/1", matrix="bt709", range="tv"
)
SETTINGS = EvaluationSettings(
    frames=8, stretches=2, stretch_frames=5, references=3, threads=1, pictures=3, picture_width=96
)
ABOUT: dict[str, Any] = {
    "swap": "ada-on-ben",
    "source": "ada",
    "target": "ben",
    "clip": "ben",
    "truth": "ada-on-ben",
    "settings": {"evaluation": SETTINGS.model_dump(mode="json")},
}
SKIN, HAIR = 1, 9
PARTS = {"0": "background", "1": "skin", "9": "hair"}


@pytest.fixture(scope="session")
def photograph() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A person's portrait of public domain (Eileen Collins, NASA), (300, 300, 3), and the 478 landmarks in it."""
    picture = np.ascontiguousarray(skimage.data.astronaut()[:300, 80:380])
    pack = open_pack()
    (found,) = Detector(pack, device="cpu", threads=1).detect([picture])
    landmarks, _ = Landmarker(pack, device="cpu", threads=1).refine(picture, found.points[:1], passes=2)
    return picture, landmarks[0]


def native(rgb: NDArray[np.uint8]) -> av.VideoFrame:
    """An RGB picture as the clip's own planes."""
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
        format=FACTS.pixel_format, dst_colorspace=FACTS.matrix_number, src_color_range=2, dst_color_range=1
    )


def recoloured(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the swap does: another skin."""
    return np.clip(rgb * np.array([0.6, 0.8, 1.1]) + np.array([10, 0, 20]), 0, 255).astype(np.uint8)


def written(folder: Path, pictures: list[NDArray[np.uint8]], changed: bool) -> Frames:
    """Frames of pictures."""
    folder.mkdir(parents=True)
    width = pictures[0].shape[1]
    shape = Fraction(SIZE, width)
    facts = FACTS.model_copy(update={"width": width, "sample_aspect": f"{shape.numerator}/{shape.denominator}"})
    with FrameWriter(folder, facts) as writer:
        for number, picture in enumerate(pictures):
            writer.add(native(picture), pts=number, duration=1, shot=0, changed=changed)
        writer.close(source="clip.mp4", source_sha256="00" * 32)
    return Frames.read(folder)


def face_set(folder: Path, crops: list[NDArray[np.uint8]], landmarks: NDArray[np.float64]) -> FaceSet:
    """A face set, every third face of it held out."""
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    with FaceSet.crops_into(folder) as writer:
        for number, crop in enumerate(crops):
            shard, row = writer.add(crops=crop, masks=np.full(crop.shape[:2], 255, np.uint8))
            rows.append(
                {"frame": number, "face": 0, "shard": shard, "row": row, "landmarks": landmarks.ravel()}
                | {"split": HELD_OUT if number % 3 == 0 else TRAIN}
                | dict.fromkeys(POSE_AND_QUALITY, 0.0)
            )
    FaceSet.write_index(folder, pd.DataFrame(rows), {})
    return FaceSet.read(folder)


def swap_model(folder: Path) -> SwapModel:
    """A model whose network of the target gives back what it is given."""
    folder.mkdir(parents=True)
    shape = ["n", 3, CROP, CROP]
    graph = helper.make_graph(
        [
            helper.make_node("Identity", ["crop"], ["rgb"]),
            helper.make_node("ReduceMax", ["crop", "axes"], ["mask"], keepdims=1),
        ],
        "decoder",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("rgb", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n", 1, CROP, CROP]),
        ],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    for name in ("ada", "ben"):
        onnx.save(made, folder / f"{name}.onnx")
    sizes = {"crop_size": 128, "stored_size": 128, "input_size": CROP, "output_size": CROP}
    write_facts(folder / "model.json", sizes)
    return SwapModel.read(folder)


Photograph = tuple[NDArray[np.uint8], NDArray[np.float32]]


@pytest.fixture
def make_evidence(photograph: Photograph, tmp_path: Path) -> Callable[..., Evidence]:
    """Build all that an evaluation reads: ``make(truth=True, noise=4.0, parts=False)``, see :func:`evidence_in`."""
    return partial(evidence_in, tmp_path, photograph)


@pytest.fixture(scope="session")
def usual(photograph: Photograph, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """The evaluation of a good swap whose right answer is known, parts and all."""
    return evaluate(evidence_in(tmp_path_factory.mktemp("usual"), photograph), SETTINGS, ABOUT)


def evidence_in(
    folder: Path,
    photograph: Photograph,
    *,
    truth: bool = True,
    noise: float = 4.0,
    parts: bool = False,
    width: int = SIZE,
) -> Evidence:
    """All that an evaluation reads, in a folder.

    With ``parts`` the truth says that its right half is hair, and the finished frames are black there. With a smaller
    ``width`` frames are anamorphic: squeezed, and their pixels shown as much wider.
    """
    picture, landmarks = photograph
    rng = np.random.default_rng(3)
    shifts = [(number, number // 2) for number in range(FRAMES)]
    light = np.linspace(0.75, 1.0, FRAMES)  # so that a face from another moment is a worse one
    target = [
        (picture[y : y + SIZE, x : x + SIZE] * share).astype(np.uint8)
        for (x, y), share in zip(shifts, light, strict=True)
    ]
    points = [landmarks - np.array([x, y, 0], np.float32) for x, y in shifts]
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    side = float((high - low).max()) * 1.4
    start = (low + high) / 2 - side / 2
    transforms = [
        np.array([[1 / side, 0, (x - start[0]) / side], [0, 1 / side, (y - start[1]) / side]]) for x, y in shifts
    ]
    right, finished = [], []
    for frame, transform in zip(target, transforms, strict=True):
        x0, y0, x1, y1 = geometry.region(transform, SIZE, SIZE)
        for pictures, spread in ((right, 0.0), (finished, noise)):
            swapped = frame.copy()
            box = recoloured(frame[y0:y1, x0:x1]).astype(float)
            swapped[y0:y1, x0:x1] = np.clip(box + rng.normal(0, 1, box.shape) * spread, 0, 255)
            if parts and pictures is finished:
                swapped[:, SIZE // 2 :] = 0
            pictures.append(swapped)
    if width < SIZE:
        for pictures in (target, right, finished):
            pictures[:] = [cv2.resize(each, (width, SIZE), interpolation=cv2.INTER_AREA) for each in pictures]
        points = [where * np.array([width / SIZE, 1, 1], np.float32) for where in points]
        transforms = [each * np.array([SIZE / width, 1, 1]) for each in transforms]
    rows = [
        {
            "frame": number,
            "face": 0,
            "track": 0,
            "shot": 0,
            "transform": transform.ravel(),
            "landmarks": where.ravel(),
            "seen": ALL_SEEN,
        }
        | dict.fromkeys(POSE_AND_QUALITY, 0.0)
        for number, (transform, where) in enumerate(zip(transforms, points, strict=True))
    ]
    (folder / "converted").mkdir()
    places = []
    with Converted.crops_into(folder / "converted") as writer:
        for number, (frame, transform) in enumerate(zip(finished, transforms, strict=True)):
            mask = np.full((CROP, CROP), 255, np.uint8)
            shard, row = writer.add(crops=geometry.crop(frame, transform, CROP), masks=mask, shown=mask)
            places.append({"frame": number, "face": 0, "shard": shard, "row": row})
    Converted.write_index(folder / "converted", pd.DataFrame(places), {"size": CROP})
    unit = geometry.apply(transforms[0], points[0][:, :2])
    for name, pictures in (("ada", right), ("ben", target)):
        crops = [geometry.crop(frame, transform, 128) for frame, transform in zip(pictures, transforms, strict=True)]
        face_set(folder / "dataset" / name / name, crops, unit)
    done = written(folder / "finished", finished, changed=True)
    (folder / "encoding").mkdir()
    about = {"consent": {"source": "synthetic-ada-1", "target": "synthetic-ben-1"}}
    settings = EncodingSettings(preset="ultrafast", crf=10, watermark=False)
    deliverable = encode(done, None, folder / "encoding", settings, about)
    evidence = Evidence(
        target=written(folder / "extraction", target, changed=False),
        alignments=Alignments.of(pd.DataFrame(rows), {}),
        face_set=FaceSet.read(folder / "dataset" / "ben" / "ben"),
        converted=Converted.read(folder / "converted"),
        finished=done,
        deliverable=deliverable,
        model=swap_model(folder / "training"),
        truth=None,
        source_faces=folder / "dataset" / "ada",
        target_faces=folder / "dataset" / "ben",
    )
    return replace(evidence, truth=_truth(folder / "truth", right, parts=parts)) if truth else evidence


def _truth(folder: Path, pictures: list[NDArray[np.uint8]], *, parts: bool) -> Truth:
    """The right answer as a rendered truth has it; with parts, the picture's right half is no face."""
    frames = written(folder / "frames", pictures, changed=False)
    made = encode(frames, None, folder, EncodingSettings(preset="ultrafast", crf=4, watermark=False), {})
    made.video.rename(folder / "clip.mp4")
    table = pd.DataFrame({"frame": range(FRAMES), "landmarks": [np.zeros(140, np.float32)] * FRAMES})
    Truth.write_table(folder, table.assign(yaw=0.0, pitch=0.0, roll=0.0))
    facts: dict[str, Any] = {"frames": FRAMES}
    if parts:
        labels = np.full((SIZE, SIZE), SKIN, np.uint8)
        labels[:, SIZE // 2 :] = HAIR
        (folder / "labels").mkdir()
        grey = FACTS.model_copy(update={"pixel_format": "gray", "matrix": "unknown"})
        with FrameWriter(folder / "labels", grey) as writer:
            for number in range(FRAMES):
                writer.add(av.VideoFrame.from_ndarray(labels, format="gray"), pts=number, duration=1, shot=0)
            writer.close()
        (folder / "labels" / "shard-0000.mkv").rename(folder / "parts.mkv")
        facts["parts"] = PARTS
    write_facts(folder / "facts.json", facts)
    truth = Truth.read(folder)
    assert truth is not None
    return truth
