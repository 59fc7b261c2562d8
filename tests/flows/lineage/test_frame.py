"""The way of one frame, through the artifacts' own writers and readers."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from flows.lineage.__main__ import app
from flows.lineage.frame import Link, Way, follow
from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.detections import TRACKS, Detections
from stages.artifacts.evaluation import Evaluation
from stages.artifacts.face_set import FaceSet
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.visibility import ALL_SEEN
from stages.problems import Problem
from stages.video import decode
from tests.conftest import write_clip

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"
FRAMES, NUMBER, SIDE, TURN = 12, 7, 200.0, 30.0
SWAP = {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "ben"}


def folder(stage: str, name: str) -> Path:
    place = Path("data") / stage / name
    place.mkdir(parents=True)
    return place


def write_frames(place: Path, **facts: str) -> None:
    """The clip's frames; with no facts, as finished ones."""
    frames = list(decode(Path("clip.mp4")))
    with FrameWriter(place, frames[0].facts) as writer:
        for frame in frames:
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=0, changed=not facts)
        writer.close(**facts)


def write_tables() -> None:
    """A face in every frame but the last, converted; one frame measured, one kept for training."""
    faces = pd.DataFrame({"frame": range(FRAMES - 1), "face": 0, "track": 3, "shot": 0, "shard": 0})
    faces["row"] = faces["frame"]
    boxes = faces.assign(score=0.9, x0=1.0, y0=2.0, x1=11.0, y1=12.0, points=[[0.0] * 10] * len(faces), taken=True)
    Detections(boxes, TRACKS.empty_table().to_pandas(), {}).write(folder("detection", "ben"))
    scaled = np.array([math.cos(math.radians(TURN)), math.sin(math.radians(TURN))]) / SIDE
    transform = [scaled[0], -scaled[1], 0.5, scaled[1], scaled[0], 0.5]
    measured = faces.assign(**dict.fromkeys(POSE_AND_QUALITY, 0.5))
    aligned = measured.assign(landmarks=[[0.0] * 1434] * len(faces), transform=[transform] * len(faces), seen=ALL_SEEN)
    Alignments.of(aligned, {}).write(folder("alignment", "ben"))
    kept = measured.assign(split="train", landmarks=[[0.0] * 956] * len(faces))
    FaceSet.write_index(folder("dataset", "ben"), kept[kept["frame"] == NUMBER], {})
    Converted.write_index(folder("conversion", "ada-on-ben"), faces, {})
    figures = pd.DataFrame({"frame": [NUMBER], "face": [0], "psnr": [23.5], "ssim": [math.nan]})
    Evaluation({}, figures, "").write(folder("evaluation", "ada-on-ben"))


@pytest.fixture
def swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The artifacts of a swap and what dvc.lock says of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    write_clip(Path("clip.mp4"), frames=FRAMES, gaps=(1, 2))
    write_frames(folder("extraction", "ben"), source="clip.mp4", source_sha256="0123456789abcdef")
    write_frames(folder("compositing", "ada-on-ben"))
    write_tables()
    folder("encoding", "ada-on-ben")
    stages = {
        f"{stage}@{name}": {
            "cmd": f"python -m stages.{stage} {name}",
            "params": {"params.yaml": {f"{section}.{name}": settings}},
            "outs": [{"path": f"data/{stage}/{name}", "md5": f"{stage}.dir", "size": 1, "nfiles": 2}],
        }
        for section, name, settings, group in (
            ("clips", "ben", {"identity": "ben"}, ("extraction", "detection", "alignment", "dataset")),
            ("swaps", "ada-on-ben", SWAP, ("conversion", "compositing", "encoding", "evaluation")),
        )
        for stage in group
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))
    return tmp_path


def by_stage(way: Way) -> dict[str, Link]:
    return {link.stage: link for link in way.links}


def test_from_the_deliverable_to_the_frame_of_the_clip(swapped: Path) -> None:
    way = follow(swapped, DELIVERABLE, NUMBER)
    links = by_stage(way)
    source = Frames.read(Path("data/extraction/ben")).index.iloc[NUMBER]
    assert (way.clip, way.clip_sha256) == ("clip.mp4", "0123456789abcdef")
    assert way.seconds == Fraction(3 * 3 + 1, 25), "frames last one and two 25ths of a second in turn"
    assert links["extraction@ben"].facts["hash"] == source["hash"]
    assert links["compositing@ada-on-ben"].facts["changed"] is True
    assert links["detection@ben"].facts["track"] == 3
    assert links["conversion@ada-on-ben"].facts["row"] == NUMBER
    assert links["dataset@ben"].facts["split"] == "train"
    assert links["evaluation@ada-on-ben"].facts["psnr"] == 23.5
    assert list(links)[-1] == "extraction@ben", "the clip is where it ends"


def test_the_transform_is_told_as_a_side_and_a_turn(swapped: Path) -> None:
    facts = by_stage(follow(swapped, DELIVERABLE, NUMBER))["alignment@ben"].facts
    assert facts["crop_side"] == pytest.approx(SIDE)
    assert facts["turned"] == pytest.approx(TURN)


def test_a_frame_without_a_face_has_only_its_pictures(swapped: Path) -> None:
    assert set(by_stage(follow(swapped, DELIVERABLE, FRAMES - 1))) == {"compositing@ada-on-ben", "extraction@ben"}


def test_a_frame_of_a_clip_knows_nothing_of_swaps(swapped: Path) -> None:
    links = by_stage(follow(swapped, "data/alignment/ben", NUMBER))
    assert set(links) == {"dataset@ben", "alignment@ben", "detection@ben", "extraction@ben"}


def test_a_frame_that_is_not_there(swapped: Path) -> None:
    with pytest.raises(Problem, match=r"no frame 12(.|\n)*0 to 11"):
        follow(swapped, DELIVERABLE, FRAMES)


def test_an_artifact_that_is_not_there_is_named(swapped: Path) -> None:
    Path("data/alignment/ben/alignments.parquet").unlink()
    with pytest.raises(Problem, match=r"alignments\.parquet"):
        follow(swapped, DELIVERABLE, NUMBER)


@pytest.mark.usefixtures("swapped")
def test_as_a_tree_and_as_json() -> None:
    tree = CliRunner().invoke(app, [DELIVERABLE, "--frame", str(NUMBER)])
    assert "at 2/5 s (0.4 s)" in tree.stdout
    assert "crop_side=200, turned=30" in tree.stdout
    document = json.loads(CliRunner().invoke(app, [DELIVERABLE, "--frame", str(NUMBER), "--json"]).stdout)
    assert document["seconds"] == "2/5"
    figures = next(link["facts"] for link in document["links"] if link["stage"] == "evaluation@ada-on-ben")
    assert figures["ssim"] is None, "JSON has no NaN"
