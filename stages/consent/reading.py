"""Finds and reads records: the present one of each identity, and those that it replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from stages.atomic import whole_files
from stages.canonical import hash_of
from stages.consent.record import SCHEMA_VERSION, Consent
from stages.consent.text import read_yaml
from stages.problems import Problem
from stages.settings import parse, shortly

FOLDER: Final = Path("data/consent")
HISTORY: Final = "history"
"""Below the records' folder: records that were replaced, by id."""

DESCRIBED: Final = "docs/consent.md"


def consent_path(identity: str, folder: Path = FOLDER) -> Path:
    """Where the present record of an identity lies."""
    return folder / f"{identity}.yaml"


def history_path(record: str, folder: Path = FOLDER) -> Path:
    """Where a record lies after it was replaced."""
    return folder / HISTORY / f"{record}.yaml"


def read_consent(identity: str, folder: Path = FOLDER) -> Consent:
    """The record of an identity, whatever it allows, its signatures unchecked.

    Raises:
        Problem: there is none, it is of another version, not well formed, or about somebody else.
    """
    path = consent_path(identity, folder)
    try:
        record = parse_record(read_yaml(path), path)
    except FileNotFoundError:
        raise Problem(
            f"there is no consent record for '{identity}'",
            where=path,
            mend=f"have the person sign one: `python -m stages.consent new {identity}` asks what it must say",
        ) from None
    if record.identity != identity:
        raise Problem(
            f"identity: it is about '{record.identity}', not '{identity}'",
            where=path,
            mend=f"file it as {record.identity}.yaml",
        )
    return record


def parse_record(raw: Any, path: Path) -> Consent:
    """A record from plain data.

    Raises:
        Problem: it is of another version or not well formed; it names the field and, for a key, the nearest known one.
    """
    if not isinstance(raw, dict):
        raise Problem("it holds no record", where=path, mend=f"{DESCRIBED} shows one; or take the file from git again")
    version = raw.get("schema_version")
    if is_version_1(raw):
        raise Problem(
            "it is of version 1, which nobody has signed and which names no scope",
            where=path,
            mend=f"`python -m stages.consent new {raw.get('identity', path.stem)}` takes its answers over, asks for "
            "the rest, and says who must sign",
        )
    if version is not None and version != SCHEMA_VERSION:
        raise Problem(
            f"schema_version: {shortly(version)} is not known here, only {SCHEMA_VERSION}",
            where=path,
            mend="update the project, or have the record made again with this one",
        )
    return parse(Consent, raw, where=str(path), described=DESCRIBED)


def is_version_1(raw: Any) -> bool:
    """Whether plain data is a record as it was before there were signatures."""
    return isinstance(raw, dict) and "schema_version" not in raw and ("version" in raw or "id" in raw)


def hash_of_record(raw: Any, path: Path) -> str:
    """The hash by which a record names the one that it replaces; one of version 1 is hashed as it stands.

    Raises:
        Problem: it is no record.
    """
    return hash_of(raw) if is_version_1(raw) else parse_record(raw, path).hash


def hashes_in(folder: Path) -> set[str]:
    """The hashes of all records in a folder that can be read."""
    found = set()
    for path in whole_files(folder, "*.yaml"):
        with suppress(Problem):
            found.add(hash_of_record(read_yaml(path), path))
    return found


def all_records(folder: Path = FOLDER) -> Iterator[tuple[Path, Consent]]:
    """Every record that can be read, replaced ones too. Others are told where they are used."""
    for path in (*whole_files(folder, "*.yaml"), *whole_files(folder / HISTORY, "*.yaml")):
        with suppress(Problem):
            yield path, parse_record(read_yaml(path), path)
