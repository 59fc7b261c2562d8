"""Whom a face looks like: among strangers, over time; and who stands in for the source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from stages.artifacts.alignments import POSE_AND_QUALITY
from stages.artifacts.face_set import TRAIN, FaceSet
from stages.bench.strangers import SEEDS, embeddings
from stages.evaluation.controls import still_face
from stages.evaluation.likeness import Likeness, spreads
from stages.evaluation.strangers import strangers_for
from stages.packs import Landmarker, Recogniser, open_pack
from stages.problems import Problem

PACK = open_pack()


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

    def test_without_strangers_there_is_no_figure(self, recogniser: Recogniser) -> None:
        assert "retrieved" not in self.likeness(recogniser).figures(unit(1, 0, 0))


class TestStrangers:
    def test_they_are_those_that_the_command_makes(self, recogniser: Recogniser) -> None:
        table = strangers_for(PACK)
        assert table.shape == (len(SEEDS), 128)
        np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1.0, atol=1e-5)
        again = embeddings(SEEDS[:1], recogniser, Landmarker(PACK, device="cpu", threads=1))
        assert float(again[0] @ table[0]) > 0.999
        assert float((table[1:] @ again[0]).max()) < 0.98

    def test_another_recogniser_has_not_seen_them(self) -> None:
        other = replace(PACK, files={role: path for role, path in PACK.files.items() if role != "recognition"})
        assert len(strangers_for(other)) == 0

    def test_a_table_that_is_damaged_or_missing_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "broken.safetensors").write_bytes(b"nothing")
        for name in ("broken", "missing"):
            with pytest.raises(Problem, match="strangers can not be read"):
                strangers_for(PACK, tmp_path / f"{name}.safetensors")

    def test_a_table_of_another_recogniser_is_not_used(self, tmp_path: Path) -> None:
        save_file({"embeddings": np.eye(3, dtype=np.float32)}, tmp_path / "x.safetensors", {"recogniser": "0" * 64})
        assert len(strangers_for(PACK, tmp_path / "x.safetensors")) == 0


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
