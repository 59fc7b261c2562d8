"""The concurrency limit for the GPU: Prefect's, so that it holds across machines, behind locks of this machine.

Prefect alone is not enough: the slots of a run that was killed come back only minutes later, and only from a server
that runs all the while. The kernel gives a file lock back at once. So a run first takes one of as many lock files as
there are slots, and slots that a server of this machine counts while nobody holds a lock are given back.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.concurrency.sync import concurrency

from flows.children import Stopped

LIMIT = "gpu"
"""Name of Prefect's global concurrency limit (``prefect gcl inspect gpu``)."""

STAGES = frozenset({"training"})
"""The stages that take a slot."""

POLL_SECONDS = 0.2
SERVER_WAIT_SECONDS = 10.0


def lock_folder() -> Path:
    """Where the lock files are: one place for all of this user's checkouts, since they share the machine's GPU."""
    folder = Path(tempfile.gettempdir()) / f"likeness-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    return folder


def ensure_limit(slots: int, locks: Path) -> None:
    """Make the limit, or set it to ``slots``, and free slots that a killed run of this machine left behind.

    Args:
        slots: how many stages may use the GPU at the same time.
        locks: the folder of the lock files.
    """
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(LIMIT, slots)
        if client.api_url.host not in ("127.0.0.1", "localhost", "ephemeral-prefect"):
            return  # other machines may hold its slots
        with ExitStack() as held:
            try:
                for lock in _locks(slots, locks):
                    held.enter_context(lock.acquire(timeout=0))
            except Timeout:
                return
            if client.read_global_concurrency_limit_by_name(LIMIT).active_slots:
                client.update_global_concurrency_limit(LIMIT, GlobalConcurrencyLimitUpdate(active_slots=0))


@contextmanager
def gpu_slot(slots: int, locks: Path, stopped: threading.Event) -> Iterator[None]:
    """Hold one slot of the GPU.

    Raises:
        Stopped: the run was stopped while it waited.
    """
    with ExitStack() as held:
        held.enter_context(_local_slot(slots, locks, stopped))
        while True:
            try:
                # Losing touch with the server must not end a training that runs well.
                slot = concurrency(
                    LIMIT, strict=True, raise_on_lease_renewal_failure=False, timeout_seconds=SERVER_WAIT_SECONDS
                )
                held.enter_context(slot)
                break
            except TimeoutError:
                if stopped.is_set():
                    raise Stopped("the run was stopped while it waited for the GPU") from None
        yield


@contextmanager
def _local_slot(slots: int, locks: Path, stopped: threading.Event) -> Iterator[None]:
    while not stopped.is_set():
        for lock in _locks(slots, locks):
            try:
                with lock.acquire(timeout=0):
                    yield
                return
            except Timeout:
                continue
        stopped.wait(POLL_SECONDS)
    raise Stopped("the run was stopped while it waited for the GPU")


def _locks(slots: int, locks: Path) -> list[FileLock]:
    return [FileLock(locks / f"{LIMIT}-{slot}.lock") for slot in range(slots)]
