"""What the identifier in an invisible mark stands for: one JSON file each, made at delivery.

A mark outlives what takes a credential out of its file. It holds a number and nothing else; this tells which credential
goes with the number. What is in it is as public as the credential itself: record ids and hashes, no names.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from stages.artifacts.files import write_facts
from stages.atomic import whole_file, whole_files
from stages.credentials.origin import Origin
from stages.problems import Problem

FOLDER: Final = Path("data/registry")
"""Of this project's entries. In git, and to be kept for as long as the deliverables are about."""

Status = Literal["active", "revoked"]


@dataclass(frozen=True)
class Entry:
    """What an identifier stands for.

    Attributes:
        identifier: hexadecimal, as the mark holds it.
        status: ``revoked`` once one of the consents was withdrawn.
        lineage: root hash of what the deliverable was made from.
        since: the day of the withdrawal.
        store: the credential's manifest store; empty once revoked.
    """

    identifier: str
    status: Status
    lineage: str
    since: str | None = None
    store: bytes = b""


def register(identifier: str, origin: Origin, store: bytes, folder: Path | None = None) -> Path:
    """Enter a deliverable; entered again, it is the same file.

    Raises:
        Problem: the identifier stands for something else already, or was revoked.
    """
    place = _place(identifier, folder)
    before = resolve(identifier, folder)
    if before is not None and (before.status == "revoked" or before.lineage != origin.root):
        told = "was revoked" if before.status == "revoked" else "stands for another deliverable"
        raise Problem(
            f"the mark's identifier {identifier} {told}",
            where=place,
            mend="change a setting of encoding, which gives the deliverable another one",
        )
    entry = {
        "identifier": identifier,
        "status": "active",
        "lineage": origin.root,
        "consents": origin.parts["consents"],
        "store": base64.b64encode(store).decode("ascii"),
    }
    with whole_file(place) as scratch:
        write_facts(scratch, entry)
    return place


def resolve(identifier: str, folder: Path | None = None) -> Entry | None:
    """What an identifier stands for, None if nobody has entered it.

    Raises:
        Problem: its entry is damaged.
    """
    place = _place(identifier, folder)
    try:
        raw = json.loads(place.read_text(encoding="utf-8"))
        store = base64.b64decode(raw.get("store", ""), validate=True)
        status: Status = "active" if raw["status"] == "active" else "revoked"
        if raw["identifier"] != identifier:
            raise ValueError("it is another one's")
        return Entry(identifier, status, str(raw["lineage"]), raw.get("since"), store)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise Problem("this entry is damaged", where=place, mend="take it from git again") from error


def revoke(record_hash: str, since: date, folder: Path | None = None) -> list[str]:
    """Revoke all entries that rest on a consent; returns their identifiers. Of an entry only that it was is kept.

    Raises:
        Problem: an entry is damaged or can not be written.
    """
    revoked = []
    for place in whole_files(folder or FOLDER, "*.json"):
        try:
            raw: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
            rests = [each["sha256"] for each in raw.get("consents", [])]
            kept = {"identifier": raw["identifier"], "lineage": raw["lineage"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Problem("this entry is damaged", where=place, mend="take it from git again") from error
        if record_hash in rests:
            with whole_file(place) as scratch:
                write_facts(scratch, kept | {"status": "revoked", "since": since.isoformat()})
            revoked.append(kept["identifier"])
    return revoked


def _place(identifier: str, folder: Path | None) -> Path:
    if not identifier or set(identifier) - set("0123456789abcdef"):
        raise Problem("it is no identifier of a mark", where=identifier or "mark", mend="give it in hexadecimal")
    return (folder or FOLDER) / f"{identifier}.json"
