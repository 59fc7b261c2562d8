"""What consent records say of the people in a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.lineage.records import Step
from stages.consent import Consent, read_consent, require_record
from stages.problems import Problem


@dataclass(frozen=True)
class ConsentSummary:
    """What a consent record says of a person, and what the person is in the step.

    Attributes:
        role: ``source``, ``target`` or ``training``, None where the step is only about their clip.
        standing: ``active``, ``revoked``, ``expired``, or what else is wrong with the record.
        changed: whether the record is another one than when the step was made.
    """

    identity: str
    role: str | None
    id: str | None
    kind: str | None
    standing: str
    changed: bool


def consents(
    folder: Path, step: Step, paths: Sequence[str], changed: Sequence[str], day: date
) -> Iterator[ConsentSummary]:
    """A summary for each record that a step read.

    Args:
        folder: of the records.
        step: which has read them.
        paths: of the records.
        changed: those inputs that are no longer as they were.
        day: on which they must hold.
    """
    for path in paths:
        identity = Path(path).stem
        role, is_changed = _role(step, identity), path in changed
        try:
            record = read_consent(identity, folder)
        except Problem as problem:
            yield ConsentSummary(identity, role, None, None, problem.what, is_changed)
            continue
        yield ConsentSummary(identity, role, record.id, record.kind, _standing(folder, record, day), is_changed)


def _standing(folder: Path, record: Consent, day: date) -> str:
    if record.status != "active":
        return record.status
    if record.term.expires is not None and record.term.expires < day:
        return "expired"
    try:
        require_record(record.identity, today=day, folder=folder)
    except Problem as problem:
        return problem.what
    return "active"


def _role(step: Step, identity: str) -> str | None:
    swap = step.setting("swaps")
    if swap is not None:
        return next((role for role in ("source", "target") if swap[1].get(role) == identity), None)
    return "training" if step.setting("pairs") or step.setting("companions") else None
