"""A pack is what its manifest says, or it is refused."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

import stages.packs.fetch as fetching
from stages.packs import Detector, Recogniser, open_pack
from stages.packs.pack import FOLDER, OPEN
from stages.problems import Problem
from tests.film import collins, moved, placed

MEGABYTE = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack folder that a test may spoil."""
    shutil.copytree(FOLDER / OPEN, tmp_path / "packs" / OPEN)
    return tmp_path / "packs"


def test_the_open_pack_has_every_role_and_a_permissive_licence() -> None:
    pack = open_pack()
    assert set(pack.files) == {"detection", "recognition", "landmarks", "canonical_face"}
    assert pack.licence == "Apache-2.0, CC0-1.0, MIT"
    entries = json.loads((FOLDER / OPEN / "pack.json").read_text())["files"]
    assert all((FOLDER / OPEN / entry["licence_file"]).stat().st_size > 500 for entry in entries)
    assert sum(path.stat().st_size for path in (FOLDER / OPEN).rglob("*") if path.is_file()) < 30 * MEGABYTE


@pytest.mark.parametrize("name", ["detection.onnx", "recognition.onnx", "landmarks.onnx", "canonical_face.obj"])
def test_one_changed_byte_is_found(folder: Path, name: str) -> None:
    path = folder / OPEN / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Problem, match="SHA-256") as caught:
        open_pack(folder=folder)
    assert name in caught.value.where
    assert "git checkout" in caught.value.mend


def test_a_missing_network_is_named(folder: Path) -> None:
    (folder / OPEN / "landmarks.onnx").unlink()
    with pytest.raises(Problem, match="not there") as caught:
        open_pack(folder=folder)
    assert caught.value.where.endswith("landmarks.onnx")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"name": "open", "same_person": "much", "files": []}'])
def test_a_broken_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / OPEN / "pack.json").write_text(text)
    with pytest.raises(Problem, match="describes no pack"):
        open_pack(folder=folder)


def test_an_unknown_pack_says_how_to_fetch_one(folder: Path) -> None:
    with pytest.raises(Problem, match="no pack 'buffalo_l'") as caught:
        open_pack("buffalo_l", folder=folder)
    assert "python -m stages.packs.fetch buffalo_l" in caught.value.mend


def test_an_insightface_pack_works_and_says_its_licence(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its models are found by FaceAnalysis; here they are the open ones under other names, as packs have them."""
    theirs = folder / "insightface" / "models" / "buffalo_x"
    theirs.mkdir(parents=True)
    shutil.copy(folder / OPEN / "detection.onnx", theirs / "det_10g.onnx")
    shutil.copy(folder / OPEN / "recognition.onnx", theirs / "w600k.onnx")
    with caplog.at_level(logging.WARNING):
        pack = open_pack("buffalo_x", folder=folder)
    assert "non-commercial research only" in caplog.text
    assert "research" in pack.licence
    frame = placed((collins(), moved(160, 120)))
    ours = open_pack(folder=folder)
    found = Detector(pack).detect([frame])[0]
    np.testing.assert_array_equal(found.points, Detector(ours).detect([frame])[0].points)
    np.testing.assert_array_equal(
        Recogniser(pack).embed(frame, found.points), Recogniser(ours).embed(frame, found.points)
    )
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("has", "lacks"), [("detection", Recogniser), ("recognition", Detector)])
def test_half_a_pack_is_refused(folder: Path, has: str, lacks: type[Recogniser | Detector]) -> None:
    theirs = folder / "insightface" / "models" / "half"
    theirs.mkdir(parents=True)
    shutil.copy(folder / OPEN / f"{has}.onnx", theirs)
    with pytest.raises(Problem, match="insightface finds no"):
        lacks(open_pack("half", folder=folder))


def test_a_recogniser_may_come_alone(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frame = placed((collins(), moved(160, 120)))
    pack = open_pack(folder=folder)
    points = Detector(pack).detect([frame])[0].points
    alone = Recogniser(pack.files["recognition"])
    np.testing.assert_array_equal(alone.embed(frame, points), Recogniser(pack).embed(frame, points))
    assert capfd.readouterr().out == ""


def test_a_file_that_is_no_recogniser_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    wrong = {
        folder / OPEN / "detection.onnx": "takes it for no recogniser",
        tmp_path / "broken.onnx": "onnxruntime can not load it",
        tmp_path / "missing.onnx": "there is no such ONNX file",
        folder / OPEN / "pack.json": "there is no such ONNX file",
    }
    for path, message in wrong.items():
        with pytest.raises(Problem, match=message) as caught:
            Recogniser(path)
        assert str(path) in str(caught.value)


def test_fetching_says_the_licence_first_and_tells_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_network(*arguments: object, **options: object) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(fetching, "ensure_available", no_network)
    with caplog.at_level(logging.WARNING), pytest.raises(Problem, match="no network"):
        fetching.fetch("buffalo_l")
    assert "non-commercial research only" in caplog.text
