"""Which steps worked on a person, or on what came from one, and what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from flows.lineage.records import Records, Step
from flows.withdrawal.recorded import Recorded, key_of
from stages.consent import FOLDER, consent_path

FolderHash = Callable[[dict[str, str]], str | None]
"""(relative path -> hash of a file or folder) -> DVC's hash of a folder with all of that; None if that is unknown."""


@dataclass(frozen=True)
class Kinship:
    """The steps of a person, and all others.

    Attributes:
        own: steps that read the person's record or clip, or what such a step wrote.
        others: the rest.
    """

    own: list[Step]
    others: list[Step]

    @cached_property
    def _own(self) -> set[str]:
        return {key_of(step) for step in self.own}

    def has(self, step: Step) -> bool:
        """Whether a step is among the person's own."""
        return key_of(step) in self._own

    @classmethod
    def of(cls, identity: str, recorded: Recorded, hash_of_folder: FolderHash) -> Kinship:
        """Tell the steps apart.

        A step names what it read by path and hash, so it is followed to the very version that it read. Where nobody
        wrote down who made that version, the path decides; a folder that other steps' outputs alone make up, hash for
        hash, is theirs: a model that was trained anew after a companion had left is not the companion's.
        """
        own = [step for step in recorded.steps if _is_about(step, identity)]
        rest = [step for step in recorded.steps if not _is_about(step, identity)]
        while True:
            told = _Told(own, rest, recorded.snapshots, hash_of_folder)
            reached = [step for step in rest if any(told.is_own(item.path, item.md5) for item in step.inputs)]
            if not reached:
                return cls(own, rest)
            own += reached
            known = set(map(id, reached))
            rest = [step for step in rest if id(step) not in known]


def _is_about(step: Step, identity: str) -> bool:
    """Whether a step reads the person's consent record, or works on a clip of the person."""
    record = consent_path(identity, FOLDER).as_posix()
    if any(item.path == record for item in step.inputs):
        return True
    _, _, item = step.stage.partition("@")
    for values in step.settings.values():
        clips = [clip for key, clip in values.items() if key.startswith("clips.")]
        clips += [(values.get("clips") or {}).get(item)]  # a step that depends on all clips is about its own
        if any(isinstance(clip, dict) and clip.get("identity") == identity for clip in clips):
            return True
    return False


@dataclass
class _Told:
    """Answers whether a path with a hash came from the person, in steps that do not grow with the number of steps."""

    own: list[Step]
    others: list[Step]
    snapshots: list[Records]
    hash_of_folder: FolderHash
    _own: set[tuple[str, str]] = field(init=False)
    _others: set[tuple[str, str]] = field(init=False)
    _paths: set[str] = field(init=False)
    _other_paths: set[str] = field(init=False)
    _above: set[str] = field(init=False)
    _others_folders: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._own = {(output.path, output.md5) for step in self.own for output in step.outputs}
        self._others = {(output.path, output.md5) for step in self.others for output in step.outputs}
        self._paths = {path for path, _ in self._own}
        self._other_paths = {path for path, _ in self._others}
        self._above = {parent for path in self._paths for parent in _parents(path)}
        self._others_folders = set(self._folders_of_others())

    def is_own(self, path: str, md5: str) -> bool:
        if (path, md5) in self._own:
            return True
        if (path, md5) in self._others:
            return False
        if any(each in self._paths and each not in self._other_paths for each in (path, *_parents(path))):
            return True
        return path in self._above and (path, md5) not in self._others_folders

    def _folders_of_others(self) -> Iterator[tuple[str, str]]:
        """(path, hash) of folders above the person's outputs, as they are with other steps' outputs alone."""
        wanted = {item.path for step in self.others for item in step.inputs if item.path in self._above}
        if not wanted:
            return
        own = {output for step in self.own for output in step.outputs}
        for records in self.snapshots:
            inside: dict[str, dict[str, str]] = {}
            for step in records.steps.values():
                for output in step.outputs:
                    for parent in _parents(output.path):
                        if parent in wanted and output not in own:
                            inside.setdefault(parent, {})[_within(output.path, parent)] = output.md5
            for folder, content in inside.items():
                made = self.hash_of_folder(content)
                if made is not None:
                    yield folder, made


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path).parents if str(parent) != "."]


def _within(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/")


def hashes_of(steps: Iterable[Step]) -> dict[str, str]:
    """Hash of each output that steps wrote -> the stage that did, without its item."""
    return {output.md5: step.stage.partition("@")[0] for step in steps for output in step.outputs if output.md5}
