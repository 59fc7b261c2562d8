"""Ends a consent, and says what was made under it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stages.audit import log as audit
from stages.consent.filing import write_record
from stages.consent.keys import PublicKey
from stages.consent.reading import FOLDER, all_records, consent_path, read_consent
from stages.consent.record import Consent, Withdrawal
from stages.consent.signing import holders, signature_by, withdrawal_payload
from stages.credentials import registry
from stages.problems import Problem
from stages.settings import Params


def withdraw(
    identity: str,
    key: Ed25519PrivateKey,
    public: PublicKey,
    *,
    day: date,
    reason: str | None = None,
    folder: Path = FOLDER,
) -> Consent:
    """Write the signed end of a consent into its record, and into the audit log first: the log must not miss it.

    Raises:
        Problem: there is no record, it is withdrawn already, or the key is of neither party.
    """
    reason = (reason or "").strip() or None  # as the record keeps it: what is signed must be what is kept
    record, where = read_consent(identity, folder), consent_path(identity, folder)
    if record.status == "revoked":
        raise Problem("status: it is withdrawn already", where=where, mend="nothing is left to do here")
    if public.holder not in holders(record, public.party):
        raise Problem(
            f"'{public.holder}' is not a party to it, so can not withdraw it",
            where=where,
            mend=f"use the key of {' or '.join([*holders(record, 'subject'), *holders(record, 'controller')])}",
        )
    signature = signature_by(
        key,
        public,
        day,
        lambda party, fingerprint, signed: withdrawal_payload(record, party, fingerprint, signed, day, reason),
    )
    end = Withdrawal(since=day, by=public.party, reason=reason, signature=signature)
    ended = Consent.model_validate(record.model_dump() | {"status": "revoked", "withdrawal": end.model_dump()})
    audit.append(
        "withdrawal",
        record_id=record.record_id,
        record_hash=record.hash,
        identity=identity,
        withdrawal=end.model_dump(mode="json", exclude_none=True),
    )
    write_record(where, ended)
    return ended


def revoke_marks(identity: str, *, folder: Path = FOLDER) -> list[str]:
    """Have the marks of all deliverables that rest on a person's consent resolve to revoked; returns their numbers.

    Deliverables of the past rest on records that were replaced since, so those count, too.

    Raises:
        Problem: there is no record, or an entry of the registry is damaged.
    """
    record = read_consent(identity, folder)
    since = record.withdrawal.since if record.withdrawal is not None else date.today()
    hashes = {record.hash, *(each.hash for _, each in all_records(folder) if each.identity == identity)}
    return [number for each in sorted(hashes) for number in registry.revoke(each, since)]


def stages_with(identity: str, params: Params, pipeline: Path = Path("dvc.yaml")) -> Sequence[str]:
    """The DVC stages that work on a person, in the pipeline's order: stale from the withdrawal on, and refused."""
    pairs = {name for name in params.pairs if identity in params.cast_of(name)}
    related = {
        "${clips}": {name for name, clip in params.clips.items() if clip.identity == identity},
        "${pairs}": pairs,
        "${companions}": {name for name, companion in params.companions.items() if companion.identity == identity},
        "${swaps}": {name for name, swap in params.swaps.items() if swap.pair in pairs},
    }
    stages = yaml.safe_load(pipeline.read_text(encoding="utf-8"))["stages"] if pipeline.is_file() else {}
    return [
        f"{stage}@{item}"
        for stage, entry in stages.items()
        if any(str(read).startswith("data/") for read in entry.get("do", {}).get("deps", ()))  # not the settings alone
        for item in sorted(related.get(entry.get("foreach") if isinstance(entry.get("foreach"), str) else "", ()))
    ]
