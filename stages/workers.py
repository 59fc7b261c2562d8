"""Worker processes that end with the process that they work for, even where that was killed; how many make sense."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers(count: int, initializer: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """A pool of fresh processes; alone, the standard library's would wait for work for ever after a SIGKILL of ours.

    Fresh (spawned), since a fork copies the locks that torch's, numba's and onnxruntime's threads hold, but not the
    threads.

    Args:
        count: how many processes.
        initializer: called in each before its first work.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(initializer,))


def _begin(initializer: Callable[[], None] | None) -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if initializer is not None:
        initializer()


def _end_with_the_parent() -> None:
    """Wait for the end of a pipe that only the parent holds open, on every system; then leave all work as it is."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has one"
    parent.join()
    os._exit(1)
