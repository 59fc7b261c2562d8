"""A further identity joins a pair with its consent and the hashes of its faces."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.artifacts.cast import CASTS, CompanionFaces
from stages.artifacts.face_set import data_hashes
from stages.companions.stage import run
from stages.problems import Problem
from stages.settings import Params
from tests.cast.test_stage import params_with
from tests.training.faces import write_face_set

DATASET = Path("data/dataset/cyd")
RECORD = Path("data/consent/cyd.yaml")


@pytest.fixture
def params(workplace: Path) -> Params:
    """Settings with cyd as a companion, whose record allows training alone."""
    record = Path("data/consent/ada.yaml").read_text().replace("ada", "cyd")
    RECORD.write_text(record.replace("[source, target, training]", "[training]"))
    write_face_set(DATASET / "cyd-1", "ada", train=2, held_out=1)
    return params_with({"cyd-in-ada-ben": {"pair": "ada-ben", "identity": "cyd"}})


def test_it_leaves_the_hashes_of_its_faces_and_its_consent(params: Params) -> None:
    run("cyd-in-ada-ben", params)
    told = CompanionFaces.read("ada-ben", "cyd")
    assert told == CompanionFaces(identity="cyd", consent="synthetic-cyd-1", data=data_hashes(DATASET))
    write_face_set(DATASET / "cyd-2", "ben", train=2, held_out=1)
    run("cyd-in-ada-ben", params)
    assert CompanionFaces.read("ada-ben", "cyd").data.keys() == {"cyd-1", "cyd-2"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[training]", "[source, target]", "does not allow 'training'"),
        ("roles", "status: revoked\nroles", "the consent was withdrawn"),
    ],
)
def test_without_consent_nobody_joins(params: Params, old: str, new: str, told: str) -> None:
    RECORD.write_text(RECORD.read_text().replace(old, new, 1))
    with pytest.raises(Problem, match=told):
        run("cyd-in-ada-ben", params)
    assert not CASTS.exists()


def test_without_faces_nobody_joins(params: Params) -> None:
    (DATASET / "cyd-1" / "index.parquet").unlink()
    with pytest.raises(Problem, match="there is no face set"):
        run("cyd-in-ada-ben", params)
    assert not CASTS.exists()
