"""A renewed record says what the one before said, but for what is asked anew; no field can be forgotten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pydantic import BaseModel

from stages.consent.drafting import QUESTIONS, draft
from stages.consent.evidence import face_commitment
from stages.consent.merkle import footage_root
from stages.consent.reading import read_consent
from stages.consent.record import MINING_USES, Consent
from stages.problems import Problem
from stages.settings import Params, load_params, model_in
from tests.records import content, put_record

FOLDER: Final = Path("data/consent")
TODAY: Final = date(2026, 11, 29)
SECRET: Final = bytes(32)

LATER: Final = {"status", "withdrawal", "signatures"}
"""Not agreed on: they come after the draft."""

MADE: Final = {
    "schema_version", "identity", "prior_record_hash", "evidence.document.sha256",
    "evidence.footage.merkle_root", "evidence.footage.clips", "evidence.face.hmac_sha256", "evidence.face.key_id",
}  # fmt: skip
"""Not asked for, but known or reckoned."""

ANEW: Final = {"record_id", "prior_record_hash", "term.given", "term.expires"}
"""Of each record its own, or asked with a default of its own."""


def leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """The dotted paths of a model's fields that hold no fields of their own."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if before + name in LATER:
            continue
        if inner is None:
            yield before + name
        else:
            yield from leaves(inner, f"{before}{name}.")


FIELDS: Final = tuple(leaves(Consent))


def said(record: Consent, field: str) -> Any:
    value: Any = record
    for part in field.split("."):
        value = getattr(value, part, None)
    return value


@pytest.fixture
def full(workplace: Path) -> Consent:
    """A record of ada's in force in which every field says something, and nothing that a default would say."""
    Path("contract.pdf").write_bytes(b"I agree")
    Path("face.png").write_bytes(b"a face")
    clips = {"ada": "1" * 64, "ada-2": "2" * 64}
    evidence = {
        "document": {"sha256": hashlib.sha256(b"I agree").hexdigest(), "kept": "at hers", "path": "contract.pdf"},
        "footage": {"merkle_root": footage_root(clips), "clips": clips},
        "face": face_commitment([Path("face.png")], SECRET).model_dump(),
    }
    telling = {
        "prior_record_hash": "0" * 64,
        "pii_principal_id": "Jane Q",
        "represented_by": "union",
        "pii_controllers": ["a studio", "another"],
        "roles": ["source"],
        "purpose": "one scene",
        "pairings": ["cyd"],
        "clips": list(clips),
        "prohibited_content": ["minors", "sexual content", "smoking"],
        "media": ["film"],
        "geographic_restrictions": "Ireland",
        "jurisdiction": "Irish law",
        "privacy_notice": "on paper",
        "training_and_mining": {
            "ai_generative_training": "constrained",
            "ai_training": "allowed",
            "ai_inference": "allowed",
            "data_mining": "constrained",
            "constraints": "films of the studio",
        },
        "term": {"given": "2020-01-01", "expires": "2999-12-30"},
        "retention_period": {"destroy_by": "2999-12-30", "schedule": "all of it"},
        "withdrawal_method": "by letter",
        "compensation_reference": "contract 7",
        "evidence": evidence,
    }
    put_record(FOLDER, "ada", **telling)
    return read_consent("ada")


def renewed(params: Params, **answers: str) -> Consent:
    """By somebody who takes every default."""

    def ask(question: str, default: str | None) -> str:
        assert default is not None, question
        return default

    given = {"adult_attestation": "yes"} | answers
    return draft("ada", params, ask, today=TODAY, answers=given, private=Path("private"))


def test_every_field_is_asked_for_or_made() -> None:
    asked = {question.field for question in QUESTIONS}
    assert asked | MADE == set(FIELDS)
    assert not asked & MADE


def test_the_record_of_these_tests_says_every_field(full: Consent) -> None:
    assert [field for field in FIELDS if said(full, field) in (None, ())] == [], "say the new field in `full`"


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_is_not_asked_anew_is_kept(full: Consent, field: str) -> None:
    after = renewed(load_params())
    if field in ANEW:
        assert said(after, field) != said(full, field)
    else:
        assert said(after, field) == said(full, field)


@pytest.mark.parametrize("field", [question.field for question in QUESTIONS if question.optional])
def test_what_is_optional_can_be_left_out_again(full: Consent, field: str) -> None:
    digest = {"evidence.document.sha256": "3" * 64}  # of a document that is not here
    free = {f"training_and_mining.{use}": "allowed" for use in MINING_USES}  # else it has to say what binds
    assert said(renewed(load_params(), **digest | free | {field: ""}), field) is None


def test_what_is_constrained_says_to_what(full: Consent) -> None:
    with pytest.raises(Problem, match="constraints is missing: ai_generative_training is constrained") as caught:
        renewed(load_params(), **{"training_and_mining.constraints": ""})
    assert caught.value.where == "answers about ada, training_and_mining"


def test_footage_that_lies_here_is_bound_as_it_is_now_and_the_rest_as_it_was(full: Consent) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["clips"]["ada"]["path"] = "ada.mp4"
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    Path("ada.mp4").write_bytes(b"frames")
    after = renewed(load_params()).evidence.footage
    assert after is not None
    assert after.clips == {"ada": hashlib.sha256(b"frames").hexdigest(), "ada-2": "2" * 64}


def test_a_clip_that_nobody_has_seen_leaves_the_footage_open(full: Consent) -> None:
    assert renewed(load_params(), clips="ada, ada-3").evidence.footage is None


def test_a_term_that_outlasts_the_results_moves_their_end(full: Consent) -> None:
    put_record(
        FOLDER,
        "ada",
        term={"given": "2025-11-30", "expires": "2026-11-29"},
        retention_period={"destroy_by": "2027-01-31", "schedule": "all"},
        evidence=content("ada")["evidence"],
    )
    after = renewed(load_params(), **{"evidence.document.sha256": "3" * 64})
    assert (str(after.term.expires), str(after.retention_period.destroy_by)) == ("2027-11-28", "2028-11-28")


def test_a_lone_dash_says_no_more_what_an_empty_answer_would_keep(full: Consent) -> None:
    asked: list[str] = []

    def ask(question: str, default: str | None) -> str:
        asked.append(question)
        if question.startswith("Whose law"):
            return "-"
        assert default is not None, question
        return default

    assert full.jurisdiction is not None
    assert full.privacy_notice is not None
    given = {"adult_attestation": "yes"}
    after = draft("ada", load_params(), ask, today=TODAY, answers=given, private=Path("private"))
    assert (after.jurisdiction, after.privacy_notice) == (None, full.privacy_notice)
    assert [each for each in asked if each.startswith("Whose law")] == [
        "Whose law is the document under? (empty: it does not say); - to say it no more"
    ]


def test_what_a_person_agreed_to_is_not_taken_over_to_a_performer(full: Consent) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    plain = {"purpose": "a sample", "clips": "ada", "jurisdiction": "", "privacy_notice": ""}
    assert raw["clips"]["ada"]["path"] == "data/performances/ada/clip.mp4"
    after = renewed(load_params(), kind="synthetic", **plain)
    assert (after.term.expires, after.retention_period.destroy_by, after.represented_by) == (None, None, "self")
    assert after.evidence.model_dump(exclude_none=True) == {}
