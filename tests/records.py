"""Signed consent records for tests, with keys that are the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stages.consent.filing import write_record
from stages.consent.keys import PublicKey
from stages.consent.record import Consent, Party, Signature
from stages.consent.signing import agreement_payload, signature_by
from stages.consent.text import write_yaml

STUDIO: Final = "a studio"
SIGNED: Final = date(2020, 1, 1)


def secret(name: str) -> Ed25519PrivateKey:
    """The private key of a name."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public(name: str, holder: str, party: Party) -> PublicKey:
    """Its public half, as the repository of a test trusts it."""
    return PublicKey(holder=holder, party=party, public_key=secret(name).public_key().public_bytes_raw().hex())


def trust(folder: Path, name: str, holder: str, party: Party) -> PublicKey:
    """Put a public key where it is trusted; ``folder`` is that of the records."""
    key = public(name, holder, party)
    write_yaml(folder / "keys" / f"{name}.yaml", key.model_dump())
    return key


def content(identity: str, **changes: Any) -> dict[str, Any]:
    """What a person's record says, without signatures."""
    return {
        "schema_version": 2,
        "record_id": f"{identity}-1",
        "kind": "person",
        "identity": identity,
        "pii_principal_id": f"performer {identity}",
        "adult_attestation": True,
        "pii_controllers": [STUDIO],
        "purpose": "tests",
        "roles": ["source", "target", "training"],
        "pairings": [other for other in ("ada", "ben", "cyd", "eve") if other != identity],
        "clips": [identity],
        "prohibited_content": ["sexual content", "minors"],
        "media": ["none"],
        "geographic_restrictions": "nowhere",
        "term": {"given": "2020-01-01", "expires": "2999-12-31"},
        "retention_period": {"destroy_by": "2999-12-31", "schedule": "all is deleted"},
        "withdrawal_method": "tell the tests",
        "compensation_reference": "none",
        "evidence": {"document": {"sha256": "0" * 64, "kept": "nowhere"}},
    } | changes


def signed(record: Consent, signers: Mapping[Party, str] | None = None) -> Consent:
    """A record with signatures: party -> name of the key, by default the person's and the studio's own."""
    names: Mapping[Party, str] = (
        signers if signers is not None else {"subject": record.identity, "controller": "studio"}
    )
    holders = {"subject": record.pii_principal_id, "controller": STUDIO}
    made: dict[Party, Signature] = {
        party: signature_by(
            secret(name), public(name, holders[party], party), SIGNED, partial(agreement_payload, record)
        )
        for party, name in names.items()
    }
    return record.model_copy(update={"signatures": made})


def put_record(folder: Path, identity: str, *, signers: Mapping[Party, str] | None = None, **changes: Any) -> Path:
    """A record that holds, in force, and the public keys that it needs.

    Args:
        folder: of the records.
        identity: whose.
        signers: as for :func:`signed`.
        changes: fields that differ from :func:`content`; None leaves a field out.
    """
    said = {key: value for key, value in content(identity, **changes).items() if value is not None}
    trust(folder, identity, said["pii_principal_id"], "subject")
    trust(folder, "studio", STUDIO, "controller")
    path = folder / f"{identity}.yaml"
    write_record(path, signed(Consent.model_validate(said), signers))
    return path


def put_records(folder: Path, clips: Mapping[str, Sequence[str]]) -> None:
    """A record that holds for each identity, about these clips."""
    for identity, names in clips.items():
        put_record(folder, identity, clips=list(names))
