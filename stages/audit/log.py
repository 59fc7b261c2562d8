"""An append-only log of JSON lines, each with the hash of the one before, so that a change shows.

The head, kept beside it, says how many lines there are and the last one's hash: a chain alone does not show that its
end was cut off. Whoever may write both files can make both anew; who notes the head elsewhere sees that, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from filelock import FileLock, Timeout

from stages.atomic import whole_file
from stages.canonical import hash_of
from stages.problems import Problem, told_as_problem

FOLDER: Final = Path("data/audit")
"""Not in git and no output of DVC: it grows with every run, and is this machine's own."""

LOG: Final = "log.jsonl"
HEAD: Final = "head.json"
LOCK_SECONDS: Final = 60.0
LONGEST: Final = 1 << 20
"""Bytes at the end of the log in which its last line surely begins."""

BEGINNING: Final = "0" * 64
"""What the first line names as the one before."""

Event = Literal["check", "training", "begun", "delivery", "signature", "withdrawal", "purge", "recovery"]
"""``begun``: layers are about to be written to a place of somebody's choice, where nothing else would find them again
if that is cut off; ``delivery`` follows once they are whole."""

_KEEP: Final = "keep the file as it is for whoever must explain it, and begin a new log: move data/audit elsewhere"


@dataclass(frozen=True)
class Head:
    """Where the log ends.

    Attributes:
        lines: how many there are.
        hash: of the last one.
    """

    lines: int = 0
    hash: str = BEGINNING


def append(event: Event, *, folder: Path | None = None, **about: Any) -> Head:
    """Add a line; it is on the disk when this returns. Several processes may do so at the same time.

    Args:
        event: what happened.
        folder: of the log.
        about: more of it, plain data.

    Raises:
        Problem: the log can not be written, or its end is not what its head says.
    """
    folder = folder or FOLDER
    path = folder / LOG
    with told_as_problem(path):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder), path.open("a+b") as file:
            head, torn = _end_of(file, path)
            if torn:
                head = _write(file, head, "recovery", {"torn_bytes": torn})
            head = _write(file, head, event, about)
            with whole_file(folder / HEAD) as scratch:
                scratch.write_text(json.dumps({"lines": head.lines, "hash": head.hash}) + "\n", encoding="ascii")
    return head


def verify(folder: Path | None = None, expected: str | None = None) -> Head:
    """Follow the whole chain.

    Args:
        folder: of the log.
        expected: a hash that was noted elsewhere and must be in it.

    Returns:
        Its end.

    Raises:
        Problem: a line was altered, removed, added or moved; it names the first one that does not fit.
    """
    folder = folder or FOLDER
    path = folder / LOG
    kept = _head(folder)  # before the lines: others may append while they are followed
    end, seen = Head(), {BEGINNING}
    for number, entry in enumerate(_entries(path), start=1):
        claimed = entry.pop("hash", None)
        if claimed != hash_of(entry):
            raise Problem(f"line {number} was altered", where=path, mend=_KEEP)
        if entry.get("previous") != end.hash or entry.get("line") != number:
            raise Problem(
                f"line {number} does not follow the one before it: lines were removed, moved or added here",
                where=path,
                mend=_KEEP,
            )
        end = Head(number, claimed)
        seen.add(claimed)
    if kept.hash not in seen or (expected is not None and expected not in seen):
        raise Problem(
            f"it has {end.lines} lines, but the last one that is known is not among them: its end was removed, "
            "or it is another log",
            where=path,
            mend=_KEEP,
        )
    return end


def withdrawn(folder: Path | None = None) -> frozenset[str]:
    """Hashes of the records whose withdrawal was logged.

    Raises:
        Problem: such a line is damaged.
    """
    try:
        return frozenset(entry["record_hash"] for entry in entries("withdrawal", folder))
    except KeyError as error:
        raise _damaged("withdrawal", folder) from error


def entries(event: Event, folder: Path | None = None) -> list[dict[str, Any]]:
    """The lines of one kind, in order; the chain is not followed.

    Raises:
        Problem: such a line is damaged.
    """
    path = (folder or FOLDER) / LOG
    if not path.is_file():
        return []
    with path.open("rb") as file:
        lines = [line for line in file if f'"{event}"'.encode() in line and line.endswith(b"\n")]
    try:
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(event, folder) from error


def _damaged(event: Event, folder: Path | None) -> Problem:
    return Problem(f"a line about a {event} is damaged", where=(folder or FOLDER) / LOG, mend=_KEEP)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time."""
    try:
        with FileLock(folder / ".lock", timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise Problem(
            "another process holds the log", where=folder / LOG, mend="wait until that has ended, and run it again"
        ) from error


def _write(file: BinaryIO, head: Head, event: Event, about: dict[str, Any]) -> Head:
    entry = {
        "line": head.lines + 1,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": event,
        **about,
        "previous": head.hash,
    }
    made = hash_of(entry)
    file.write(json.dumps(entry | {"hash": made}, sort_keys=True).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
    return Head(head.lines + 1, made)


def _end_of(file: BinaryIO, path: Path) -> tuple[Head, int]:
    """The log's end, and how many bytes of a line that a crash left half-written were cut off."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST))
    lines = file.read().split(b"\n")
    torn = len(lines.pop())
    if torn:
        file.truncate(size - torn)
    if not lines:
        end = Head()
    else:
        try:
            last = json.loads(lines[-1])
            end = Head(last["line"], last["hash"])
        except (ValueError, KeyError, TypeError) as error:
            raise Problem("its last line is damaged", where=path, mend=_KEEP) from error
    # a crash after the line and before the head leaves the head one behind
    kept = _head(path.parent)
    if kept.lines > end.lines:
        raise Problem(f"it ends at line {end.lines}, its head says {kept.lines}", where=path, mend=_KEEP)
    return end, torn


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise Problem(f"line {number} is damaged", where=path, mend=_KEEP) from error
            if not isinstance(entry, dict):
                raise Problem(f"line {number} is damaged", where=path, mend=_KEEP)
            yield entry


def _head(folder: Path) -> Head:
    path = folder / HEAD
    if not path.is_file():
        return Head()
    try:
        return Head(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise Problem("it is damaged", where=path, mend=_KEEP) from error
