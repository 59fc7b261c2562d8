"""An artifact appears whole or not at all: it is written beside its place, then moved there."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from stages.problems import told_as_problem


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``place``; when the block ends well it takes ``place``'s place.

    On any exception the scratch folder is removed and ``place`` stays as it was. What a killed process left beside
    ``place`` is removed, too: it held a lock on its folder, which the system let go.

    Raises:
        Problem: the disk is full or the folder may not be written.
    """
    place = Path(place)
    with told_as_problem(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        for left in place.parent.glob(f".{place.name}.*.part"):
            if (free := _locked(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(free)
        scratch = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
        lock = _locked(scratch)
        try:
            scratch.chmod(0o755)
            yield scratch
            if place.exists():
                shutil.rmtree(place)
            scratch.replace(place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """An open folder that this process has locked; None if another has, or it is gone, or can not be locked."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


@contextmanager
def whole_file(place: Path) -> Iterator[Path]:
    """Yield a path beside ``place`` to write to; when the block ends well it is moved to ``place``.

    What a killed process of this machine left beside ``place`` is removed.

    Raises:
        Problem: the disk is full or the file may not be written.
    """
    place = Path(place)
    with told_as_problem(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        for left in place.parent.glob(f".{place.name}.*.part{place.suffix}"):
            if not _at_work(left.name.removeprefix(f".{place.name}.").partition(".")[0]):
                left.unlink(missing_ok=True)
        scratch = place.with_name(f".{place.name}.{os.getpid()}.part{place.suffix}")
        try:
            yield scratch
            scratch.replace(place)
        finally:
            scratch.unlink(missing_ok=True)


def _at_work(number: str) -> bool:
    """Whether a process of this number is there; also what is no number stays, for it is not ours."""
    return not number.isdecimal() or psutil.pid_exists(int(number))


def whole_files(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder whose names fit, sorted; not those that are just being written, nor other hidden ones."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
