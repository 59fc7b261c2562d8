"""Signatures of a record: what is signed, by whom, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stages.canonical import canonical
from stages.consent.keys import PublicKey, TrustedKeys
from stages.consent.record import Consent, Party, Signature
from stages.problems import Problem


def agreement_payload(record: Consent, party: Party, key: str, signed: date) -> bytes:
    """What a party signs of a record.

    It names the party, the key and the day as well, so that none of them can be exchanged later, and what it is, so
    that a signature made for something else never passes for one.
    """
    return _payload("likeness consent", party, key, signed, record.agreed)


def withdrawal_payload(record: Consent, party: Party, key: str, signed: date, since: date, reason: str | None) -> bytes:
    """What a party signs to end a consent."""
    content = {"record_id": record.record_id, "record": record.hash, "since": since, "reason": reason}
    return _payload("likeness withdrawal", party, key, signed, content)


def tombstone_payload(party: Party, key: str, removed: date, content: Mapping[str, Any]) -> bytes:
    """What a party signs of an object that was removed after a withdrawal."""
    return _payload("likeness tombstone", party, key, removed, content)


def signature_by(key: Ed25519PrivateKey, public: PublicKey, day: date, payload: Callable[..., bytes]) -> Signature:
    """Sign.

    Args:
        key: the private key.
        public: its trusted half, which says whose it is.
        day: of signing.
        payload: (party, fingerprint, day) -> what is signed.

    Raises:
        Problem: the two halves do not belong together.
    """
    if key.public_key() != public.key:
        raise Problem(
            f"the private key is not the one that is trusted for '{public.holder}'",
            where="private key",
            mend="sign with the key whose public half is in data/consent/keys",
        )
    value = key.sign(payload(public.party, public.fingerprint, day)).hex()
    return Signature(key=public.fingerprint, signed=day, value=value)


def require_signatures(record: Consent, keys: TrustedKeys, where: Path) -> None:
    """Make sure that all parties have signed what the record says, each with a key of its own.

    Raises:
        Problem: a signature is missing, is by a key that is not trusted or is somebody else's, or does not fit the
            record: it was altered afterwards.
    """
    for party in record.signers:
        signature = record.signatures.get(party)
        if signature is None:
            raise Problem(
                f"signatures: the {party} has not signed",
                where=where,
                mend=f"python -m stages.consent sign {record.identity} --key KEY-OF-THE-{party.upper()}",
            )
        payload = agreement_payload(record, party, signature.key, signature.signed)
        _require(signature, party, payload, record, keys, where)
    used = {signature.key for signature in record.signatures.values()}
    if len(used) < len(record.signatures):
        raise Problem(
            "signatures: subject and controller have signed with the same key",
            where=where,
            mend="each signs with a key of their own: python -m stages.consent keygen NAME",
        )


def is_withdrawal_signed(record: Consent, keys: TrustedKeys, where: Path) -> bool:
    """Whether the withdrawal in a record is by one of its parties. It counts in any case; this only says who it was."""
    end = record.withdrawal
    if end is None:
        return False
    payload = withdrawal_payload(record, end.by, end.signature.key, end.signature.signed, end.since, end.reason)
    try:
        _require(end.signature, end.by, payload, record, keys, where)
    except Problem:
        return False
    return True


def holders(record: Consent, party: Party) -> tuple[str, ...]:
    """Whose key may sign as that party."""
    return (record.pii_principal_id,) if party == "subject" else record.pii_controllers


def _require(
    signature: Signature, party: Party, payload: bytes, record: Consent, keys: TrustedKeys, where: Path
) -> None:
    found = keys.find(signature.key)
    if found is None:
        raise Problem(
            f"signatures.{party}: it is by a key that is not trusted here ({signature.key[:16]}...)",
            where=where,
            mend=f"if you know whose it is, put its public half into {keys.folder}; else have the record signed anew",
        )
    name, key = found
    if key.is_development and record.kind != "synthetic":
        raise Problem(
            f"signatures.{party}: the key for samples, which everybody has, can not sign for a person",
            where=where,
            mend="make a key of your own (python -m stages.consent keygen NAME) and sign with it",
        )
    if key.party != party or key.holder not in holders(record, party):
        raise Problem(
            f"signatures.{party}: it is by the key '{name}' of the {key.party} '{key.holder}', not of "
            f"{' or '.join(repr(each) for each in holders(record, party))}",
            where=where,
            mend=f"have the {party} sign with their own key",
        )
    try:
        key.key.verify(bytes.fromhex(signature.value), payload)
    except InvalidSignature:
        raise Problem(
            f"signatures.{party}: the record is not what was signed; it was altered afterwards",
            where=where,
            mend="take the signed file again (`git log` on it shows what changed), or have the change signed by all",
        ) from None


def _payload(what: str, party: Party, key: str, signed: date, content: Mapping[str, Any]) -> bytes:
    return canonical({"what": what, "party": party, "key": key, "signed": signed, "content": dict(content)})
