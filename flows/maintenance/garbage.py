"""Drops from DVC's cache what nothing that anybody may still want names."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dvc.repo import Repo
from dvc_data.hashfile.gc import gc as collect_objects
from dvc_data.hashfile.hash import file_md5

from flows.pipeline import opened
from flows.withdrawal.stores import FOLDER
from stages.problems import Problem


@dataclass(frozen=True)
class Garbage:
    """What of the cache nothing needs.

    Attributes:
        objects: how many objects there are of it.
        size: their bytes.
        kept: how many objects stay.
        removed: whether it was removed, or only counted.
    """

    objects: int
    size: int
    kept: int
    removed: bool


def collect(root: Path, since: date, *, remove: bool, projects: Sequence[Path] = ()) -> Garbage:
    """Count, and if asked remove, the objects of the cache that nothing needs.

    Needed is what these name: the working trees (of all worktrees of git here), the last commit of each branch, every
    tag, every experiment of DVC, and every commit since a day. No remote is touched.

    Args:
        root: the repository's folder.
        since: the day.
        remove: whether to remove them.
        projects: folders of other DVC repositories that use the same cache.

    Raises:
        Problem: others may use the cache and none of them is named; a commit or the list of a folder can not be read,
            so that what it needs is not known.
    """
    with opened(root) as repo, ExitStack() as stack:
        _require_own(repo, root, projects)
        homes = {each.resolve() for each in (*_worktrees(root), *projects)} - {root.resolve()}
        others = [stack.enter_context(Repo(str(home), _wait_for_lock=True)) for home in homes]
        repos = sorted((repo, *others), key=lambda each: str(each.root_dir))
        for each in repos:  # in the same order from wherever, so that two runs do not wait for one another
            stack.enter_context(each.lock)
        used = [info for each in repos for info in _used(each, since)]
        databases = [database for database in (repo.cache.local, repo.cache.legacy) if database is not None]
        there = [set(base.all()) if base.fs.exists(base.path) else set() for base in databases]
        for database, oids in zip(databases, there, strict=True):
            _require_sound_lists(database, oids)
        objects = size = kept = 0
        for database, oids in zip(databases, there, strict=True):
            needed = {info.value for info in used if info.name == database.hash_name}
            unneeded = oids - needed
            objects, kept = objects + len(unneeded), kept + len(oids & needed)
            size += sum(database.fs.size(database.oid_to_path(oid)) or 0 for oid in unneeded)
            if remove and unneeded:
                collect_objects(database, used)
        if remove and objects:
            repo.drop_data_index()
    return Garbage(objects, size, kept, remove)


def _require_sound_lists(database: Any, oids: set[str]) -> None:
    """What a folder's list names is needed; DVC takes a list that it can not read for one that names nothing."""
    for oid in sorted(oids):
        if not oid.endswith(FOLDER):
            continue
        path = database.oid_to_path(oid)
        if file_md5(path, database.fs, name=database.hash_name) != oid.removesuffix(FOLDER):
            raise Problem(
                "the list of a folder is corrupt, so what it needs is not known; nothing was removed",
                where=path,
                mend="`likeness maintain --remove-corrupt`, then run what makes it",
            )


def _used(repo: Any, since: date) -> Iterator[Any]:
    """The hashes that are needed.

    The list of a folder that lies nowhere any more is no hindrance (``force``): DVC can do nothing with files of which
    only it tells.
    """
    history: dict[str, Any] = {}
    if not repo.config["core"].get("no_scm"):
        history = {
            "all_branches": True,
            "all_tags": True,
            "all_experiments": True,
            "commit_date": since.isoformat(),
        }
    found: dict[Any, set[Any]] = defaultdict(set)
    found |= repo.used_objs(force=True, **history)
    for infos in found.values():
        yield from infos


def _require_own(repo: Any, root: Path, projects: Sequence[Path]) -> None:
    """A cache outside of the project is one that others use, too."""
    place = Path(repo.cache.local.path).resolve()
    homes = [each.resolve() for each in (root, *_worktrees(root), *projects)]
    if not projects and not any(place.is_relative_to(home) for home in homes):
        raise Problem(
            "DVC's cache lies outside of this project: others may use it, and nothing tells here what they need",
            where=place,
            mend="name all projects that use it, this one among them if it is the only one",
        )


def _worktrees(root: Path) -> list[Path]:
    """This project in the other working trees of the same git repository, which often share a cache."""
    told = [_git(root, "worktree", "list", "--porcelain"), _git(root, "rev-parse", "--show-prefix")]
    lines, prefix = told[0].splitlines(), told[1].strip()  # of a project in a folder of its repository
    listed = [Path(line.removeprefix("worktree ")) / prefix for line in lines if line.startswith("worktree ")]
    return [each for each in listed if each.resolve() != root.resolve() and (each / ".dvc").is_dir()]


def _git(root: Path, *arguments: str) -> str:
    """What git says; nothing where there is no git."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
