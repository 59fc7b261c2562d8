"""Limits on how many stages use a resource at once: Prefect's, across runs and machines, behind locks of a machine.

Prefect alone is not enough: the slots of a run that was killed come back only minutes later, and only from a server
that runs all the while. The kernel gives a file lock back at once. So a run first takes one of as many lock files as
there are slots, and slots that are counted while nobody holds a lock are given back.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.concurrency.sync import concurrency

from flows.children import Stopped
from stages.problems import Problem

MOST = 256
"""Slots of one kind: each is a lock file that is open while they are counted."""

POLL_SECONDS = 0.2
SERVER_WAIT_SECONDS = 10.0
LOCAL_HOSTS = ("127.0.0.1", "localhost", "ephemeral-prefect")


def lock_folder() -> Path:
    """Where the lock files are: one place for all of this user's checkouts, since they share the machine.

    Raises:
        Problem: somebody else made it, or can write there.
    """
    folder = Path(tempfile.gettempdir()) / f"likeness-{os.getuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()  # not of what a link leads to
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Problem(
            "the folder of the locks is another user's, or others can write there",
            where=folder,
            mend="`chmod 700` it if it is yours; else have it removed, or set TMPDIR to a folder of your own",
        )
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        folder.chmod(0o700)  # a lock can be held by whoever can read its file
    return folder


def ensure(limit: str, slots: int, locks: Path, *, of_this_machine: bool) -> None:
    """Make a limit, or set it to ``slots``, and free slots that a killed run of this machine left behind.

    Args:
        limit: name of Prefect's global concurrency limit.
        slots: how many stages may use the resource at the same time.
        locks: the folder of the lock files.
        of_this_machine: nobody elsewhere can hold its slots, whichever server counts them.

    Raises:
        Problem: those are more than :data:`MOST`.
    """
    if slots > MOST:
        raise Problem(f"{slots} slots are too many", where=limit, mend=f"choose at most {MOST}")
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(limit, slots)
        if not of_this_machine and client.api_url.host not in LOCAL_HOSTS:
            return  # other machines may hold its slots
        with ExitStack() as held:
            try:
                # a run that counts other slots than this one may hold one beyond these
                for lock in _locks(limit, max(slots, _ever_counted(limit, locks)), locks):
                    held.enter_context(lock.acquire(timeout=0))
            except Timeout:
                return
            if client.read_global_concurrency_limit_by_name(limit).active_slots:
                client.update_global_concurrency_limit(limit, GlobalConcurrencyLimitUpdate(active_slots=0))


@contextmanager
def slot(limit: str, slots: int, locks: Path, stopped: threading.Event) -> Iterator[None]:
    """Hold one slot of a resource.

    Raises:
        Stopped: the run was stopped while it waited.
    """
    with ExitStack() as held:
        held.enter_context(_local_slot(limit, slots, locks, stopped))
        while True:
            try:
                # Losing touch with the server must not end a stage that runs well.
                one = concurrency(
                    limit, strict=True, raise_on_lease_renewal_failure=False, timeout_seconds=SERVER_WAIT_SECONDS
                )
                held.enter_context(one)
                break
            except TimeoutError:
                if stopped.is_set():
                    raise Stopped(f"the run was stopped while it waited for the {limit}") from None
        yield


@contextmanager
def _local_slot(limit: str, slots: int, locks: Path, stopped: threading.Event) -> Iterator[None]:
    while not stopped.is_set():
        for lock in _locks(limit, slots, locks):
            try:
                with lock.acquire(timeout=0):
                    yield
                return
            except Timeout:
                continue
        stopped.wait(POLL_SECONDS)
    raise Stopped(f"the run was stopped while it waited for the {limit}")


def _locks(limit: str, slots: int, locks: Path) -> list[FileLock]:
    return [FileLock(locks / f"{limit}-{number}.lock") for number in range(slots)]


def _ever_counted(limit: str, locks: Path) -> int:
    """The most slots that any run has used: their lock files stay."""
    numbers = (path.stem.removeprefix(f"{limit}-") for path in locks.glob(f"{limit}-*.lock"))
    return max((1 + int(number) for number in numbers if number.isdecimal()), default=0)
