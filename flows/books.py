"""Keeps right what a kill can leave in disorder of DVC's: its book of who reads and writes what at the moment
(``rwlock``), and the run cache.

DVC rewrites the file in place: a process that is killed meanwhile leaves it cut off, and every later DVC command fails.
An entry of a process that was killed stays until its path is wanted; if its number belongs to another process by then,
after a restart of the machine for instance, the path is held for ever.

A result is written beside its place in the run cache, then moved there. SIGINT can end the writing half-way, and DVC
then takes the half for the newest result of the stage: it fails with the word ``'outs'``, or brings back only some
outputs.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

import psutil
from dvc.lock import make_lock

BOOK = "rwlock"
RESULT = re.compile(r"[0-9a-f]{64}")
"""How the run cache names a result that it has in full."""

WRITTEN_WITHIN_SECONDS = 1.0
"""A result is some hundred bytes."""


def tidy(folder: Path) -> None:
    """Drop what nobody holds any more from the book, or all of it where it can not be read.

    Args:
        folder: ``Repo.tmp_dir``.
    """
    book = folder / BOOK
    if not book.is_file():
        return
    with make_lock(str(folder / f"{BOOK}.lock"), tmp_dir=str(folder), wait=True):
        # Nobody can be writing now, so what is cut off stays cut off.
        try:
            held = json.loads(book.read_text(encoding="utf-8"))
            kept = _kept(held)
        except (ValueError, KeyError, TypeError, AttributeError):
            held, kept = None, {}
        if kept != held:
            book.write_text(json.dumps(kept), encoding="utf-8")


def drop_unfinished(folder: Path) -> list[Path]:
    """Remove what was being written into the run cache when its writer was ended.

    Whoever is at it is done within milliseconds, and may have the lock of another repository, with which this one
    shares its cache. So what is still there after a while is nobody's.

    Args:
        folder: ``Repo.stage_cache.cache_dir``.

    Returns:
        What was removed; what can not be, in a cache that others own, stays.
    """
    left = _unfinished(folder)
    if not left:
        return []
    time.sleep(WRITTEN_WITHIN_SECONDS)
    gone = []
    for path in left & _unfinished(folder):
        with contextlib.suppress(OSError):
            path.unlink()
            gone.append(path)
    return sorted(gone)


def _unfinished(folder: Path) -> set[Path]:
    return {path for path in folder.glob("??/*/*") if not RESULT.fullmatch(path.name)}


def writers(folder: Path) -> set[str]:
    """The paths that a process at work writes at this moment; none where the book can not be read.

    Args:
        folder: ``Repo.tmp_dir``.
    """
    try:
        held = json.loads((folder / BOOK).read_text(encoding="utf-8"))
        return set(_kept(held).get("write", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _kept(held: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    for path, holder in held.get("write", {}).items():
        if _is_at_work(holder):
            kept.setdefault("write", {})[path] = holder
    for path, holders in held.get("read", {}).items():
        alive = [holder for holder in holders if _is_at_work(holder)]
        if alive:
            kept.setdefault("read", {})[path] = alive
    return kept


def _is_at_work(holder: dict[str, Any]) -> bool:
    """Whether the process is still the one that made the entry: it has the arguments that the entry tells."""
    arguments = " ".join(str(holder["cmd"]).split()[1:])
    try:
        return " ".join(psutil.Process(int(holder["pid"])).cmdline()).endswith(arguments)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
