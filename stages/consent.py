"""Consent as data: no stage touches a person's footage without a record that allows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from stages.problems import Problem

FOLDER = Path("data/consent")

Role = Literal["source", "target", "training"]
"""What a person's footage is used for: their likeness put on, their performance kept, a model trained."""


class Consent(BaseModel):
    """One person's consent, as ``data/consent/<identity>.yaml`` holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    id: str
    """of this record, unique"""
    identity: str
    """the identity in params.yaml that it is about"""
    kind: Literal["person", "synthetic"]
    """"synthetic": a rendered performer, nobody's likeness"""
    adult: Literal[True]
    """the person has attested to be an adult; there is no consent without"""
    controller: str
    """who is answerable for the use"""
    purpose: str
    """in plain words"""
    roles: tuple[Role, ...]
    given: date
    expires: date | None = None
    status: Literal["active", "revoked"] = "active"
    evidence: str | None = None
    """where the signed document is kept; required of a person"""


def consent_path(identity: str) -> Path:
    """Where the record of an identity lies."""
    return FOLDER / f"{identity}.yaml"


def read_consent(identity: str, folder: Path = FOLDER) -> Consent:
    """The record of an identity, whatever it allows.

    Raises:
        Problem: there is none, or it is not well formed.
    """
    path = folder / f"{identity}.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        record = Consent.model_validate(raw)
    except FileNotFoundError:
        raise Problem(
            f"there is no consent record for '{identity}'",
            where=path,
            mend="have the person sign one and put it there; README.md, 'Consent', shows what it says",
        ) from None
    except yaml.YAMLError as error:
        raise Problem(
            f"it is no YAML: {error}", where=path, mend="mend the file; README.md shows an example"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the record"
        raise Problem(
            f"{field}: {first['msg']}", where=path, mend="mend that field; README.md shows an example"
        ) from error
    if record.identity != identity:
        raise Problem(
            f"identity: it is about '{record.identity}', not '{identity}'",
            where=path,
            mend="file it under the right name",
        )
    if record.kind == "person" and not record.evidence:
        raise Problem("evidence: a person's record must say where it is kept", where=path, mend="fill the field in")
    return record


def require_consent(identity: str, role: Role, *, today: date | None = None, folder: Path = FOLDER) -> Consent:
    """The record of an identity, if it allows ``role`` today.

    Raises:
        Problem: no record, or it is revoked, expired, not yet given, or does not allow the role.
    """
    record = read_consent(identity, folder)
    path = folder / f"{identity}.yaml"
    day = today or date.today()
    if record.status == "revoked":
        raise Problem("status: the consent was withdrawn", where=path, mend=f"remove '{identity}' from params.yaml")
    if record.given > day:
        raise Problem(f"given: it starts on {record.given}", where=path, mend="wait, or have it signed anew")
    if record.expires is not None and record.expires < day:
        raise Problem(f"expires: it ended on {record.expires}", where=path, mend="have it renewed")
    if role not in record.roles:
        raise Problem(
            f"roles: it does not allow '{role}', only {', '.join(record.roles)}",
            where=path,
            mend="ask for that role",
        )
    return record
