"""Whoever checks a record by its JSON schema hears what the reader would say, as far as a JSON schema can."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from stages.consent.merkle import footage_root
from stages.consent.reading import read_consent
from stages.consent.record import Consent
from stages.consent.schema import PLACE, READER_ALONE
from tests.conftest import REPOSITORY
from tests.records import content, put_record

Change = Callable[[dict[str, Any]], None]

CHECKER: Final = Draft202012Validator(json.loads((REPOSITORY / PLACE).read_text()))
"""Without a checker of formats, which is how most validators come."""


def put(field: str, value: Any) -> Change:
    """Say something in a field."""
    *parts, last = field.split(".")

    def change(raw: dict[str, Any]) -> None:
        reduce(lambda here, part: here.setdefault(part, {}), parts, raw)[last] = value

    return change


def drop(field: str) -> Change:
    """Leave a field out."""
    *parts, last = field.split(".")

    def change(raw: dict[str, Any]) -> None:
        del reduce(lambda here, part: here[part], parts, raw)[last]

    return change


def both(*changes: Change) -> Change:
    def change(raw: dict[str, Any]) -> None:
        for each in changes:
            each(raw)

    return change


def is_read(raw: dict[str, Any]) -> bool:
    try:
        Consent.model_validate(raw)
    except ValidationError:
        return False
    return True


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    """A person's record as its file has it, signed, with evidence and terms of every kind."""
    clips = {"ada": "1" * 64}
    evidence = content("ada")["evidence"] | {
        "footage": {"merkle_root": footage_root(clips), "clips": clips},
        "face": {"hmac_sha256": "0" * 64, "key_id": "1" * 64},
    }
    mining = {"ai_training": "constrained", "constraints": "research"}
    put_record(tmp_path, "ada", evidence=evidence, training_and_mining=mining, jurisdiction="Irish law")
    made: dict[str, Any] = to_jsonable_python(read_consent("ada", tmp_path).model_dump(exclude_none=True))
    return made


SYNTHETIC: Final = both(
    put("kind", "synthetic"), put("evidence", {}), drop("term.expires"), drop("retention_period.destroy_by")
)
END: Final = {
    "since": "2026-01-01",
    "by": "subject",
    "signature": {"key": "0" * 64, "signed": "2026-01-01", "value": "0" * 128},
}

RIGHT: Final[dict[str, Change]] = {
    "as it is": both(),
    "a performer without evidence and end": SYNTHETIC,
    "nothing said of training and mining": drop("training_and_mining"),
    "training and mining left open": put("training_and_mining", None),
    "all allowed and bound to nothing": put("training_and_mining", {"data_mining": "allowed"}),
    "withdrawn by hand": put("status", "revoked"),
    "withdrawn": both(put("status", "revoked"), put("withdrawal", END)),
    "more that is prohibited": put("prohibited_content", ["smoking", "minors", "sexual content"]),
    "nobody to share a model with": put("pairings", []),
    "no footage yet": put("evidence.footage", None),
}

WRONG: Final[dict[str, Change]] = {
    "an unknown field": put("colour", "red"),
    "an unknown field within": put("term.until", "2026-01-01"),
    "another version": put("schema_version", 1),
    "no id": drop("record_id"),
    "an id that is no file name": put("record_id", "a/b"),
    "not adult": put("adult_attestation", False),
    "another kind": put("kind", "animal"),
    "an unknown role": put("roles", ["extra"]),
    "no role": put("roles", []),
    "no clips": put("clips", []),
    "a clip that is no name": put("clips", ["*"]),
    "nobody answerable": put("pii_controllers", []),
    "words that say nothing": put("purpose", "   "),
    "a list of words that say nothing": put("media", [" "]),
    "minors not prohibited": put("prohibited_content", ["sexual content"]),
    "sexual content not prohibited": put("prohibited_content", ["minors", "smoking"]),
    "nothing prohibited": put("prohibited_content", []),
    "a person without evidence": drop("evidence"),
    "a person without a document": drop("evidence.document"),
    "a person whose document is null": put("evidence.document", None),
    "a document without its hash": drop("evidence.document.sha256"),
    "a hash that is none": put("evidence.document.sha256", "abc"),
    "footage without a clip": put("evidence.footage.clips", {}),
    "footage of a clip that is no name": put("evidence.footage.clips", {"A B": "1" * 64}),
    "a face without its key": drop("evidence.face.key_id"),
    "a person's without an end": drop("term.expires"),
    "a person's whose end is null": put("term.expires", None),
    "a term without a beginning": drop("term.given"),
    "a day in words": put("term.given", "yesterday"),
    "a person's without a day of destruction": drop("retention_period.destroy_by"),
    "a performer's results destroyed after no end": both(SYNTHETIC, put("retention_period.destroy_by", "2999-12-31")),
    "withdrawn and active": put("withdrawal", END),
    "withdrawn and no status": both(drop("status"), put("withdrawal", END)),
    "another status": put("status", "paused"),
    "a signature of somebody else": put("signatures.producer", END["signature"]),
    "a signature that is too short": put("signatures.subject.value", "00"),
    "an unknown use by machines": put("training_and_mining", {"ai_dreaming": "allowed"}),
    "another word for not allowed": put("training_and_mining", {"ai_training": "no"}),
    "constrained to nothing": put("training_and_mining", {"ai_inference": "constrained"}),
    "constrained to null": put("training_and_mining.constraints", None),
}

FOR_THE_READER: Final[dict[str, Change]] = {
    "a term that expires before it is given": put("term", {"given": "2021-01-01", "expires": "2020-01-01"}),
    "a destroy_by before the end of the term": put("retention_period.destroy_by", "2021-01-01"),
    "pairings that name the identity itself": put("pairings", ["ada"]),
    "a merkle_root that is not that of its clips": put("evidence.footage.merkle_root", "a" * 64),
    "a day that no calendar has": put("term.given", "2020-02-30"),
}


@pytest.mark.parametrize("way", RIGHT)
def test_a_record_that_is_read_is_valid(raw: dict[str, Any], way: str) -> None:
    RIGHT[way](raw)
    assert is_read(raw)
    CHECKER.validate(raw)


@pytest.mark.parametrize("way", WRONG)
def test_a_record_that_the_reader_refuses_is_not_valid(raw: dict[str, Any], way: str) -> None:
    WRONG[way](raw)
    assert not is_read(raw)
    assert not CHECKER.is_valid(raw)


@pytest.mark.parametrize("way", FOR_THE_READER)
def test_what_only_the_reader_refuses_is_told_in_the_schema(raw: dict[str, Any], way: str) -> None:
    FOR_THE_READER[way](raw)
    assert not is_read(raw)
    assert CHECKER.is_valid(raw)
    assert way in READER_ALONE
    assert CHECKER.schema["$comment"] == READER_ALONE


def test_the_page_tells_every_field_that_has_another_name_in_27560() -> None:
    """By the schema's descriptions, which name it."""
    found = re.findall(r"\(27560: (\w+)", json.dumps(CHECKER.schema))
    assert {"event_time", "validity_duration", "event_state", "retention_period", "jurisdictions"} == set(found)
    page = (REPOSITORY / "docs/consent.md").read_text()
    table = page[page.index("### Names that are not those of 27560") :]
    for name in set(found) - {"retention_period"}:  # which ours is called as well
        assert f"| `{name}` |" in table.split("\n## ")[0], name
