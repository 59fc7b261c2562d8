"""What it takes to make an artifact again in an empty clone: a revision, inputs and where each is had, a command."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from flows.addresses import without_secrets
from flows.lineage.records import LOCK, Artifact, Records, Step
from flows.lineage.snapshot import Snapshot, git
from flows.lineage.trace import Kind, Trace
from flows.pipeline import opened, stale_at

Source = Literal["git", "dvc", "elsewhere"]
"""``git``: it comes with the clone. ``dvc``: `dvc pull` brings it. ``elsewhere``: it must be put there by hand."""

PINS = "requirements.lock"


@dataclass(frozen=True)
class Needed:
    """An input that no step of the way makes.

    Attributes:
        artifact: path, hash and size that it must have.
    """

    artifact: Artifact
    kind: Kind
    source: Source


@dataclass(frozen=True)
class Rebuild:
    """How to make an artifact again.

    Attributes:
        repository: addresses that git knows of it; empty where it was never pushed.
        folder: of the project within the git repository, ending in a slash; empty where it is the top folder.
        revision: the commit to check out; None if none has all that it was made of.
        why_not: what there is otherwise, and may keep it from giving the same bytes; empty where nothing does.
        python: the version that tells this.
        pins: the file of packages at the revision; None where there is none.
        remotes: DVC's, name -> address.
        needed: inputs from outside of the pipeline.
        stages: in the order in which they run.
        commands: for a shell, after the repository was cloned and entered, and what is had elsewhere was put there.
        expect: what must come out.
    """

    repository: tuple[str, ...]
    folder: str
    revision: str | None
    why_not: tuple[str, ...]
    python: str
    pins: str | None
    remotes: dict[str, str]
    needed: tuple[Needed, ...]
    stages: tuple[str, ...]
    commands: tuple[str, ...]
    expect: tuple[Artifact, ...]


def rebuild(trace: Trace) -> Rebuild:
    """How to make what was traced again.

    The revision is the one that was asked for, else that of the checkout if all is as it was made of, else the commit
    in which dvc.lock got the result.
    """
    root = trace.snapshot.root
    steps = [traced.step for traced in trace.steps]
    made = [step for step in steps if trace.artifact in step.outputs]
    snapshot, why_not = _revision(trace, steps)
    with opened(root) as repo:
        remotes = {name: without_secrets(str(options["url"])) for name, options in repo.config["remote"].items()}
    needed = tuple(_needed(trace, snapshot))
    targets = [step.stage for step in made]
    pulled = [item.artifact.path for item in needed if item.source == "dvc"]
    commands = [f"git checkout {snapshot.commit}"] if snapshot.commit else []
    commands += [f"dvc pull {' '.join(pulled)}"] if pulled else []
    return Rebuild(
        tuple(_addresses(snapshot)),
        snapshot.prefix,
        snapshot.commit,
        tuple(why_not),
        platform.python_version(),
        PINS if snapshot.read(PINS) is not None else None,
        remotes,
        needed,
        tuple(step.stage for step in reversed(steps)),
        (*commands, f"dvc repro {' '.join(targets)}"),
        tuple(output for step in made for output in step.outputs),
    )


def _revision(trace: Trace, steps: list[Step]) -> tuple[Snapshot, list[str]]:
    """The state of the project to start from, and what of it is otherwise than it was."""
    root, code = trace.snapshot.root, trace.steps[0].code
    asked = trace.snapshot.commit
    candidates = [asked] if asked is not None else [code.revision, code.recorded]
    found: list[tuple[Snapshot, list[str]]] = []
    for commit in candidates:
        if commit is not None and all(commit != snapshot.commit for snapshot, _ in found):
            found.append((Snapshot(root, commit), _differences(root, steps, commit)))
            if not found[-1][1]:
                return found[-1]
    return found[0] if found else (Snapshot(root), ["git has no revision of it"])


def _differences(root: Path, steps: list[Step], commit: str) -> list[str]:
    """What of a revision is not what the steps were made of: code, settings, files, or the steps themselves."""
    stale = stale_at(root, [step.stage for step in steps], commit)
    told = [f"{stage}: {reason}" for stage, reasons in stale.items() for reason in reasons]
    at = Snapshot(root, commit)
    lock = at.read(LOCK)
    there = Records.parse(lock).steps if lock is not None else {}
    told += [f"{step.stage}: dvc.lock has another result of it" for step in steps if there.get(step.stage) != step]
    return told


def _needed(trace: Trace, snapshot: Snapshot) -> Iterator[Needed]:
    """The inputs from outside, each once."""
    seen: set[str] = set()
    for traced in trace.steps:
        for item in traced.inputs:
            path = item.artifact.path
            if path not in seen and not item.made_by:
                seen.add(path)
                yield Needed(item.artifact, item.kind, _source(path, snapshot))


def _source(path: str, snapshot: Snapshot) -> Source:
    if snapshot.tracks(path):
        return "git"
    part = PurePosixPath(path)
    tracked = (str(each) + ".dvc" for each in (part, *part.parents) if each.name)
    return "dvc" if any(snapshot.read(file) is not None for file in tracked) else "elsewhere"


def _addresses(snapshot: Snapshot) -> Iterator[str]:
    names = (git(snapshot.root, "remote") or b"").decode().split()
    for name in names:
        yield without_secrets((git(snapshot.root, "remote", "get-url", name) or b"").decode().strip())


def rebuild_document(found: Rebuild) -> dict[str, Any]:
    """For machines."""
    return asdict(found) | {"exact": found.revision is not None and not found.why_not}
