"""Prefect's own command, without a freeze that SQLite brings its server: ``python -P prefect_server.py server start``.

The server asks its database in threads, and a thread waits up to a minute for SQLite's lock. Python collects garbage
in whatever thread makes objects, mostly that of the event loop. Where it finds a cursor of a connection that waits, it
waits for that connection's mutex: the loop stands still, and whoever holds the lock can not go on and give it back.
Nothing answers for a minute (seen with Prefect 3.8.8 and aiosqlite 0.22.1, several times in a run over four workers).

So garbage is collected in a thread of its own, where it may wait: SQLite's module lets go of Python's lock meanwhile.

It is run by its path and imports only the standard library and Prefect, so that the server sees no folder of ours.
"""

from __future__ import annotations

import gc
import runpy
import threading
import time
from itertools import count
from typing import Final

SECONDS: Final = 0.5
"""Between two collections of what is young."""

ALL: Final = 40
"""Every so many of them, all objects are looked at: some tenths of a second."""


def collect_aside() -> None:
    """Collect garbage in a thread of its own from now on, and in no other."""
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()


def _collect() -> None:
    for turn in count(1):
        time.sleep(SECONDS)
        gc.collect(1 if turn % ALL else 2)


if __name__ == "__main__":
    collect_aside()
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)
