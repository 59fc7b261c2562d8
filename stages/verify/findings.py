"""Looks at a file in every way that there is, and draws the one conclusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from stages.artifacts.files import sha256_of
from stages.credentials.manifest import LINEAGE
from stages.credentials.provenance import LIST, files_of
from stages.credentials.reading import Credential, read_credential, read_kept
from stages.credentials.registry import Entry, resolve
from stages.problems import Problem
from stages.verify.declared import declared_in
from stages.verify.mark import MarkFinding, look_for_mark
from stages.watermark import PUBLIC_KEY


class Status(IntEnum):
    """What was found, as an exit status; 2 is left for what can not be looked at."""

    TRUSTED = 0
    NOTHING = 1
    UNPROVEN = 3
    INVALID = 4
    MARK_ONLY = 5
    REVOKED = 6
    DECLARED = 7


@dataclass(frozen=True)
class Findings:
    """What was found in a file.

    Attributes:
        path: the file.
        credential: in it or beside it, None if it has none.
        mark: what the look for the invisible mark gave.
        entries: what the marks' numbers stand for, of those that the registry knows.
        kept: the credential that the registry kept, where the file has lost its own.
        declared: what its plain metadata says of AI, by the fields' names.
    """

    path: Path
    credential: Credential | None
    mark: MarkFinding
    entries: tuple[Entry, ...] = ()
    kept: Credential | None = None
    declared: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """The conclusion."""
        if any(entry.status == "revoked" for entry in self.entries):
            return Status.REVOKED
        if self.credential is None:
            if self.mark.readings:
                return Status.MARK_ONLY
            return Status.DECLARED if self.declared else Status.NOTHING
        if not self.credential.valid:
            return Status.INVALID
        return Status.TRUSTED if self.credential.trust == "trusted" else Status.UNPROVEN


def look(path: Path, anchors: bytes, registry: Path, key: bytes | None = PUBLIC_KEY) -> Findings:
    """Everything about a file, or a folder that was delivered: of pictures, or of layers.

    Args:
        path: of any kind; junk is a finding, no fault.
        anchors: authorities that are trusted, as PEM.
        registry: folder of what marks stand for; it may be missing.
        key: of the mark; None does not look for it, which takes as long as showing the film.

    Raises:
        Problem: there is no such file, it can not be read, or an entry of the registry is damaged.
    """
    try:
        asset = path / LIST if path.is_dir() else path
        credential = read_credential(asset, anchors) if asset.is_file() or not path.is_dir() else None
        if path.is_dir() and credential is not None and credential.valid:
            credential = _with_pictures(credential, asset)
        mark = look_for_mark(path, key)
        if path.is_dir() and not asset.is_file() and not mark.readings:
            raise _without_list(path)
        if key is not None and not mark.looked and credential is not None and credential.delivery == "layers":
            mark = replace(mark, said="layers carry none: it belongs in the composite that is made of them")
        # a number counts wherever it is read: a look without the mark, or by another key, must not miss a withdrawal
        named = credential.marks if credential is not None else ()
        known = [resolve(identifier, registry) for identifier in dict.fromkeys((*mark.identifiers, *named))]
        entries = tuple(entry for entry in known if entry is not None)
        store = next((entry for entry in entries if entry.store), None)
        kept = _kept(store, asset, anchors, registry) if credential is None and store and asset.is_file() else None
        declared = declared_in(path)
    except OSError as error:
        raise Problem(
            f"it can not be read ({error.strerror})", where=path, mend="name a file that is there, and may be read"
        ) from error
    return Findings(path, credential, mark, entries, kept, declared)


def _kept(entry: Entry, asset: Path, anchors: bytes, registry: Path) -> Credential | None:
    """What the registry kept of a file's credential.

    Raises:
        Problem: it is another deliverable's. It fits no file that was encoded again, so nothing else would tell.
    """
    kept = read_kept(entry.store, asset, anchors)
    if kept is not None and kept.manifest:
        root = (kept.assertion(LINEAGE) or {}).get("root")
        if root != entry.lineage or entry.identifier not in kept.marks:
            raise Problem(
                "the credential that this entry keeps is another deliverable's",
                where=registry / f"{entry.identifier}.json",
                mend="take it from git again",
            )
    return kept


def _without_list(folder: Path) -> Problem:
    return Problem(
        f"this folder has no {LIST}, so it is none that was delivered, or has lost its credential",
        where=folder,
        mend="name a file, or a folder as encoding or `layers` made it",
    )


def _with_pictures(credential: Credential, listed: Path) -> Credential:
    """The credential is that of the list: the files must be those on it, and no others."""
    folder = listed.parent
    # whatever bytes a stranger's list has: what is no name of a file here is not there
    content = listed.read_bytes().decode("utf-8", errors="surrogateescape")
    lines = (line.partition("  ") for line in content.splitlines())
    wanted = {name: digest for digest, _, name in lines}
    there = set(files_of(folder))
    wrong = [("likeness.picture.unknown", f"{name} is not on the list") for name in sorted(there - wanted.keys())]
    for name, digest in sorted(wanted.items()):
        path = folder / name
        if "\0" in name or not path.is_file():
            # the sound lies outside of the folder, and may be left behind
            if not name.startswith("../"):
                wrong.append(("likeness.picture.missing", f"{name} is not there"))
        elif sha256_of(path) != digest:
            wrong.append(("likeness.picture.mismatch", f"{name} was altered"))
    return replace(credential, valid=not wrong, failures=(*credential.failures, *wrong))
