"""A further identity joins a pair with its consent and the hashes of its faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.artifacts.cast import CASTS, CompanionFaces
from stages.artifacts.face_set import data_hashes
from stages.companions.stage import run
from stages.problems import Problem
from stages.settings import Params
from tests.cast.test_stage import params_with
from tests.records import put_record
from tests.training.faces import write_face_set

DATASET = Path("data/dataset/cyd")
RECORDS = Path("data/consent")


@pytest.fixture
def params(workplace: Path) -> Params:
    """Settings with cyd as a companion, whose record allows training alone."""
    put_record(RECORDS, "cyd", roles=["training"], clips=["cyd-1", "cyd-2"])
    write_face_set(DATASET / "cyd-1", "ada", train=2, held_out=1)
    return params_with({"cyd-in-ada-ben": {"pair": "ada-ben", "identity": "cyd"}})


def test_it_leaves_the_hashes_of_its_faces_and_its_consent(params: Params) -> None:
    run("cyd-in-ada-ben", params)
    told = CompanionFaces.read("ada-ben", "cyd")
    assert told == CompanionFaces(identity="cyd", consent="cyd-1", data=data_hashes(DATASET))
    write_face_set(DATASET / "cyd-2", "ben", train=2, held_out=1)
    run("cyd-in-ada-ben", params)
    assert CompanionFaces.read("ada-ben", "cyd").data.keys() == {"cyd-1", "cyd-2"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"roles": ["source", "target"]}, "does not allow 'training'"),
        ({"pairings": ["ada", "eve"]}, "pairings: it does not allow 'ben'"),
        ({"clips": ["cyd-2"]}, "clips: it does not cover the clip 'cyd-1'"),
    ],
)
def test_without_consent_nobody_joins(params: Params, changes: dict[str, Any], told: str) -> None:
    put_record(RECORDS, "cyd", **{"roles": ["training"], "clips": ["cyd-1"], **changes})
    with pytest.raises(Problem, match=told):
        run("cyd-in-ada-ben", params)
    assert not CASTS.exists()


def test_without_faces_nobody_joins(params: Params) -> None:
    (DATASET / "cyd-1" / "index.parquet").unlink()
    with pytest.raises(Problem, match="there is no face set"):
        run("cyd-in-ada-ben", params)
    assert not CASTS.exists()
