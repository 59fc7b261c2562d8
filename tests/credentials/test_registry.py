"""What a mark's number stands for, until a consent is withdrawn."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from stages.credentials.origin import Origin
from stages.credentials.provenance import Provenance
from stages.credentials.reading import read_kept
from stages.credentials.registry import register, resolve, revoke
from stages.credentials.settings import CredentialSettings
from stages.problems import Problem
from tests.authorities import Authority
from tests.credentials.conftest import origin_of

NUMBER = "0123456789ab"


def test_a_number_resolves_to_the_credential_of_its_deliverable(
    video: Path, origin: Origin, own: CredentialSettings, authority: Authority, tmp_path: Path
) -> None:
    provenance = Provenance.of(origin, own)
    provenance.sign(video, NUMBER)
    provenance.register(tmp_path)
    entry = resolve(NUMBER, tmp_path)
    assert entry is not None
    assert (entry.status, entry.lineage) == ("active", origin.root)
    found = read_kept(entry.store, video, authority.pem)
    assert found is not None
    assert (found.valid, found.trust) == (True, "trusted")
    binding = found.assertion("c2pa.soft-binding")
    assert binding is not None
    assert binding["blocks"][0]["value"] == NUMBER
    assert [each["action"] for each in found.actions][-1] == "c2pa.watermarked.bound"


def test_what_is_neither_marked_nor_signed_is_not_entered(video: Path, origin: Origin, tmp_path: Path) -> None:
    for settings in (CredentialSettings(), CredentialSettings(sign=False)):
        provenance = Provenance.of(origin, settings)
        provenance.sign(video)
        provenance.register(tmp_path / "registry")
    assert not (tmp_path / "registry").exists()


def test_an_entry_names_no_person(origin: Origin, tmp_path: Path) -> None:
    entry = json.loads(register(NUMBER, origin, b"", tmp_path).read_text())
    assert entry.keys() == {"identifier", "status", "lineage", "consents", "store"}
    assert all(each.keys() == {"role", "record_id", "sha256"} for each in entry["consents"])


def test_entered_again_it_is_the_same_file(origin: Origin, tmp_path: Path) -> None:
    first = register(NUMBER, origin, b"a store", tmp_path).read_bytes()
    assert register(NUMBER, origin, b"a store", tmp_path).read_bytes() == first


def test_a_withdrawn_consent_revokes_its_entries_and_no_others(origin: Origin, tmp_path: Path) -> None:
    register(NUMBER, origin, b"a store", tmp_path)
    withdrawn = origin.consents["source"].hash
    assert revoke("0" * 64, date(2026, 12, 1), tmp_path) == []
    assert revoke(withdrawn, date(2026, 12, 1), tmp_path) == [NUMBER]
    assert revoke(withdrawn, date(2026, 12, 2), tmp_path) == []
    entry = resolve(NUMBER, tmp_path)
    assert entry is not None
    assert (entry.status, entry.since, entry.store) == ("revoked", "2026-12-01", b"")
    with pytest.raises(Problem, match="was revoked"):
        register(NUMBER, origin, b"a store", tmp_path)


def test_a_number_stands_for_one_deliverable(origin: Origin, tmp_path: Path) -> None:
    register(NUMBER, origin, b"", tmp_path)
    with pytest.raises(Problem, match="another deliverable"):
        register(NUMBER, origin_of("77"), b"", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"status": "active"}',
        '{"status": 1, "lineage": 1, "store": "ä"}',
        '{"identifier": "ba9876543210", "status": "active", "lineage": "1", "store": ""}',
    ],
)
def test_a_damaged_entry_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / f"{NUMBER}.json").write_text(content)
    with pytest.raises(Problem, match="damaged"):
        resolve(NUMBER, tmp_path)


@pytest.mark.parametrize("number", ["", "../../etc/passwd", "XYZ"])
def test_a_number_is_no_path(tmp_path: Path, number: str) -> None:
    with pytest.raises(Problem, match="no identifier"):
        resolve(number, tmp_path)
