"""The concurrency limit for the disk of a machine, which stages that read or write whole films share."""

from __future__ import annotations

import platform
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from flows import slots as limits

LIMIT = f"disk-{platform.node()}"
"""Name of Prefect's global concurrency limit: one for each machine, since each has a disk of its own."""

STAGES = frozenset({"rendering", "truth", "extraction", "dataset", "compositing", "encoding"})
"""The stages that take a slot: their work is mostly reading and writing frames."""


def ensure_limit(slots: int, locks: Path) -> None:
    """Make the limit, or set it to ``slots``: see :func:`flows.slots.ensure`."""
    limits.ensure(LIMIT, slots, locks, of_this_machine=True)


def disk_slot(slots: int, locks: Path, stopped: threading.Event) -> AbstractContextManager[None]:
    """Hold one slot of this machine's disk.

    Raises:
        Stopped: the run was stopped while it waited.
    """
    return limits.slot(LIMIT, slots, locks, stopped)
