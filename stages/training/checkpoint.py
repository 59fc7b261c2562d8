"""A snapshot on disk, in one safetensors file: whole or not at all, wherever the power fails."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from stages.atomic import whole_file
from stages.training.state import Snapshot

log = logging.getLogger(__name__)

_FACTS = "facts"
_DIGITS = 24  # of a fingerprint
_UNREADABLE = (SafetensorError, KeyError, TypeError, ValueError)
"""What a file raises that is no whole checkpoint."""


class CheckpointFolder:
    """Where the runs with one fingerprint keep their last snapshot.

    Args:
        root: scratch folder outside DVC's outputs.
        fingerprint: of everything that a result depends on; another fingerprint never finds this one's snapshot.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self.folder = root / fingerprint
        self._path = self.folder / "checkpoint.safetensors"

    def write(self, snapshot: Snapshot) -> None:
        """Replace the last snapshot by this one.

        Raises:
            Problem: the disk is full or the folder may not be written.
        """
        with whole_file(self._path) as scratch:
            save_tensors(snapshot.tensors, scratch, {_FACTS: json.dumps(snapshot.facts)})
            with scratch.open("rb") as written:
                os.fsync(written.fileno())

    def read(self) -> Snapshot | None:
        """The last snapshot; None if there is none or it can not be read (training then starts over)."""
        try:
            with safe_open(self._path, framework="pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                names = file.keys()  # the handle is no mapping
                return Snapshot({name: file.get_tensor(name) for name in names}, facts)
        except FileNotFoundError:
            return None
        except _UNREADABLE as error:
            log.warning("%s can not be read (%s): training starts over, and replaces it", self._path, error)
            return None

    def iteration(self) -> int:
        """How many iterations the last snapshot has behind it; 0 if there is none or it can not be read.

        Only the file's head is read, and nothing is said: :meth:`read` does.
        """
        try:
            with safe_open(self._path, framework="pt") as file:
                return int(json.loads(file.metadata()[_FACTS])["iteration"])
        except (FileNotFoundError, *_UNREADABLE):
            return 0

    def clear_halves(self) -> None:
        """Drop what a killed run was just writing: it may have the size of a checkpoint and nobody would look at it."""
        for half in self.folder.rglob(".*"):
            half.unlink(missing_ok=True)

    def bytes(self) -> int:
        """What the last snapshot takes on the disk; 0 if there is none."""
        return self._path.stat().st_size if self._path.is_file() else 0

    def remove(self) -> None:
        """Drop the folder, when the result that it was kept for is safe."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_all_of(self, pair: str) -> None:
        """Drop this folder and those of all other runs of a pair, whatever they were made by: its people's likeness."""
        self.remove()
        for folder in self.folder.parent.glob(f"{pair}-*"):
            if re.fullmatch(rf"{re.escape(pair)}-[0-9a-f]{{{_DIGITS}}}", folder.name):
                shutil.rmtree(folder, ignore_errors=True)


class CheckpointWriter:
    """Writes snapshots in a thread of its own while training goes on, at most one at a time.

    A snapshot is a copy, so training may move on while it is being written. To be used as a context: at its end, the
    writing under way is waited for.

    Args:
        folder: where to.
    """

    def __init__(self, folder: CheckpointFolder) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._underway: Future[None] | None = None

    def look(self) -> bool:
        """Whether the thread is free for another snapshot.

        Raises:
            Problem: what it wrote last did not reach the disk.
        """
        if self._underway is None:
            return True
        if not self._underway.done():
            return False
        finished, self._underway = self._underway, None
        finished.result()
        return True

    def offer(self, snapshot: Snapshot) -> bool:
        """Begin to write the snapshot, unless another one is still under way; whether it was begun.

        Raises:
            Problem: the one before did not reach the disk.
        """
        if not self.look():
            return False
        self._underway = self._thread.submit(self._folder.write, snapshot.on_cpu())
        return True

    def finish(self, snapshot: Snapshot) -> None:
        """Write the snapshot, after the one under way, and wait until both are on the disk.

        Raises:
            Problem: one of them can not be written.
        """
        if self._underway is not None:
            finished, self._underway = self._underway, None
            finished.result()
        self._folder.write(snapshot.on_cpu())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Named tensors as safetensors.

    Raises:
        OSError: the disk is full or the file may not be written. safetensors itself tells that in words only, which
            end with the system's number of the error.
    """
    try:
        save_file(dict(tensors), path, metadata=metadata)
    except SafetensorError as error:
        told = re.search(r"\(os error (\d+)\)", str(error))
        if told is None:
            raise
        raise OSError(int(told[1]), os.strerror(int(told[1])), str(path)) from error


def fingerprint_of(*parts: object) -> str:
    """A short hash of parts that JSON can hold."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
