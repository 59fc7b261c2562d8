"""The concurrency limit for the GPU, on all machines of a Prefect server together."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path

from flows import slots as limits
from flows.slots import lock_folder

__all__ = ["LIMIT", "STAGES", "ensure_limit", "gpu_slot", "lock_folder"]

LIMIT = "gpu"
"""Name of Prefect's global concurrency limit (``prefect gcl inspect gpu``)."""

STAGES = frozenset({"training"})
"""The stages that take a slot."""


def ensure_limit(slots: int, locks: Path) -> None:
    """Make the limit, or set it to ``slots``: see :func:`flows.slots.ensure`."""
    limits.ensure(LIMIT, slots, locks, of_this_machine=False)


def gpu_slot(slots: int, locks: Path, stopped: threading.Event) -> AbstractContextManager[None]:
    """Hold one slot of the GPU.

    Raises:
        Stopped: the run was stopped while it waited.
    """
    return limits.slot(LIMIT, slots, locks, stopped)
