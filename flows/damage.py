"""Results that were damaged where they lie: found, and removed from DVC's cache, so that they are made or fetched anew.

With links between the two, a result and the object in DVC's cache are one file. DVC takes an object that is protected
from writing for whole without looking: it would put a damaged one back, and call it up to date from then on.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvc_data.hashfile.db import HashFileDB
from dvc_data.hashfile.hash import hash_file
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError


def distrust(stages: Iterable[Any]) -> None:
    """Remove the objects of some stages' results from the cache that are not what their names say.

    DVC's memory of hashes is asked first, by time and size of the file; so only what changed since is read.

    Args:
        stages: DVC's, of a repository that is open.
    """
    for stage in stages:
        for out in stage.outs:
            if out.use_cache and out.hash_info:
                for oid in list(_objects(out)):
                    _look_at(out.cache, oid)


def removed(repo: Any, reason: str) -> list[str]:
    """Remove the results, here and in the cache, that a stage could not read, if they are not as recorded.

    Every byte of them is read, whatever DVC remembers: a disk can lose bits without anybody having written.

    Args:
        repo: DVC's repository, open.
        reason: what the stage said.

    Returns:
        Their paths, from the repository's folder.
    """
    root = Path(repo.root_dir)
    place, gone = (root / reason.partition(": ")[0]).absolute(), []
    for stage in repo.index.stages:
        for out in stage.outs:
            whole = Path(out.fs_path)
            if out.use_cache and out.hash_info and place.is_relative_to(whole) and _drop_if_damaged(out, whole):
                gone.append(whole.relative_to(root).as_posix())
    return gone


def _drop_if_damaged(out: Any, place: Path) -> bool:
    recorded = {Path(out.cache.oid_to_path(oid)): oid for oid in _objects(out)}
    damaged = [file for file, oid in recorded.items() if _is_other(out, file, oid)]
    here = any(_is_other(out, place / relative, oid) for relative, oid in _files(out))
    for file in damaged:
        file.unlink()
    if here or damaged:
        with suppress(FileNotFoundError):
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    return here or bool(damaged)


def _is_other(out: Any, file: Path, oid: str) -> bool:
    """Whether a file is there and is not what its hash says."""
    if not file.is_file():
        return False
    _, found = hash_file(str(file), out.fs, out.hash_name)
    return bool(found.value != oid.removesuffix(".dir"))


def _objects(out: Any) -> Iterator[str]:
    """The hashes of all objects of a result: its files', and that of a folder's list."""
    if out.hash_info.isdir:
        yield out.hash_info.value
    yield from (oid for _, oid in _files(out))


def _files(out: Any) -> Iterator[tuple[str, str]]:
    """(path within the result, hash) of its files, as recorded; none where the cache lacks a folder's list."""
    if not out.hash_info.isdir:
        yield "", out.hash_info.value
        return
    with suppress(FileNotFoundError, ObjectFormatError):
        tree = Tree.load(out.cache, HashInfo(out.hash_info.name, out.hash_info.value))
        yield from (("/".join(key), info.value) for key, _, info in tree if info is not None and info.value)


def _look_at(cache: Any, oid: str) -> None:
    """DVC's own look at an object, without its trust in protected ones; it removes what is damaged."""
    with suppress(FileNotFoundError, ObjectFormatError):
        HashFileDB.check(cache, oid)
