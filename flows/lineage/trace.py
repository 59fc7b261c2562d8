"""The way of an artifact: every step that it came from, with all that is known about each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flows.lineage.consents import ConsentSummary, consents
from flows.lineage.history import Code, History
from flows.lineage.records import Artifact, Records, Step, overlap
from flows.lineage.snapshot import Snapshot
from flows.pipeline import opened, stale_at, stale_stages
from stages.consent import FOLDER as CONSENT

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
class TracedStep:
    """A step with all that is known about it now.

    Attributes:
        stale: why DVC would make it again; empty where it is up to date. At a revision: what git has there of its
            inputs, code and settings otherwise than it was made of.
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
        snapshot: the state of the project that tells of it.
        artifact: the recorded output that it is, or that it is part of.
        md5: its own hash as recorded, None where only that of its folder is known.
        state: whether what lies there now is what was recorded (at the revision, if one was asked for).
        steps: the steps that it came from, the last one first.
        measured_by: steps with metrics that use it.
    """

    path: str
    snapshot: Snapshot
    artifact: Artifact
    md5: str | None
    state: State
    steps: tuple[TracedStep, ...]
    measured_by: tuple[TracedStep, ...]


def trace(root: Path, path: str, snapshot: Snapshot | None = None) -> Trace:
    """Follow a path back to where it came from.

    Args:
        root: the repository's folder.
        path: an output, or a file in one, from the repository's folder.
        snapshot: the state of the project that is asked; without one, the working tree.

    Raises:
        Problem: nothing was made yet, or no step has made the path.
    """
    snapshot = snapshot or Snapshot(root)
    records = Records.of(snapshot)
    steps = records.upstream(path)
    artifact = records.output(path)
    stages = {step.stage for step in steps}
    measuring = [records.steps[user] for user in records.users(path) if user not in stages]
    measuring = [step for step in measuring if any(_is_metrics(output) for output in step.outputs)]
    traced = _traced(snapshot, records, [*steps, *measuring])
    md5, state = _state(root, path, artifact)
    return Trace(path, snapshot, artifact, md5, state, tuple(traced[: len(steps)]), tuple(traced[len(steps) :]))


def changed_paths(reasons: Sequence[str]) -> list[str]:
    """The paths that are no longer as recorded, from reasons such as ``deps stages/video.py modified``."""
    return [match[1] for reason in reasons if (match := CHANGED.match(reason))]


def _traced(snapshot: Snapshot, records: Records, steps: Sequence[Step]) -> list[TracedStep]:
    addresses = [step.stage for step in steps]
    if snapshot.commit is None:
        stale = stale_stages(snapshot.root, addresses)
    else:
        stale = stale_at(snapshot.root, addresses, snapshot.commit)
    history, day = History(snapshot), snapshot.day
    clips = clip_paths(steps)
    traced = []
    with snapshot.folder(CONSENT.as_posix()) as folder:
        for step in steps:
            reasons = stale.get(step.stage, [])
            changed = changed_paths(reasons)
            inputs = tuple(
                Input(item, kind_of(item, clips, made := tuple(records.makers(item.path))), made)
                for item in step.inputs
            )
            paths = {kind: [item.artifact.path for item in inputs if item.kind == kind] for kind in ("code", "consent")}
            first = step.outputs[0].md5 if step.outputs else ""
            traced.append(
                TracedStep(
                    step,
                    inputs,
                    tuple(reasons),
                    history.code(paths["code"], first, changed),
                    tuple(consents(folder, step, paths["consent"], changed, day)),
                    _metrics(snapshot, step),
                )
            )
    return traced


def clip_paths(steps: Sequence[Step]) -> set[str]:
    """The files and folders that the steps' settings name as clips."""
    return {
        value["path"]
        for step in steps
        for values in step.settings.values()
        for key, value in values.items()
        if key.startswith("clips.") and isinstance(value, dict) and "path" in value
    }


def kind_of(item: Artifact, clips: set[str], made_by: Sequence[str]) -> Kind:
    """What an input is.

    Args:
        item: the input.
        clips: paths of clips.
        made_by: the steps that wrote it.
    """
    if item.path in clips:
        return "clip"
    if made_by:
        return "made"
    if overlap(item.path, CONSENT.as_posix()):
        return "consent"
    if overlap(item.path, PACKS):
        return "pack"
    return "code" if overlap(item.path, CODE) or item.path.endswith((".py", ".sh")) else "file"


def _is_metrics(output: Artifact) -> bool:
    return Path(output.path).name == METRICS


def _metrics(snapshot: Snapshot, step: Step) -> dict[str, Any] | None:
    for output in step.outputs:
        if not _is_metrics(output):
            continue
        content = snapshot.read(output.path)
        if content is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() == output.md5:
            values: dict[str, Any] = json.loads(content)
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
    now = Records.read(root)
    made = [step for step in now.steps.values() if artifact in step.outputs]
    stale = [changed_paths(reasons) for reasons in stale_stages(root, [step.stage for step in made]).values()]
    return recorded, "as recorded" if made and not any(artifact.path in paths for paths in stale) else "changed"


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
