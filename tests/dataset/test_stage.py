"""From frames to a face set: the three stages, as they are run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import stages.alignment.stage as alignment
import stages.dataset.stage as dataset
import stages.detection.stage as detection
from stages.artifacts.alignments import Alignments
from stages.artifacts.face_set import FaceSet
from stages.artifacts.frames import Frames
from stages.dataset.contact_sheet import chosen
from stages.dataset.settings import DatasetSettings, SplitSettings
from stages.problems import Problem
from tests.conftest import REPOSITORY, params_with
from tests.film import collins, film, moved, placed

COUNT = 45
STILL = 8
SETTINGS = DatasetSettings(size=96, minimum=20, split=SplitSettings(held_out=0.2, block=8, guard=2))


def pictures(count: int) -> list[np.ndarray]:
    """Collins moves, but for the first few frames, which are all the same."""
    steps = [max(0, number - STILL + 1) for number in range(count)]
    return [placed((collins(), moved(110 + 2 * n, 120 + n % 7, scale=0.8, degrees=n % 11))) for n in steps]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which the three stages were run on a clip."""
    folder = tmp_path_factory.mktemp("project")
    _furnish(folder)
    film(folder / "data/extraction/ada", pictures(COUNT))
    params = params_with({"ada": Path("ada.mp4")})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for stage in (detection, alignment, dataset):
            stage.run("ada", params)
    return folder


def _furnish(folder: Path) -> None:
    """Give a folder what the stages look for in it: consent records and the open pack."""
    shutil.copytree(REPOSITORY / "data" / "consent", folder / "data" / "consent")
    (folder / "data" / "packs").symlink_to(REPOSITORY / "data" / "packs")


@pytest.fixture(scope="module")
def frames(project: Path) -> Frames:
    return Frames.read(project / "data/extraction/ada")


@pytest.fixture(scope="module")
def alignments(project: Path) -> Alignments:
    return Alignments.read(project / "data/alignment/ada")


@pytest.fixture(scope="module")
def face_set(frames: Frames, alignments: Alignments, tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    folder = tmp_path_factory.mktemp("set")
    dataset.build(frames, alignments, SETTINGS, folder, clip="ada")
    return FaceSet.read(folder)


def test_every_frame_is_accounted_for(face_set: FaceSet) -> None:
    told = face_set.statistics
    assert told["faces"] == len(face_set.index) == told["train"] + told["held_out"]
    assert told["faces"] + sum(told["dropped"].values()) == COUNT
    assert told["dropped"]["nearly the same as the one before"] >= STILL // 2
    assert 0 <= round(0.2 * COUNT) - told["held_out"] <= 1  # one may be a duplicate
    assert told["settings"]["size"] == 96


def test_crops_show_the_same_face_in_the_same_place(face_set: FaceSet) -> None:
    rows = face_set.index
    crops, masks = face_set.crops(rows), face_set.masks(rows)
    assert crops.shape == (len(rows), 96, 96, 3)
    assert masks.shape == (len(rows), 96, 96)
    inside = (masks == 255).all(axis=0)
    assert inside.mean() > 0.2
    assert crops[:, inside].astype(float).std(axis=0).mean() < 8.0


def test_landmarks_lie_in_the_unit_crop(face_set: FaceSet) -> None:
    landmarks = np.stack(face_set.index["landmarks"]).reshape(-1, 478, 2)
    assert landmarks.min() > 0
    assert landmarks.max() < 1
    assert landmarks.std(axis=0).max() < 0.03


def test_twice_gives_the_same_bytes(frames: Frames, alignments: Alignments, face_set: FaceSet, tmp_path: Path) -> None:
    dataset.build(frames, alignments, SETTINGS, tmp_path, clip="ada")
    names = sorted(path.name for path in face_set.folder.iterdir())
    assert names == ["contact-sheet.png", "index.parquet", "shard-0000.safetensors", "statistics.json"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (face_set.folder / name).read_bytes()


def test_the_contact_sheet_shows_the_whole_range(face_set: FaceSet) -> None:
    rows = chosen(face_set.index, 10)
    assert len(rows) == 10
    assert rows["yaw"].is_monotonic_increasing
    assert rows["yaw"].iloc[0] == face_set.index["yaw"].min()
    assert rows["yaw"].iloc[-1] == face_set.index["yaw"].max()
    assert len(chosen(face_set.index, 1000)) == len(face_set.index)


def test_too_few_faces_say_why(frames: Frames, alignments: Alignments, tmp_path: Path) -> None:
    strict = SETTINGS.model_copy(update={"minimum": 200})
    with pytest.raises(Problem, match="at least 200 are needed") as caught:
        dataset.build(frames, alignments, strict, tmp_path, clip="ada")
    assert "next to a held-out block" in caught.value.what
    assert "dataset.filter" in caught.value.mend


def test_the_stages_run_one_after_the_other(project: Path) -> None:
    made = FaceSet.read(project / "data/dataset/ada/ada")
    assert len(made.index) >= 25
    assert (made.folder / "contact-sheet.png").stat().st_size > 10_000


def test_a_stage_before_that_was_not_run_is_named(workplace: Path) -> None:
    params = params_with({"ada": Path("ada.mp4")})
    for stage in (detection, alignment, dataset):
        with pytest.raises(Problem, match="not there"):
            stage.run("ada", params)
    assert not (workplace / "data/dataset").exists() or not any((workplace / "data/dataset/ada").iterdir())
