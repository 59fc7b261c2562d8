"""Whom a face looks like: among strangers, over time; and who stands in for the source."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.face_set import TRAIN, FaceSet
from stages.artifacts.files import sha256_of
from stages.bench.strangers import SEEDS, views_of
from stages.evaluation.controls import still_face
from stages.evaluation.likeness import Likeness, spreads
from stages.evaluation.strangers import PICTURES, PLACE, TABLE, TILE, embedded, strangers_for
from stages.packs import Landmarker, Recogniser, open_pack
from stages.picture_bytes import jpeg
from stages.problems import Problem

PACK = open_pack()
RECOGNISER = sha256_of(PACK.files["recognition"])


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(PACK, device="cpu", threads=1)


class TestRetrieval:
    def likeness(self, recogniser: Recogniser, *strangers: NDArray[np.float32]) -> Likeness:
        table = np.stack(strangers) if strangers else np.zeros((0, 1), np.float32)
        return Likeness(recogniser, source=unit(1, 0, 0), target=unit(0, 1, 0), strangers=table)

    def test_a_face_like_the_source_is_found_among_strangers(self, recogniser: Recogniser) -> None:
        found = self.likeness(recogniser, unit(0, 0, 1)).figures(unit(0.9, 0.3, 0.2))
        assert (found["nearer_to_source"], found["retrieved"]) == (1.0, 1.0)
        assert found["similarity_source"] == pytest.approx(float(unit(0.9, 0.3, 0.2)[0]))

    def test_a_face_more_like_a_stranger_is_not(self, recogniser: Recogniser) -> None:
        found = self.likeness(recogniser, unit(0, 0, 1), unit(0.8, 0.2, 0.6)).figures(unit(0.7, 0.3, 0.7), "_oracle")
        assert (found["nearer_to_source_oracle"], found["retrieved_oracle"]) == (1.0, 0.0)

    def test_a_second_judge_has_columns_of_its_own(self, recogniser: Recogniser) -> None:
        first = self.likeness(recogniser, unit(0, 0, 1))
        found = replace(first, prefix="second_").figures(unit(0.9, 0.3, 0.2), "_oracle")
        assert found == {
            f"second_{name}": value for name, value in first.figures(unit(0.9, 0.3, 0.2), "_oracle").items()
        }

    def test_without_strangers_there_is_no_figure(self, recogniser: Recogniser) -> None:
        assert "retrieved" not in self.likeness(recogniser).figures(unit(1, 0, 0))


class TestStrangers:
    def test_they_are_those_that_the_command_makes(self, recogniser: Recogniser) -> None:
        table = strangers_for(recogniser, RECOGNISER)
        assert table.shape == (len(SEEDS), 128)
        np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1.0, atol=1e-5)
        again = embedded(*views_of(SEEDS[:1], Landmarker(PACK, device="cpu", threads=1)), recogniser)
        assert float(again[0] @ table[0]) > 0.999
        assert float((table[1:] @ again[0]).max()) < 0.98

    def test_another_recogniser_looks_at_their_pictures(self, recogniser: Recogniser) -> None:
        table = strangers_for(recogniser, RECOGNISER)
        np.testing.assert_allclose(strangers_for(recogniser, "0" * 64), table, atol=1e-3)
        np.testing.assert_allclose(strangers_for(recogniser), table, atol=1e-3)

    def test_a_table_that_is_damaged_or_missing_is_told(self, recogniser: Recogniser, tmp_path: Path) -> None:
        for name in ("broken", "missing"):
            place = tmp_path / name
            place.mkdir()
            if name == "broken":
                (place / TABLE).write_bytes(b"nothing")
            with pytest.raises(Problem, match="strangers can not be read"):
                strangers_for(recogniser, RECOGNISER, place)

    def test_pictures_that_are_damaged_or_missing_are_told(self, recogniser: Recogniser, tmp_path: Path) -> None:
        shutil.copy(PLACE / TABLE, tmp_path)
        assert len(strangers_for(recogniser, RECOGNISER, tmp_path)) == len(SEEDS)  # nobody looks at them
        for sheet in (None, b"nothing", jpeg(np.zeros((TILE, TILE, 3), np.uint8), "", quality=90)):
            if sheet is not None:
                (tmp_path / PICTURES).write_bytes(sheet)
            with pytest.raises(Problem, match="strangers can not be read: it is no picture of 24 by 3 tiles"):
                strangers_for(recogniser, None, tmp_path)


def test_a_likeness_that_comes_and_goes_spreads() -> None:
    rng = np.random.default_rng(0)
    steady = np.stack([unit(1, *rng.normal(0, 0.05, 7)) for _ in range(20)])
    other = np.stack([unit(0.6, 0.8, *rng.normal(0, 0.05, 6)) for _ in range(20)])
    coming = np.where((np.arange(20) % 2 == 0)[:, None], steady, other)
    assert spreads(coming).mean() > 4 * spreads(steady).mean()
    np.testing.assert_allclose(spreads(np.stack([unit(1, 2, 3)] * 4)), 0.0, atol=1e-6)


def test_the_still_of_the_source_looks_into_the_camera_with_open_eyes(tmp_path: Path) -> None:
    faces = [  # yaw, pitch, how far the eyes are open, the mouth
        (30.0, 0.0, 0.3, 0.0),
        (0.0, 2.0, 0.02, 0.0),
        (2.0, 1.0, 0.3, 0.05),
        (0.0, 0.0, 0.3, 0.6),
    ]
    clip = tmp_path / "ada" / "clip"
    clip.mkdir(parents=True)
    rows = []
    with FaceSet.crops_into(clip) as writer:
        for number, (yaw, pitch, eyes, mouth) in enumerate(faces):
            grey = np.full((32, 32), 40 * (number + 1), np.uint8)
            shard, row = writer.add(crops=np.stack([grey] * 3, axis=-1), masks=np.full((32, 32), 255, np.uint8))
            pose = {"yaw": yaw, "pitch": pitch, "eye_open_left": eyes, "eye_open_right": eyes, "mouth_open": mouth}
            place = {"frame": number, "face": 0, "shard": shard, "row": row, "split": TRAIN}
            rows.append(dict.fromkeys(POSE_AND_QUALITY, 0.0) | pose | place | {"landmarks": np.zeros(956)})
    FaceSet.write_index(clip, pd.DataFrame(rows), {})
    crop, mask = still_face(tmp_path / "ada", 16)
    assert crop.shape == (16, 16, 3)
    assert (crop == 120).all()
    assert mask.all()
    with pytest.raises(Problem, match="there are no faces"):
        still_face(tmp_path / "nobody", 16)
