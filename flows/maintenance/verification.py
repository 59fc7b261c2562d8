"""Reads every object of DVC's cache and remotes again, and finds those that are not what their name says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from dvc_data.hashfile.hash import file_md5

from flows.pipeline import opened
from flows.withdrawal.stores import FOLDER, Store, Stores
from stages.progress import progress

Scope = Literal["nothing", "cache", "cache and remotes"]


@dataclass(frozen=True)
class Corrupt:
    """An object whose content is not what its name says.

    Attributes:
        store: where it lies.
        object: its name: the hash that it should have.
        content: the hash that it has.
        paths: outputs of now that it belongs to, from the repository's folder.
        removed: whether it was removed, so that it is made or fetched again.
        mend: what to do.
    """

    store: str
    object: str
    content: str
    paths: tuple[str, ...]
    removed: bool = False
    mend: str = ""

    @property
    def named(self) -> str:
        """The outputs, for people."""
        return ", ".join(self.paths) or "no output of now"


@dataclass(frozen=True)
class Verified:
    """What was looked at.

    Attributes:
        objects: store -> how many objects were read.
        corrupt: those that are.
        unreached: store that could not be looked into -> why.
    """

    objects: dict[str, int]
    corrupt: tuple[Corrupt, ...]
    unreached: dict[str, str]


def verify(root: Path, scope: Scope, *, remove: bool) -> Verified:
    """Hash all objects, and if asked remove those that are corrupt.

    DVC itself trusts a file of its cache that is write-protected, so it never notices. Removed is only what comes
    again: what a stage of now makes, and what another store has whole. With an object of the machine's cache go the
    files of the working tree that hold its bad content, for most are links to it.

    Args:
        root: the repository's folder.
        scope: which stores.
        remove: whether to.

    Raises:
        Problem: DVC can not read the project.
    """
    if scope == "nothing":
        return Verified({}, (), {})
    with opened(root) as repo:
        stores = Stores.of(repo)
        wanted = [store for store in stores.reached if scope != "cache" or not store.remote]
        unreached = dict(stores.unreached) if scope != "cache" else {}
        counts: dict[str, int] = {}
        found: list[tuple[Store, str, str]] = []
        # Without DVC's lock: reading takes long, and what others write meanwhile is another object.
        for store in wanted:
            try:
                listed = sorted(store.everything())
            except Exception as error:  # each kind of remote has its own
                unreached[store.name] = str(error) or type(error).__name__
                continue
            counts[store.name] = len(listed)
            found += [(store, oid, content) for oid, content in _wrong(store, listed)]
        if not found:
            return Verified(counts, (), unreached)
        with repo.lock:
            names = _names(repo, stores, {oid for _, oid, _ in found})
            told = [_judged(root, store, oid, stores, names, remove=remove) for store, oid, _ in found]
            if any(each is not None and each.removed for each in told):
                repo.drop_data_index()
    corrupt = tuple(each for each in told if each is not None)
    return Verified(counts, corrupt, unreached)


_UNREADABLE: Final = "can not be read"


@dataclass(frozen=True)
class _Names:
    """What of now an object belongs to, and whether a stage makes it."""

    paths: tuple[str, ...] = ()
    made: bool = False


def _judged(
    root: Path, store: Store, oid: str, stores: Stores, names: dict[str, _Names], *, remove: bool
) -> Corrupt | None:
    """A corrupt object, removed if that is asked for and it comes again; None if somebody mended it meanwhile."""
    content = _content(store, oid)
    if content is None:
        return None
    known = names.get(oid, _Names())
    whole = [other for other in stores.reached if other is not store and _has_whole(other, oid)]
    corrupt = Corrupt(store.name, oid, content, known.paths)
    if content.startswith(_UNREADABLE):
        return replace(corrupt, mend="look at the disk, and at who may read there; until then it is left alone")
    if not (known.made or whole):
        return replace(corrupt, mend="nothing makes it again: bring it back from a backup, or let maintenance drop it")
    if not remove:
        return replace(corrupt, mend="remove it (`likeness maintain --remove-corrupt`), then run what makes it")
    if not store.remote and not oid.endswith(FOLDER):  # first: without the object a symbolic link leads nowhere
        for path in known.paths:
            place = root / path
            if place.is_file() and file_md5(str(place)) == content:
                place.unlink()
    store.remove([oid])
    again = "`dvc push`" if store.remote else ("`dvc pull`" if whole else "`likeness run`")
    return replace(corrupt, removed=True, mend=f"{again} brings it again")


def _wrong(store: Store, oids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(object, hash of its content) of those where the two differ."""
    for oid in progress(oids, total=len(oids), what=f"reading {store.name}", unit="object"):
        content = _content(store, oid)
        if content is not None:
            yield oid, content


def _content(store: Store, oid: str) -> str | None:
    """The hash of an object's content, or why it can not be read; None if it is right, or is not there any more."""
    for database in store.databases:
        try:
            content: str = file_md5(database.oid_to_path(oid), database.fs, name=database.hash_name)
        except FileNotFoundError:
            continue
        except OSError as error:  # a failing disk, or a remote that broke off: others are still read
            return f"{_UNREADABLE}: {error.strerror or error}"
        if content != oid.removesuffix(FOLDER):
            return content
    return None


def _has_whole(store: Store, oid: str) -> bool:
    return oid in store.present({oid}) and _content(store, oid) is None


def _names(repo: Any, stores: Stores, wanted: set[str]) -> dict[str, _Names]:
    """What each of these objects is of the outputs of now, files in folders included."""
    found: dict[str, _Names] = {}

    def add(oid: str, path: str, made: bool) -> None:
        if oid in wanted:
            known = found.get(oid, _Names())
            found[oid] = _Names((*known.paths, path), known.made or made)

    root = Path(repo.root_dir)
    for stage in repo.index.stages:
        made = not (stage.is_data_source or stage.is_import)
        for out in stage.outs:
            oid = out.hash_info.value
            if not oid or not out.use_cache:
                continue
            path = Path(out.fs_path).relative_to(root).as_posix()
            add(oid, path, made)
            for inner, child in _listed(stores, oid):
                add(child, f"{path}/{inner}", made)
    return found


def _listed(stores: Stores, oid: str) -> Iterator[tuple[str, str]]:
    """(path within, hash) of a folder's files; nothing for a file."""
    if not oid.endswith(FOLDER):
        return
    tree = stores.tree(oid)
    for key, _, info in tree or ():
        if info is not None and info.value:
            yield "/".join(key), info.value
