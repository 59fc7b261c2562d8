"""From frames to a face set: the three stages, as they are run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.alignment.stage as alignment
import stages.dataset.stage as dataset
import stages.decisions.stage as decisions
import stages.detection.stage as detection
from stages import contact_sheet
from stages.artifacts.alignments import Alignments
from stages.artifacts.decisions import Decisions, Drop
from stages.artifacts.face_set import HELD_OUT, FaceSet
from stages.artifacts.frames import Frames
from stages.artifacts.kept import KeptShards
from stages.artifacts.shards import ShardWriter
from stages.dataset import sheets
from stages.dataset.settings import DatasetSettings, FilterSettings, SplitSettings
from stages.problems import Problem
from tests.conftest import REPOSITORY, params_with
from tests.film import collins, film, moved, placed
from tests.killing import PROCESSES, contents, die_after, inodes, killed
from tests.records import put_records

PROCESSES.set_forkserver_preload([__name__])

COUNT = 45
STILL = 8
SHARDS = ["shard-0000.safetensors"]
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
        for stage in (decisions, detection, alignment, dataset):
            stage.run("ada", params)
    return folder


def _furnish(folder: Path) -> None:
    """Give a folder what the stages look for in it: consent records and the networks."""
    put_records(folder / "data" / "consent", {"ada": ["ada"], "ben": ["ben"]})
    for networks in ("packs", "visibility"):
        (folder / "data" / networks).symlink_to(REPOSITORY / "data" / networks)


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
    landmarks = face_set.landmarks(face_set.index)
    assert landmarks.min() > 0
    assert landmarks.max() < 1
    assert landmarks.std(axis=0).max() < 0.03


def test_twice_gives_the_same_bytes(frames: Frames, alignments: Alignments, face_set: FaceSet, tmp_path: Path) -> None:
    dataset.build(frames, alignments, SETTINGS, tmp_path, clip="ada")
    names = sorted(path.name for path in face_set.folder.iterdir())
    assert names == ["contact-sheet.png", "dropped.parquet", "dropped.png", "index.parquet", *SHARDS, "statistics.json"]
    for name in names:
        assert (tmp_path / name).read_bytes() == (face_set.folder / name).read_bytes()


def test_the_tables_tell_who_was_left_out_and_why(face_set: FaceSet) -> None:
    dropped, told = face_set.dropped(), face_set.statistics
    assert sorted([*dropped["frame"], *face_set.index["frame"]]) == list(range(COUNT))
    assert dropped["reason"].value_counts().to_dict() == told["dropped"]
    for reason, frames in told["dropped_frames"].items():
        spans = Drop(frames=frames.split(", ")).frames
        assert [n for span in spans for n in range(span.first, span.last + 1)] == list(
            dropped[dropped["reason"] == reason]["frame"]
        )
    assert sum(told["poses"].values()) == told["faces"]
    assert told["expressions"] == {kind.name: int(kind.of(face_set.index).sum()) for kind in sheets.EXPRESSIONS}


def graded_faces(**changed: list[float]) -> pd.DataFrame:
    """Five faces, in the middle of all limits but for what is changed."""
    good = {"frame": range(5), "face": 0, "yaw": 0.0, "sharpness": 100.0, "exposure": 0.5, "confidence": 0.9}
    good |= {"visible": 1.0}
    return pd.DataFrame(good | changed)


def test_a_face_is_as_good_as_its_worst() -> None:
    """0 at the filter's limit, 1 at the median of the kept faces."""
    limits = FilterSettings(sharpness=0.2, confidence=0.5, darkest=0.1, brightest=0.9)
    faces = graded_faces(sharpness=[100.0, 100.0, 100.0, 60.0, 20.0], confidence=[0.9, 0.9, 0.7, 0.9, 0.9])
    graded = sheets.graded(faces, faces, limits)
    np.testing.assert_allclose(graded["grade"], [1.0, 1.0, 0.5, 0.5, 0.0], atol=1e-6)
    assert list(graded["worst"][2:]) == ["sure", "sharp", "sharp"]
    bright = sheets.graded(graded_faces(exposure=[0.5, 0.5, 0.5, 0.95, 0.1]), graded_faces(), limits)
    assert list(bright["worst"][3:]) == ["bright", "dark"]
    assert bright["grade"][3] < 0 == pytest.approx(bright["grade"][4], abs=1e-9)
    assert len(sheets.graded(faces.iloc[:0], faces, limits)) == 0


def test_every_face_has_one_pose() -> None:
    faces = pd.DataFrame({"yaw": [-90.0, -40.0, -15.0, 0.0, 15.0, 39.9, 40.0, 90.0]})
    told = np.stack([pose.of(faces) for pose in sheets.POSES])
    assert (told.sum(axis=0) == 1).all()
    assert list(told.sum(axis=1)) == [1, 1, 2, 2, 2]


def test_expressions_are_told_by_what_a_face_does() -> None:
    """Both lids count: who winks has not shut the eyes."""
    still = {"mouth_open": 0.02, "eye_open_left": 0.3, "eye_open_right": 0.3, "gaze": 0.0}
    changes: list[dict[str, float]] = [
        {},
        {"mouth_open": 0.2},
        {"eye_open_left": 0.05},
        {"gaze": -0.15},
        {"gaze": 0.15},
    ]
    faces = pd.DataFrame([still | change for change in [*changes, {"eye_open_left": 0.05, "eye_open_right": 0.1}]])
    told = {kind.name: np.flatnonzero(kind.of(faces)).tolist() for kind in sheets.EXPRESSIONS}
    expected = {"the mouth open": [1], "the eyes shut": [5], "looking to the left": [3], "looking to the right": [4]}
    assert told == expected


@pytest.mark.parametrize("count", [0, 1, 24, 25, 1000])
def test_under_a_heading_stand_the_worst_and_some_of_all_others(count: int) -> None:
    shown = contact_sheet.spread(count, 24)
    assert len(shown) == min(count, 24)
    assert shown[:12] == list(range(count))[:12]
    assert sorted(set(shown)) == shown
    assert not count or shown[-1] == count - 1


def test_the_sheets_show_the_faces_that_they_name(frames: Frames, alignments: Alignments, face_set: FaceSet) -> None:
    kept = sheets.kept(face_set, SETTINGS.filter, "ada")
    assert kept.shape[1] == contact_sheet.WIDTH
    turned = {pose.name for pose in sheets.POSES if pose.of(face_set.index).any()}
    assert len(turned) >= 1
    left_out = alignments.table.merge(face_set.dropped()[["frame", "face", "reason"]])
    dropped = sheets.dropped(frames, left_out, face_set.index, SETTINGS, "ada")
    assert dropped.shape[0] > contact_sheet.TILE * left_out["reason"].nunique()
    none = sheets.dropped(frames, left_out.iloc[:0], face_set.index, SETTINGS, "ada")
    assert none.shape[0] < contact_sheet.TILE


class TestDecisions:
    """Frames that a person leaves out."""

    def build(self, frames: Frames, alignments: Alignments, folder: Path, *drops: Drop) -> FaceSet:
        folder.mkdir(exist_ok=True)
        decided = Decisions(footage=frames.fingerprint, drop=drops)
        dataset.build(frames, alignments, SETTINGS, folder, decided, clip="ada")
        return FaceSet.read(folder)

    def test_they_are_left_out_for_the_reason_that_was_given(
        self, frames: Frames, alignments: Alignments, face_set: FaceSet, tmp_path: Path
    ) -> None:
        made = self.build(frames, alignments, tmp_path, Drop(frames="20-22", reason="größer"), Drop(frames=[30, 22]))
        assert not set(made.index["frame"]) & {20, 21, 22, 30}
        told = made.dropped().set_index("frame")["reason"]
        assert [told[frame] for frame in (20, 21, 22, 30)] == ["by hand: größer"] * 3 + ["by hand"]
        assert made.statistics["dropped_frames"]["by hand: größer"] == "20-22"
        assert made.statistics["decisions"]["count"] == 2
        assert made.statistics["faces"] + sum(made.statistics["dropped"].values()) == COUNT
        assert "decisions" not in face_set.statistics
        lost = set(face_set.index["frame"]) - set(made.index["frame"])
        assert lost == set(face_set.index["frame"]) & {20, 21, 22, 30}

    @pytest.mark.parametrize("frames_told", ["45", "40-45", "900-950"])
    def test_what_leaves_out_nothing_is_refused(
        self, frames: Frames, alignments: Alignments, tmp_path: Path, frames_told: str
    ) -> None:
        with pytest.raises(Problem, match=f"no face of the person in {frames_told} to drop") as caught:
            self.build(frames, alignments, tmp_path, Drop(frames=3), Drop(frames=frames_told))
        assert caught.value.where == "data/decisions/ada.yaml, drop.1"
        assert "go from 0 to 44" in caught.value.mend

    def test_a_frame_without_the_person_is_told(self, frames: Frames, alignments: Alignments, tmp_path: Path) -> None:
        gap = Alignments.of(alignments.whole()[alignments.table["frame"] != 10], alignments.facts)
        with pytest.raises(Problem, match="no face of the person in 10 to drop"):
            self.build(frames, gap, tmp_path, Drop(frames=10))
        assert 10 not in self.build(frames, gap, tmp_path, Drop(frames="9-11")).index["frame"].to_list()

    def test_other_footage_is_refused(self, frames: Frames, alignments: Alignments, tmp_path: Path) -> None:
        with pytest.raises(Problem, match="do not say on which footage"):
            dataset.build(frames, alignments, SETTINGS, tmp_path, Decisions(drop=(Drop(frames=3),)), clip="ada")

    def test_the_stages_read_the_file_that_a_person_writes(
        self, project: Path, frames: Frames, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the file to the face set, and back again without it."""
        monkeypatch.chdir(project)
        params, file = params_with({"ada": Path("ada.mp4")}), Path("data/decisions/ada.yaml")
        before = {path.name: path.read_bytes() for path in Path("data/dataset/ada/ada").iterdir()}
        file.parent.mkdir()
        file.write_text(f"footage: {frames.fingerprint}\ndrop: [{{frames: 20-22, reason: a hand}}]\n")
        for stage in (decisions, dataset):
            stage.run("ada", params)
        assert FaceSet.read(Path("data/dataset/ada/ada")).statistics["dropped_frames"]["by hand: a hand"] == "20-22"
        file.unlink()
        for stage in (decisions, dataset):
            stage.run("ada", params)
        assert {path.name: path.read_bytes() for path in Path("data/dataset/ada/ada").iterdir()} == before


def test_too_few_faces_say_why(frames: Frames, alignments: Alignments, tmp_path: Path) -> None:
    strict = SETTINGS.model_copy(update={"minimum": 200})
    with pytest.raises(Problem, match="at least 200 are needed") as caught:
        dataset.build(frames, alignments, strict, tmp_path, clip="ada")
    assert "next to a held-out block" in caught.value.what
    assert "dataset.filter" in caught.value.mend


def test_a_clip_that_is_held_out_has_nothing_to_learn_from(
    frames: Frames, alignments: Alignments, face_set: FaceSet, tmp_path: Path
) -> None:
    dataset.build(frames, alignments, SETTINGS.wholly_held_out(), tmp_path, clip="ada")
    whole = FaceSet.read(tmp_path)
    assert set(whole.index["split"]) == {HELD_OUT}
    assert len(whole.index) > len(face_set.index)  # no frame is lost between the parts
    assert whole.statistics["train"] == 0


def test_the_stages_run_one_after_the_other(project: Path) -> None:
    made = FaceSet.read(project / "data/dataset/ada/ada")
    assert len(made.index) >= 25
    assert (made.folder / "contact-sheet.png").stat().st_size > 10_000


def test_a_stage_before_that_was_not_run_is_named(workplace: Path) -> None:
    params = params_with({"ada": Path("ada.mp4")})
    decisions.run("ada", params)
    for stage in (detection, alignment, dataset):
        with pytest.raises(Problem, match="not there"):
            stage.run("ada", params)
    assert not (workplace / "data/dataset").exists() or not any((workplace / "data/dataset/ada").iterdir())


def in_small_shards(folder: Path, kept: KeptShards | None = None) -> ShardWriter:
    return ShardWriter(folder, rows=8, kept=kept)


def dying(project: Path, shards: int) -> None:
    """What a child does: the stage, killed after so many whole shards."""
    os.chdir(project)
    FaceSet.crops_into = in_small_shards  # type: ignore[method-assign]
    die_after(shards)
    dataset.run("ada", params_with({"ada": Path("ada.mp4")}))


def test_a_killed_run_goes_on_to_the_same_bytes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(FaceSet, "crops_into", in_small_shards)
    made, params = Path("data/dataset/ada/ada"), params_with({"ada": Path("ada.mp4")})
    dataset.run("ada", params)
    unbroken = contents(made)
    assert sum(name.endswith(".safetensors") for name in unbroken) >= 4
    for shards in (1, 3):
        killed(dying, project, shards)
    whole = sorted(Path(".scratch/dataset/ada").glob("*/shard-*.safetensors"))[:3]
    before, read = inodes(whole), []
    pick = Frames.pick
    monkeypatch.setattr(Frames, "pick", lambda frames, numbers: read.append(list(numbers)) or pick(frames, numbers))
    dataset.run("ada", params)
    assert contents(made) == unbroken
    assert inodes(sorted(made.glob("shard-*.safetensors"))[:3]) == before
    index = FaceSet.read(made).index
    assert min(read[0]) > index[index["shard"] == 2]["frame"].max(), "pictures of whole shards were read again"
    assert not Path(".scratch/dataset/ada").exists()
