"""What differs between the ways of two artifacts, or of one at two revisions: causes first, then what followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any, Final, Literal, get_origin

from flows.lineage.records import Artifact, Records, Step
from flows.lineage.snapshot import Snapshot, git
from flows.lineage.trace import Kind, clip_paths, kind_of
from flows.lineage.tree import flat
from stages.settings import Params

CauseKind = Literal["clip", "consent", "setting", "code", "pack", "file", "command", "step", "chance"]
"""``step``: only one of the two has it. ``chance``: all that is recorded is the same, but what came out is not: another
kind of machine, other packages, or a stage that does not repeat itself."""

ITEMS: Final = frozenset(name for name, field in Params.model_fields.items() if get_origin(field.annotation) is dict)
"""Sections of params.yaml whose second word is an item's name."""


@dataclass(frozen=True)
class Cause:
    """One difference that no other explains.

    Attributes:
        stages: that it reached of itself, the first one first; both addresses where they differ.
        what: a path, the name of a setting.
        one: how it is in the first; None if it is not there.
        other: in the second.
        files: of changed code, as far as git knows them.
    """

    stages: tuple[str, ...]
    kind: CauseKind
    what: str
    one: str | None
    other: str | None
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """One of the two: what was asked for, and the hash of what was made."""

    path: str
    commit: str | None
    md5: str


@dataclass(frozen=True)
class Difference:
    """The two and what differs.

    Attributes:
        causes: in the order in which they came in, so that the first is the root of most.
        followed: stages whose result is another one only because of what they read.
    """

    one: Side
    other: Side
    causes: tuple[Cause, ...]
    followed: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether both are the same bytes."""
        return self.one.md5 == self.other.md5


def difference(one: tuple[str, Snapshot], other: tuple[str, Snapshot]) -> Difference:
    """Compare the ways of two artifacts.

    Args:
        one: path and state of the project that tells of it.
        other: likewise.

    Raises:
        Problem: nothing was made there, or no step has made a path.
    """
    sides, ways, records = [], [], []
    for path, snapshot in (one, other):
        found = Records.of(snapshot)
        records.append(found)
        ways.append(found.upstream(path)[::-1])
        sides.append(Side(path, snapshot.commit, found.output(path).md5))
    clips = clip_paths([step for way in ways for step in way])
    causes: list[Cause] = []
    followed: list[str] = []
    for first, second in _paired(*ways):
        own = list(_causes(first, second, records, clips, (one[1], other[1])))
        causes += own
        if not own and first is not None and second is not None and _hashes(first) != _hashes(second):
            if _all_the_same(first, second):
                causes.append(Cause((_both(first, second),), "chance", "the result", *_first_hashes(first, second)))
            else:
                followed.append(_both(first, second))
    return Difference(sides[0], sides[1], tuple(_joined(causes)), tuple(followed))


def _joined(causes: Sequence[Cause]) -> list[Cause]:
    """What several stages read of themselves is one cause, told where it came in first."""
    found: dict[tuple[str, ...], Cause] = {}
    for cause in causes:
        key = (cause.kind, cause.what, str(cause.one), str(cause.other))
        known = found.get(key)
        found[key] = cause if known is None else replace(known, stages=(*known.stages, *cause.stages))
    return list(found.values())


def _paired(one: Sequence[Step], other: Sequence[Step]) -> Iterator[tuple[Step | None, Step | None]]:
    """Steps that do the same in both, in their order: those of one address, then those of one stage in turn."""
    there = {step.stage: step for step in other}
    left = {stage: step for stage, step in there.items() if all(stage != each.stage for each in one)}
    for step in one:
        match = there.get(step.stage)
        if match is None:
            match = next((each for each in left.values() if _kind(each) == _kind(step)), None)
            if match is not None:
                del left[match.stage]
        yield step, match
    for step in left.values():
        yield None, step


def _causes(
    one: Step | None,
    other: Step | None,
    records: Sequence[Records],
    clips: set[str],
    snapshots: tuple[Snapshot, Snapshot],
) -> Iterator[Cause]:
    if one is None or other is None:
        commands = (one.command if one else None, other.command if other else None)
        yield Cause((_both(one, other),), "step", _both(one, other), *commands)
        return
    stage, renamed = _both(one, other), one.stage != other.stage
    if not renamed and one.command != other.command:
        yield Cause((stage,), "command", "command", one.command, other.command)
    settings, others = _settings(one, renamed), _settings(other, renamed)
    for name in dict.fromkeys((*settings, *others)):
        if settings.get(name) != others.get(name):
            yield Cause((stage,), "setting", name, _said(settings, name), _said(others, name))
    for mine, theirs in _inputs(one, other):
        known = mine or theirs
        assert known is not None
        kind: Kind = kind_of(known, clips, [maker for each in records for maker in each.makers(known.path)])
        if kind == "made" or mine == theirs:
            continue
        what = " / ".join(dict.fromkeys(each.path for each in (mine, theirs) if each is not None))
        files = _files(known.path, *snapshots) if kind == "code" else ()
        yield Cause((stage,), kind, what, mine.md5 if mine else None, theirs.md5 if theirs else None, files)


def _settings(step: Step, renamed: bool) -> dict[str, Any]:
    """Dotted name -> value; where two items are compared, their names are left out."""
    found = {}
    for name, value in flat(step.settings):
        parts = name.split(".")
        if renamed and len(parts) > 1 and parts[0] in ITEMS:
            parts[1] = "*"
        found[".".join(parts)] = value
    return found


def _said(values: dict[str, Any], name: str) -> str | None:
    return str(values[name]) if name in values else None


def _inputs(one: Step, other: Step) -> Iterator[tuple[Artifact | None, Artifact | None]]:
    """Inputs of one path, then those that lie in one folder in turn, then those that only one has."""
    there = {item.path: item for item in other.inputs}
    left = {path: item for path, item in there.items() if all(path != each.path for each in one.inputs)}
    for item in one.inputs:
        match = there.get(item.path)
        if match is None:
            folder = PurePosixPath(item.path).parent
            match = next((each for each in left.values() if PurePosixPath(each.path).parent == folder), None)
            if match is not None:
                del left[match.path]
        yield item, match
    for item in left.values():
        yield None, item


def _files(path: str, one: Snapshot, other: Snapshot) -> tuple[str, ...]:
    """The files of a path that differ between two states; none where both are the same one."""
    commits = [snapshot.commit for snapshot in (one, other) if snapshot.commit is not None]
    if not commits or one.commit == other.commit:
        return ()
    listed = git(one.root, "diff", "--name-only", "--relative", *commits, "--", path) or b""
    return tuple(listed.decode().split("\n")[:-1])


def _all_the_same(one: Step, other: Step) -> bool:
    mine, theirs = ({item.path: item.md5 for item in step.inputs} for step in (one, other))
    return mine == theirs


def _hashes(step: Step) -> list[str]:
    return [output.md5 for output in step.outputs]


def _first_hashes(one: Step, other: Step) -> tuple[str, str]:
    """Of the first output that differs; "none" of one that the other step does not have."""
    return next(pair for pair in zip_longest(_hashes(one), _hashes(other), fillvalue="none") if pair[0] != pair[1])


def _kind(step: Step) -> str:
    return step.stage.partition("@")[0]


def _both(one: Step | None, other: Step | None) -> str:
    return " / ".join(dict.fromkeys(step.stage for step in (one, other) if step is not None))
