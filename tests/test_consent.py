"""No footage is touched without a record that allows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.consent import read_consent, require_consent
from stages.problems import Problem

GOOD: dict[str, Any] = {
    "version": 1,
    "id": "r-1",
    "identity": "eve",
    "kind": "person",
    "adult": True,
    "controller": "a studio",
    "purpose": "one scene",
    "roles": ["source", "training"],
    "given": "2026-01-01",
    "expires": "2026-12-31",
    "evidence": "contract 7, p. 3",
}
DAY = date(2026, 6, 1)


def put(folder: Path, **changes: Any) -> Path:
    record = {key: value for key, value in (GOOD | changes).items() if value is not None}
    (folder / "eve.yaml").write_text(yaml.safe_dump(record))
    return folder


def test_a_good_record_is_given_back(tmp_path: Path) -> None:
    assert require_consent("eve", "source", today=DAY, folder=put(tmp_path)).id == "r-1"


@pytest.mark.parametrize(
    ("changes", "day", "field"),
    [
        ({"status": "revoked"}, DAY, "status"),
        ({}, date(2027, 1, 1), "expires"),
        ({}, date(2025, 12, 31), "given"),
        ({"roles": ["training"]}, DAY, "roles"),
        ({"adult": False}, DAY, "adult"),
        ({"evidence": None}, DAY, "evidence"),
        ({"identity": "adam"}, DAY, "identity"),
        ({"colour": "red"}, DAY, "colour"),
        ({"purpose": None}, DAY, "purpose"),
    ],
)
def test_a_record_that_does_not_allow_it_is_refused_by_field(
    tmp_path: Path, changes: dict[str, Any], day: date, field: str
) -> None:
    with pytest.raises(Problem) as caught:
        require_consent("eve", "source", today=day, folder=put(tmp_path, **changes))
    assert caught.value.what.startswith(field)
    assert caught.value.where == str(tmp_path / "eve.yaml")


def test_a_missing_record_names_the_file_to_make(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read_consent("eve", tmp_path)
    assert caught.value.where.endswith("eve.yaml")
    assert "sign" in caught.value.mend


def test_the_last_day_still_counts(tmp_path: Path) -> None:
    assert require_consent("eve", "source", today=date(2026, 12, 31), folder=put(tmp_path))
