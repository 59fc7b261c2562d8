"""What is signed is what was agreed, all of it; the footage's tree; the schema; the shipped records."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic_core import to_jsonable_python

from stages.canonical import canonical, hash_of
from stages.consent import read_consent, require_record
from stages.consent.keys import TrustedKeys
from stages.consent.merkle import footage_root, merkle_root
from stages.consent.record import Consent, TrainingAndMining
from stages.consent.schema import PLACE, schema
from stages.consent.signing import agreement_payload, require_signatures
from stages.problems import Problem
from stages.settings import load_params
from tests.conftest import REPOSITORY
from tests.records import content, put_record, signed


def test_canonical_json_is_that_of_rfc_8785() -> None:
    """The sorting example of its section 3.2.3, and a date."""
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical(names)).values()) == [2, 4, 6, 7, 1, 5, 3]
    assert canonical({"b": date(2026, 1, 2), "a": [1, True, None]}) == b'{"a":[1,true,null],"b":"2026-01-02"}'


LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [  # the test vectors of Certificate Transparency's reference implementation
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("count", range(1, 9))
def test_the_tree_is_that_of_rfc_6962(count: int) -> None:
    assert merkle_root([bytes.fromhex(leaf) for leaf in LEAVES[:count]]).hex() == ROOTS[count - 1]


def test_the_root_depends_on_each_clip_and_its_name_but_not_on_their_order() -> None:
    clips = {"one": "a" * 64, "two": "b" * 64}
    assert footage_root(clips) == footage_root(dict(reversed(clips.items())))
    others = [{"one": "a" * 64}, {"one": "b" * 64, "two": "a" * 64}, {"one": "a" * 64, "three": "b" * 64}]
    assert len({footage_root(clips), *map(footage_root, others)}) == 4


AGREED = Consent.model_validate(content("ada"))


OTHERWISE: dict[str, Any] = {
    "record_id": "ada-2",
    "kind": "synthetic",
    "identity": "adam",
    "pii_principal_id": "performer adam",
    "represented_by": "union",
    "pii_controllers": ["a studio", "another"],
    "roles": ["source", "target"],
    "purpose": "tests.",
    "pairings": ["ben"],
    "clips": ["ada", "ada-2"],
    "prohibited_content": ["minors", "sexual content"],
    "media": ["none", "film"],
    "geographic_restrictions": "nowhere else",
    "term": {"given": "2020-01-01", "expires": "2999-12-30"},
    "retention_period": {"destroy_by": "2999-12-31", "schedule": "all is deleted."},
    "withdrawal_method": "tell the test",
    "compensation_reference": "nine",
    "evidence": {"document": {"sha256": "0" * 63 + "1", "kept": "nowhere"}},
    "prior_record_hash": "0" * 64,
    "jurisdiction": "Ireland",
    "privacy_notice": "on paper",
    "training_and_mining": {"ai_training": "allowed"},
}


@pytest.mark.parametrize("field", OTHERWISE)
def test_no_field_can_be_changed_under_a_signature(field: str, tmp_path: Path) -> None:
    put_record(tmp_path, "ada")
    record = signed(AGREED)
    other = Consent.model_validate(content("ada") | {field: OTHERWISE[field], "signatures": record.signatures})
    with pytest.raises(Problem, match="signatures"):
        require_signatures(other, TrustedKeys.read(tmp_path / "keys"), tmp_path)


def test_every_field_can_not(tmp_path: Path) -> None:
    only_one_value = {"schema_version", "adult_attestation"}
    assert set(OTHERWISE) | only_one_value == set(Consent.model_fields) - {"status", "withdrawal", "signatures"}


def test_all_that_a_record_says_is_signed_but_what_comes_later() -> None:
    assert set(Consent.model_fields) - set(AGREED.agreed) == {
        "status", "withdrawal", "signatures",  # their own signatures
        "prior_record_hash", "jurisdiction", "privacy_notice", "training_and_mining",  # not said here
    }  # fmt: skip
    said = AGREED.model_copy(update={"jurisdiction": "Ireland"})
    assert said.hash != AGREED.hash
    assert said.hash == hash_of(said.agreed)


def test_a_record_from_before_a_field_was_added_says_and_hashes_the_same() -> None:
    """Fields that were added to version 2 are optional, and one that is not said is no part of what is signed."""
    assert AGREED.hash == "eaec885cb49cb74c00f1ee7b24bff1e44733c9653b00eb872ff29c3f4c8e8792"
    assert AGREED.model_copy(update={"training_and_mining": TrainingAndMining()}).hash != AGREED.hash


def test_laying_the_file_out_otherwise_changes_nothing(tmp_path: Path) -> None:
    path = put_record(tmp_path, "ada")
    path.write_text("# a remark\n" + path.read_text().replace("roles:\n  - source\n", "roles:\n\n    - 'source'\n"))
    with pytest.raises(Problem):
        read_consent("ada", tmp_path)  # no YAML any more: the list is indented twice
    path = put_record(tmp_path, "ada")
    path.write_text("# a remark\n" + path.read_text().replace("purpose: tests", 'purpose: "tests"'))
    record = read_consent("ada", tmp_path)
    require_signatures(record, TrustedKeys.read(tmp_path / "keys"), path)


def test_one_party_is_not_the_other(tmp_path: Path) -> None:
    """The same key and content, signed as the other party, is another signature."""
    record = signed(AGREED)
    payloads = {agreement_payload(record, party, "k", date(2020, 1, 1)) for party in ("subject", "controller")}
    assert len(payloads) == 2


def test_the_committed_schema_is_current_and_takes_the_records() -> None:
    kept = (REPOSITORY / PLACE).read_text()
    assert kept == schema(), "run `python -m stages.consent schema > data/consent/schema.json`"
    checker = jsonschema.Draft202012Validator(json.loads(kept))
    raw: dict[str, Any] = to_jsonable_python(signed(AGREED).model_dump(exclude_none=True))
    checker.validate(raw)


def test_the_shipped_records_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    for identity in load_params().identities:
        record = require_record(identity)
        assert record.kind == "synthetic"
