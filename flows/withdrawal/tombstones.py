"""Tombstones: signed lines that say which object was removed, when and why, and nothing of whom it showed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stages.atomic import whole_file
from stages.consent.keys import PublicKey, TrustedKeys
from stages.consent.record import Consent
from stages.consent.signing import holders, tombstone_payload
from stages.problems import Problem

FOLDER: Final = Path("data/withdrawn")
"""In git, so that every machine with a copy can remove the same objects."""

Kind = Literal["object", "run", "file"]
"""An object of DVC, an entry of its run cache, a file that DVC does not keep (scratch, layers)."""

REASON: Final = "consent withdrawn"


@dataclass(frozen=True)
class Tombstone:
    """Of one object.

    Attributes:
        kind: of it.
        hash: MD5 as DVC has it; of a run-cache entry, its name.
        stage: which made it, without whose; empty where that is not known.
        removed: the day.
    """

    kind: Kind
    hash: str
    stage: str
    removed: date

    @property
    def content(self) -> dict[str, Any]:
        """As plain data."""
        return {"kind": self.kind, "hash": self.hash, "stage": self.stage, "removed": self.removed.isoformat(),
                "reason": REASON}  # fmt: skip


def tombstone_path(record: Consent, folder: Path = FOLDER) -> Path:
    """Where the tombstones of what was made under a record lie; the name is the record's hash and tells no one's."""
    return folder / f"{record.hash}.jsonl"


def read_tombstones(record: Consent, keys: TrustedKeys, folder: Path = FOLDER) -> dict[tuple[str, str], Tombstone]:
    """(kind, hash) -> tombstone, their signatures checked: what they name is removed wherever it lies.

    Raises:
        Problem: a line is damaged, was altered, or is by a key that is not of a party to the record.
    """
    path = tombstone_path(record, folder)
    if not path.is_file():
        return {}
    found: dict[tuple[str, str], Tombstone] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            said = json.loads(line.decode("ascii"))
            stone = Tombstone(said["kind"], said["hash"], said["stage"], date.fromisoformat(said["removed"]))
            _require_signature(stone, said, record, keys)
        except (ValueError, KeyError, TypeError, InvalidSignature) as error:
            raise Problem(
                f"line {number} is damaged, or not signed by a party to the record",
                where=path,
                mend="take the file from git again; what it names would be removed",
            ) from error
        found[stone.kind, stone.hash] = stone
    return found


def add_tombstones(
    stones: Iterable[Tombstone],
    record: Consent,
    key: Ed25519PrivateKey,
    public: PublicKey,
    folder: Path = FOLDER,
) -> Path:
    """Sign tombstones and put them after those that are there; all of them are on the disk, or none.

    Raises:
        Problem: they can not be written.
    """
    path = tombstone_path(record, folder)
    before = path.read_text(encoding="ascii") if path.is_file() else ""
    lines = []
    for stone in stones:
        payload = tombstone_payload(public.party, public.fingerprint, stone.removed, _about(stone, record))
        signature = {"party": public.party, "key": public.fingerprint, "value": key.sign(payload).hex()}
        lines.append(json.dumps(stone.content | {"record": record.hash, "signature": signature}, sort_keys=True))
    with whole_file(path) as scratch:
        scratch.write_text(before + "".join(f"{line}\n" for line in lines), encoding="ascii")
    return path


def _about(stone: Tombstone, record: Consent) -> Mapping[str, Any]:
    return stone.content | {"record": record.hash}


def _require_signature(stone: Tombstone, said: Mapping[str, Any], record: Consent, keys: TrustedKeys) -> None:
    signature = said["signature"]
    trusted = keys.find(signature["key"])
    if trusted is None or said["record"] != record.hash or said["reason"] != REASON:
        raise InvalidSignature
    _, public = trusted
    if public.holder not in holders(record, public.party):
        raise InvalidSignature
    payload = tombstone_payload(public.party, public.fingerprint, stone.removed, _about(stone, record))
    public.key.verify(bytes.fromhex(signature["value"]), payload)
