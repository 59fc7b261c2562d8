"""Removes what was found of a person: tombstones first, so that a run that is cut off is finished by the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flows.environment import find_root
from flows.pipeline import opened
from flows.withdrawal.findings import Findings, look, md5_of_place
from flows.withdrawal.places import remove
from flows.withdrawal.stores import Store
from flows.withdrawal.tombstones import Tombstone, add_tombstones, read_tombstones
from stages.audit import log as audit
from stages.consent.gate import KEYS
from stages.consent.keys import PublicKey, TrustedKeys
from stages.consent.reading import FOLDER, consent_path, read_consent
from stages.consent.record import Consent
from stages.consent.signing import holders
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params

Signer = Callable[[], tuple[Ed25519PrivateKey, PublicKey]]
"""Gives the key for tombstones; asked only if there are new ones to sign."""


@dataclass(frozen=True)
class Removal:
    """What a purge did.

    Attributes:
        findings: what there was, and was removed.
        tombstones: how many new ones were left, and where.
        failed: stores that refused to remove what lies there -> why.
    """

    findings: Findings
    tombstones: int
    file: Path | None
    failed: dict[str, str]


def find(identity: str, params: Params, *, with_footage: bool = False) -> Findings:
    """Find what there is of a person, and change nothing.

    Raises:
        Problem: there is no DVC repository, no record, or tombstones that do not hold.
    """
    root = find_root()
    stones = read_tombstones(read_consent(identity), TrustedKeys.read(FOLDER / KEYS)).values()
    with _locked(root) as repo:
        return look(root, repo, identity, params, stones, with_footage=with_footage)


def purge(identity: str, params: Params, signer: Signer, *, with_footage: bool = False) -> Removal:
    """Remove what there is of a person, everywhere that can be reached.

    Raises:
        Problem: the consent is not withdrawn; as :func:`find`.
    """
    root, record = find_root(), read_consent(identity)
    if record.status != "revoked":
        raise Problem(
            "status: the consent is in force, so nothing is removed",
            where=consent_path(identity),
            mend=f"withdraw it first: python -m stages.consent revoke {identity} --key KEY --purge",
        )
    known = read_tombstones(record, TrustedKeys.read(FOLDER / KEYS))
    with _locked(root) as repo:
        found = look(root, repo, identity, params, known.values(), with_footage=with_footage)
        new = [stone for stone in _stones(root, found) if (stone.kind, stone.hash) not in known]
        signed_by = _party(record, signer) if new else None
        if not found.is_empty:  # before it is done: what can not be logged must not be done
            audit.append("purge", record_id=record.record_id, record_hash=record.hash, **_counts(found))
        file = add_tombstones(new, record, *signed_by) if signed_by else None
        failed = _remove(root, found)
        if found.objects:
            repo.drop_data_index()  # DVC's notes about the content of folders
        if failed:
            audit.append("purge", record_id=record.record_id, record_hash=record.hash, refused=sorted(failed))
    return Removal(_without(found, failed), len(new), file, failed)


def _without(found: Findings, failed: dict[str, str]) -> Findings:
    """What was removed: of stores that refused nothing is known for sure."""
    return replace(
        found,
        objects=[(store, oids) for store, oids in found.objects if store.name not in failed],
        runs=[(store, runs) for store, runs in found.runs if store.name not in failed],
        unreached=found.unreached | failed,
    )


def _party(record: Consent, signer: Signer) -> tuple[Ed25519PrivateKey, PublicKey]:
    """The key of a party to the record: tombstones of another one nobody could read, and no later purge go on."""
    key, public = signer()
    if public.holder not in holders(record, public.party):
        raise Problem(
            f"'{public.holder}' is not a party to it, so can not sign what is removed; nothing was",
            where=consent_path(record.identity),
            mend=f"use the key of {' or '.join([*holders(record, 'subject'), *holders(record, 'controller')])}",
        )
    if key.public_key() != public.key:
        raise Problem(
            f"the private key does not belong to the public one of '{public.holder}'; nothing was removed",
            where=FOLDER / KEYS,
            mend="use the private key that was made with it",
        )
    return key, public


def _stones(root: Path, found: Findings) -> Iterator[Tombstone]:
    """A tombstone for each thing that is about to go, each once."""
    today, seen = date.today(), set()
    for oid in (oid for _, oids in found.objects for oid in oids):
        if oid not in seen:
            seen.add(oid)
            yield Tombstone("object", oid, found.stages.get(oid, ""), today)
    for name in (name for _, runs in found.runs for name in runs):
        if name not in seen:
            seen.add(name)
            yield Tombstone("run", name, found.stages.get(name, ""), today)
    for place in found.places:
        for md5 in md5_of_place(root, place):
            if md5 not in seen:
                seen.add(md5)
                yield Tombstone("file", md5, found.stages.get(md5, ""), today)


def _remove(root: Path, found: Findings) -> dict[str, str]:
    """Remove it all; the stores that refused -> why. One that does must not keep the others from it."""
    for place in progress(found.places, total=len(found.places), what="removing from the working tree", unit="place"):
        remove(root, place)
    failed: dict[str, str] = {}
    for store, runs in found.runs:  # before the objects that they would bring back
        failed |= _tried(store, partial(store.remove_runs, sorted(runs.values())))
    for store, oids in found.objects:
        failed |= _tried(store, partial(store.remove, oids))
    return failed


def _tried(store: Store, removal: Callable[[], None]) -> dict[str, str]:
    try:
        removal()
    except Exception as error:  # each kind of storage raises its own
        return {store.name: str(error) or type(error).__name__}
    return {}


def _counts(found: Findings) -> dict[str, Any]:
    """For the audit log: how much, where."""
    return {
        "places": len(found.places),
        "objects": {store.name: len(oids) for store, oids in found.objects},
        "runs": {store.name: len(runs) for store, runs in found.runs},
        "unreached": sorted(found.unreached),
    }


@contextmanager
def _locked(root: Path) -> Iterator[Any]:
    with opened(root) as repo, repo.lock:
        yield repo
