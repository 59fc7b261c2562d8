"""Where DVC keeps objects and its run cache: the machine's cache and every remote, through DVC's own file systems."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from dvc_data.hashfile.db import get_index
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError

from stages.progress import bar

log = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""Objects in one request to delete; S3 takes up to 1,000."""

RUNS: Final = "runs"
FOLDER: Final = ".dir"
"""How the hash of a folder ends: the object is a list of its files."""

_PREFIX: Final = re.compile(r"^[0-9a-f]{2}$")


@dataclass(frozen=True)
class Store:
    """One place with objects.

    Attributes:
        name: for people.
        databases: DVC's object databases in it; that of DVC 2 only where it has anything.
        runs_folder: where the run cache lies.
        remote: whether it is one.
    """

    name: str
    databases: list[Any]
    runs_folder: str
    remote: bool

    @property
    def _files(self) -> Any:
        return self.databases[0].fs

    def present(self, wanted: Set[str]) -> set[str]:
        """Those of the hashes whose objects lie here."""
        return {oid for database in self.databases for oid in self._in(database, wanted)}

    def _in(self, database: Any, wanted: Set[str]) -> set[str]:
        if not wanted or not self._files.exists(database.path):
            return set()
        # The machine's own cache is listed: DVC's question there would hash objects anew, and remove damaged ones.
        return set(database.oids_exist(wanted)) if self.remote else set(database.all()).intersection(wanted)

    def everything(self) -> set[str]:
        """The hashes of all objects that lie here."""
        return {oid for base in self.databases if self._files.exists(base.path) for oid in base.all()}

    def listing(self, oid: str) -> list[str] | None:
        """The hashes of a folder's files; None if the list does not lie here, or is damaged."""
        for database in self.databases:
            try:
                tree = Tree.load(database, HashInfo(database.hash_name, oid))
            except (FileNotFoundError, ObjectFormatError):
                continue
            return [info.value for _, _, info in tree if info is not None and info.value]
        return None

    def remove(self, oids: Sequence[str]) -> None:
        """Remove objects, files before the lists that name them, so that a run that is cut off can be taken up."""
        with bar(total=len(oids), what=f"removing from {self.name}", unit="object") as shown:
            for part in (
                [oid for oid in oids if not oid.endswith(FOLDER)],
                [oid for oid in oids if oid.endswith(FOLDER)],
            ):
                for some in _some(part):
                    for database in self.databases:
                        here = [database.oid_to_path(oid) for oid in some]
                        there = self._files.exists(here)
                        if found := [path for path, is_there in zip(here, there, strict=True) if is_there]:
                            self._files.remove(found)
                    shown.update(len(some))
        if self.remote and oids:
            for database in self.databases:
                get_index(database).clear()  # DVC's notes about which folders a remote has whole

    def runs(self) -> dict[str, str]:
        """Name of each entry of the run cache, which is a hash of what it says -> its path."""
        if not self._files.exists(self.runs_folder):
            return {}
        return {self._files.name(path): path for path in self._files.find(self.runs_folder)}

    def read_runs(self, paths: Sequence[str]) -> Iterator[bytes]:
        """The entries at these paths."""
        for path in paths:
            with self._files.open(path, "rb") as stream:
                yield stream.read()

    def remove_runs(self, paths: Sequence[str]) -> None:
        """Remove entries of the run cache."""
        for some in _some(paths):
            self._files.remove(list(some))


@dataclass(frozen=True)
class Stores:
    """All places.

    Attributes:
        reached: those that can be looked into, the machine's cache first.
        unreached: name of each of the others -> why not.
    """

    reached: list[Store]
    unreached: dict[str, str]

    @classmethod
    def of(cls, repo: Any) -> Stores:
        """The cache and all remotes of an opened DVC repository."""
        own = [database for database in (repo.cache.local, repo.cache.legacy) if database is not None]
        reached = [_store("DVC's cache", own, remote=False)] if own else []
        unreached: dict[str, str] = {}
        for name in repo.config["remote"]:
            told = f"remote '{name}'"
            try:
                remote = repo.cloud.get_remote(name)
                if remote.fs.version_aware or remote.worktree:
                    unreached[told] = (
                        "it keeps versions of files instead of objects; remove its copies with its own tools"
                    )
                    continue
                store = _store(told, [remote.odb, remote.legacy_odb], remote=True)
                store.runs()  # so that a remote that can not be reached is known before anything is removed
            except Exception as error:  # each kind of storage raises its own
                unreached[told] = str(error) or type(error).__name__
                continue
            reached.append(store)
        return cls(reached, unreached)

    def listing(self, oid: str) -> list[str]:
        """The hashes of a folder's files, from the first place that has the list; empty where none has."""
        return next((found for store in self.reached if (found := store.listing(oid)) is not None), [])

    def hash_of_folder(self, content: dict[str, str]) -> str | None:
        """DVC's hash of a folder of files and folders with these hashes; None if the list of one of them is nowhere."""
        whole: Any = Tree()  # type: ignore[no-untyped-call]
        for path, oid in content.items():
            if not oid:
                return None
            if not oid.endswith(FOLDER):
                whole.add(tuple(path.split("/")), None, HashInfo("md5", oid))
                continue
            tree = self.tree(oid)
            if tree is None:
                return None
            for key, meta, info in tree:
                whole.add((*path.split("/"), *key), meta, info)
        whole.digest()
        value: str | None = whole.oid
        return value

    def tree(self, oid: str) -> Any:
        """The list of a folder's files as DVC has it, from the first place that has it whole; None where none has."""
        for store in self.reached:
            for database in store.databases:
                try:
                    return Tree.load(database, HashInfo(database.hash_name, oid))
                except (FileNotFoundError, ObjectFormatError):
                    continue
        return None


def _some(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _store(name: str, databases: list[Any], *, remote: bool) -> Store:
    """A place whose databases are those of DVC 3 and of DVC 2, which lies at its root."""
    current, old = databases
    files = current.fs
    names = [files.name(path) for path in files.ls(old.path, detail=False)] if files.exists(old.path) else []
    used = [current, old] if any(_PREFIX.match(each) for each in names) else [current]
    return Store(name, used, files.join(old.path, RUNS), remote)
