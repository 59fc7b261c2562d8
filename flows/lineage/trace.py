"""The way of an artifact: every step that it came from, with all that is known about each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from flows.lineage.history import Code, History
from flows.lineage.records import Artifact, Records, Step, overlap
from flows.pipeline import opened, stale_stages
from stages.consent import FOLDER as CONSENT
from stages.consent import Consent, read_consent, require_record
from stages.problems import Problem

Kind = Literal["code", "consent", "clip", "pack", "made", "file"]
"""What an input is: code, a consent record, a clip's file, a pack of networks, what a step made, any other file."""

State = Literal["as recorded", "changed", "not there"]

CHANGED = re.compile(r"(?:deps|outs) (.+) (?:modified|deleted)$")
CODE = "stages"
PACKS = "data/packs"
METRICS = "metrics.json"


@dataclass(frozen=True)
class Input:
    """Something that a step read, and the steps that made it, if any did."""

    artifact: Artifact
    kind: Kind
    made_by: tuple[str, ...]


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


@dataclass(frozen=True)
class TracedStep:
    """A step with all that is known about it now.

    Attributes:
        stale: why DVC would make it again; empty where it is up to date.
        metrics: its metrics file; None without one, or where that is not the recorded one.
    """

    step: Step
    inputs: tuple[Input, ...]
    stale: tuple[str, ...]
    code: Code
    consents: tuple[ConsentSummary, ...]
    metrics: dict[str, Any] | None


@dataclass(frozen=True)
class Trace:
    """An artifact and its way.

    Attributes:
        path: what was asked for, from the repository's folder.
        artifact: the recorded output that it is, or that it is part of.
        md5: its own hash as recorded, None where only that of its folder is known.
        state: whether what lies there now is what was recorded.
        steps: the steps that it came from, the last one first.
        measured_by: steps with metrics that use it.
    """

    path: str
    artifact: Artifact
    md5: str | None
    state: State
    steps: tuple[TracedStep, ...]
    measured_by: tuple[TracedStep, ...]


def trace(root: Path, path: str) -> Trace:
    """Follow a path back to where it came from.

    Args:
        root: the repository's folder.
        path: an output, or a file in one, from the repository's folder.

    Raises:
        Problem: nothing was made yet, or no step has made the path.
    """
    records = Records.read(root)
    steps = records.upstream(path)
    artifact = records.output(path)
    stages = {step.stage for step in steps}
    measuring = [records.steps[user] for user in records.users(path) if user not in stages]
    measuring = [step for step in measuring if any(_is_metrics(output) for output in step.outputs)]
    traced = _traced(root, records, [*steps, *measuring])
    md5, state = _state(root, path, artifact)
    return Trace(path, artifact, md5, state, tuple(traced[: len(steps)]), tuple(traced[len(steps) :]))


def changed_paths(reasons: Sequence[str]) -> list[str]:
    """The paths that are no longer as recorded, from reasons such as ``deps stages/video.py modified``."""
    return [match[1] for reason in reasons if (match := CHANGED.match(reason))]


def _traced(root: Path, records: Records, steps: Sequence[Step]) -> list[TracedStep]:
    stale = stale_stages(root, [step.stage for step in steps])
    history = History(root)
    clips = {
        value["path"]
        for step in steps
        for values in step.settings.values()
        for key, value in values.items()
        if key.startswith("clips.") and isinstance(value, dict) and "path" in value
    }
    traced = []
    for step in steps:
        reasons = stale.get(step.stage, [])
        changed = changed_paths(reasons)
        inputs = tuple(
            Input(item, _kind(item, clips, made := tuple(records.makers(item.path))), made) for item in step.inputs
        )
        code = [item.artifact.path for item in inputs if item.kind == "code"]
        first = step.outputs[0].md5 if step.outputs else ""
        traced.append(
            TracedStep(
                step,
                inputs,
                tuple(reasons),
                history.code(code, first, changed),
                tuple(_consents(root, step, inputs, changed)),
                _metrics(root, step),
            )
        )
    return traced


def _kind(item: Artifact, clips: set[str], made_by: Sequence[str]) -> Kind:
    if item.path in clips:
        return "clip"
    if made_by:
        return "made"
    if overlap(item.path, CONSENT.as_posix()):
        return "consent"
    if overlap(item.path, PACKS):
        return "pack"
    return "code" if overlap(item.path, CODE) or item.path.endswith((".py", ".sh")) else "file"


def _consents(root: Path, step: Step, inputs: Sequence[Input], changed: Sequence[str]) -> Iterator[ConsentSummary]:
    for item in inputs:
        if item.kind != "consent":
            continue
        path = item.artifact.path
        identity = Path(path).stem
        role, is_changed = _role(step, identity), path in changed
        try:
            record = read_consent(identity, root / CONSENT)
        except Problem as problem:
            yield ConsentSummary(identity, role, None, None, problem.what, is_changed)
            continue
        yield ConsentSummary(identity, role, record.id, record.kind, _standing(root, record), is_changed)


def _standing(root: Path, record: Consent) -> str:
    if record.status != "active":
        return record.status
    if record.term.expires is not None and record.term.expires < date.today():
        return "expired"
    try:
        require_record(record.identity, folder=root / CONSENT)
    except Problem as problem:
        return problem.what
    return "active"


def _role(step: Step, identity: str) -> str | None:
    swap = step.setting("swaps")
    if swap is not None:
        return next((role for role in ("source", "target") if swap[1].get(role) == identity), None)
    return "training" if step.setting("pairs") or step.setting("companions") else None


def _is_metrics(output: Artifact) -> bool:
    return Path(output.path).name == METRICS


def _metrics(root: Path, step: Step) -> dict[str, Any] | None:
    for output in step.outputs:
        file = root / output.path
        if _is_metrics(output) and file.is_file() and md5_of(file) == output.md5:
            values: dict[str, Any] = json.loads(file.read_text())
            return values
    return None


def _state(root: Path, path: str, artifact: Artifact) -> tuple[str | None, State]:
    """The recorded hash of the path itself, and how it compares with what is there."""
    place = root / path
    if artifact.files is None:
        recorded: str | None = artifact.md5
    else:
        recorded = artifact.md5 if path == artifact.path else _listed(root, artifact).get(_within(path, artifact))
    if not place.exists():
        return recorded, "not there"
    if place.is_file() and recorded is not None:
        return recorded, "as recorded" if md5_of(place) == recorded else "changed"
    maker = Records.read(root).makers(path)
    stale = [changed_paths(reasons) for reasons in stale_stages(root, maker).values()]
    return recorded, "changed" if any(artifact.path in paths for paths in stale) else "as recorded"


def _within(path: str, artifact: Artifact) -> str:
    return path.removeprefix(f"{artifact.path}/")


def _listed(root: Path, folder: Artifact) -> dict[str, str]:
    """Relative path -> md5 of the files of a recorded folder; empty where DVC's cache does not hold its list."""
    with opened(root) as repo:
        listing = Path(repo.cache.local.oid_to_path(folder.md5))
    if not listing.is_file():
        return {}
    return {entry["relpath"]: entry["md5"] for entry in json.loads(listing.read_text())}


def md5_of(file: Path) -> str:
    """DVC's hash of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
