"""Drafts, records in force and records that were replaced: which file lies where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from stages.consent.reading import (
    FOLDER,
    all_records,
    consent_path,
    hash_of_record,
    history_path,
    is_version_1,
    parse_record,
)
from stages.consent.record import RECORD_ID, Consent
from stages.consent.text import read_yaml, write_yaml
from stages.problems import Problem
from stages.settings import shortly

DRAFTS: Final = "drafts"
"""Below the records' folder: records that not all have signed yet. What is in force stays so until then."""

_HEAD: Final = "# A consent record, signed: change nothing by hand. docs/consent.md tells what each field means.\n"


def draft_path(identity: str, folder: Path = FOLDER) -> Path:
    """Where a record lies until all have signed it."""
    return folder / DRAFTS / f"{identity}.yaml"


def present(identity: str, folder: Path = FOLDER) -> Any:
    """The record in force as plain data, of whatever version; None if there is none.

    Raises:
        Problem: the file is no YAML.
    """
    try:
        return read_yaml(consent_path(identity, folder))
    except FileNotFoundError:
        return None


def prior_hash(identity: str, folder: Path = FOLDER) -> str | None:
    """By which hash a new record names the one in force."""
    raw = present(identity, folder)
    return None if raw is None else hash_of_record(raw, consent_path(identity, folder))


def to_sign(identity: str, folder: Path = FOLDER) -> tuple[Path, Consent]:
    """The draft of an identity, else its record in force.

    Raises:
        Problem: there is neither, or it is not well formed.
    """
    for path in (draft_path(identity, folder), consent_path(identity, folder)):
        if path.is_file():
            return path, parse_record(read_yaml(path), path)
    raise Problem(
        f"there is no record of '{identity}' to sign",
        where=consent_path(identity, folder),
        mend=f"begin with `python -m stages.consent new {identity}`",
    )


def write_record(path: Path, record: Consent) -> None:
    """A record as YAML, in the order of its fields, without those that say nothing."""
    write_yaml(path, _plain(record.model_dump(exclude_none=True)), _HEAD)


def _plain(value: Any) -> Any:
    """Lists for tuples, which YAML does not have."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _require_new_id(record: Consent, folder: Path) -> None:
    """Stages refuse two records of one id, so that nobody is taken for the other."""
    for path, other in all_records(folder):
        if other.record_id == record.record_id and other.hash != record.hash:
            raise Problem(
                f"record_id: {path} has the same, '{record.record_id}'",
                where=draft_path(record.identity, folder),
                mend=f"draft it anew with another id: python -m stages.consent new {record.identity}",
            )


def _kept_as(former: Any, place: Path, folder: Path) -> Path:
    """Where a record lies that makes way, which is nobody else's place."""
    field = "id" if is_version_1(former) else "record_id"
    old = former.get(field)
    if not isinstance(old, str) or not re.fullmatch(RECORD_ID, old):
        what = f"{field}: {shortly(old)} is no name for a file"
        raise Problem(what, where=place, mend="take the file from git again")
    kept = history_path(old, folder)
    if kept.exists():
        raise Problem(f"{field}: {kept} has the same", where=place, mend="keep both: rename the file in the history")
    return kept


def put_in_force(record: Consent, folder: Path = FOLDER) -> Path:
    """A record that all have signed takes the place of the one before, which goes to the history.

    Raises:
        Problem: another one was put in force since the draft was made, or has the same id.
    """
    place = consent_path(record.identity, folder)
    before = present(record.identity, folder)
    if before is not None and hash_of_record(before, place) != record.hash:
        if prior_hash(record.identity, folder) != record.prior_record_hash:
            raise Problem(
                "prior_record_hash: another record was put in force since this one was drafted",
                where=draft_path(record.identity, folder),
                mend=f"draft it anew: python -m stages.consent new {record.identity}",
            )
        _require_new_id(record, folder)
        kept = _kept_as(before, place, folder)
        kept.parent.mkdir(parents=True, exist_ok=True)
        place.replace(kept)
    write_record(place, record)
    draft_path(record.identity, folder).unlink(missing_ok=True)
    return place
