"""Each frame-wise stage gives the same bytes here, on two threads or processes, on a cluster, and after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align
from stages.artifacts.detections import Detections
from stages.artifacts.files import write_facts
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.swap_model import SwapModel
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite
from stages.conversion.settings import ConversionSettings
from stages.conversion.stage import convert
from stages.detection.settings import DetectionSettings
from stages.detection.stage import detect
from stages.execution.engines import HERE, Engine
from tests.execution.works import Deadly
from tests.film import collins, film, hopper, moved, placed

DETECTION = DetectionSettings(device="cpu", minimum_face=40, threads=1)
ALIGNMENT = AlignmentSettings(device="cpu", threads=1)
CONVERSION = ConversionSettings(device="cpu", threads=1, batch=4)

Stage = Callable[[Path, Engine], None]


@pytest.fixture(params=["threads", "processes", "dask", "dask, a worker killed"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    name, _, killed = request.param.partition(", ")
    engine: Engine = request.getfixturevalue(name)
    return Deadly(engine, tmp_path) if killed else engine


def require_same_bytes(stage: Stage, engine: Engine, folder: Path, works: int = 1) -> None:
    """Run the stage here and by the engine, and compare what they write."""
    for name, by in (("here", HERE), ("spread", engine)):
        (folder / name).mkdir()
        stage(folder / name, by)
    names = sorted(path.name for path in (folder / "here").iterdir())
    assert names == sorted(path.name for path in (folder / "spread").iterdir())
    for name in names:
        assert (folder / "here" / name).read_bytes() == (folder / "spread" / name).read_bytes(), name
    if isinstance(engine, Deadly):
        assert engine.killed == works


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Two people in twelve frames, of which a shard holds three, and so does a span."""
    root = tmp_path_factory.mktemp("two")
    pictures = [
        placed(
            (hopper(), moved(255 - number, 150, scale=0.6)),
            (collins(), moved(90 + 3 * number, 110, scale=0.8, degrees=2 * number)),
        )
        for number in range(12)
    ]
    whole = film(root / "whole", pictures)
    (root / "frames").mkdir()
    with FrameWriter(root / "frames", whole.facts, rows=3) as writer:
        for frame in whole:
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=int(frame.number >= 8))
        writer.close()
    return Frames.read(root / "frames")


@pytest.fixture(scope="module")
def detections(frames: Frames) -> Detections:
    return detect(frames, DETECTION, (), clip="two", identity="eileen")


def test_detection(frames: Frames, engine: Engine, tmp_path: Path) -> None:
    def stage(folder: Path, by: Engine) -> None:
        detect(frames, DETECTION, (), clip="two", identity="eileen", engine=by).write(folder)

    require_same_bytes(stage, engine, tmp_path)
    found = Detections.read(tmp_path / "spread")
    assert len(found.faces) == 24
    assert len(found.tracks) == 4, "two people, and a cut"


def test_alignment(frames: Frames, detections: Detections, engine: Engine, tmp_path: Path) -> None:
    def stage(folder: Path, by: Engine) -> None:
        align(frames, detections.faces, ALIGNMENT, clip="two", engine=by).write(folder)

    require_same_bytes(stage, engine, tmp_path)


def test_conversion(make_scene: Callable[..., Any], engine: Engine, tmp_path: Path) -> None:
    scene = make_scene(frames=70)
    model = small_model(tmp_path / "model")

    def stage(folder: Path, by: Engine) -> None:
        convert(scene.frames, scene.alignments, model, "ada", folder, CONVERSION, engine=by)

    require_same_bytes(stage, engine, tmp_path)


def small_model(folder: Path) -> SwapModel:
    """A swap model of two convolutions."""
    rng = np.random.default_rng(0)
    weights = {"colour": rng.normal(size=(3, 3, 3, 3)), "alpha": rng.normal(size=(1, 3, 3, 3))}
    nodes = [
        node
        for name, output in (("colour", "rgb"), ("alpha", "mask"))
        for node in (
            helper.make_node("Conv", ["crop", name], [f"{name}.raw"], pads=[1, 1, 1, 1]),
            helper.make_node("Sigmoid", [f"{name}.raw"], [output]),
        )
    ]
    shapes = {"crop": 3, "rgb": 3, "mask": 1}
    ends = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, 32, 32])
        for name, channels in shapes.items()
    }
    given = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "swap", [ends["crop"]], [ends["rgb"], ends["mask"]], given)
    folder.mkdir()
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(folder / "ada.onnx")
    )
    write_facts(folder / "model.json", {"crop_size": 64, "stored_size": 64, "input_size": 32, "output_size": 32})
    return SwapModel.read(folder)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_compositing(make_scene: Callable[..., Any], engine: Engine, tmp_path: Path, pixel_format: str) -> None:
    """Masks and colours are smoothed over the ends of spans, over frames without a face, and not over the cut."""
    scene = make_scene(frames=23, pixel_format=pixel_format, cut=12, without=(6,), flicker=0.05)

    def stage(folder: Path, by: Engine) -> None:
        composite(scene.frames, scene.alignments, scene.converted, folder, CompositingSettings(), engine=by)

    require_same_bytes(stage, engine, tmp_path, works=2)


def test_finished_frames_are_as_if_they_were_coded_one_by_one(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=12)
    (tmp_path / "joined").mkdir()
    composite(scene.frames, scene.alignments, scene.converted, tmp_path / "joined", CompositingSettings())
    joined = Frames.read(tmp_path / "joined")
    (tmp_path / "plain").mkdir()
    with FrameWriter(tmp_path / "plain", scene.frames.facts) as writer:
        for frame in joined:
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=0, changed=True)
        writer.close(changed=12, faces=12)
    for path in sorted((tmp_path / "plain").iterdir()):
        assert path.read_bytes() == (tmp_path / "joined" / path.name).read_bytes(), path.name
