"""A snapshot on disk, in one safetensors file: whole or not at all, wherever the power fails."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from stages.atomic import whole_file
from stages.training.state import Snapshot

_FACTS = "facts"


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
            save_file(snapshot.tensors, scratch, metadata={_FACTS: json.dumps(snapshot.facts)})
            with scratch.open("rb") as written:
                os.fsync(written.fileno())

    def read(self) -> Snapshot | None:
        """The last snapshot; None if there is none or it can not be read (training then starts over)."""
        try:
            with safe_open(self._path, framework="pt") as file:
                facts = json.loads(file.metadata()[_FACTS])
                return Snapshot({name: file.get_tensor(name) for name in file.keys()}, facts)  # noqa: SIM118  # its handle is no mapping
        except (FileNotFoundError, SafetensorError, KeyError, TypeError, ValueError):
            return None

    def remove(self) -> None:
        """Drop the folder, when the result that it was kept for is safe."""
        shutil.rmtree(self.folder, ignore_errors=True)


def fingerprint_of(*parts: object) -> str:
    """A short hash of parts that JSON can hold."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
