"""Garbage that waits for SQLite does not hold up the thread that everything else waits for."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SCENE = textwrap.dedent(
    """
    import gc, sqlite3, sys, threading, time
    from flows.prefect_server import collect_aside

    def connected():
        made = sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None, timeout=12.0)
        return made

    holder, waiter = connected(), connected()
    holder.execute("create table if not exists t (x)")
    holder.executemany("insert into t values (?)", [(each,) for each in range(9)])
    if sys.argv[2] == "aside":
        collect_aside()
    else:
        gc.set_threshold(50, 2, 2)

    class Garbage: pass
    def leave():
        lost = Garbage()
        lost.itself, lost.cursor = lost, waiter.execute("values (1), (2)")
        lost.cursor.fetchone()  # a statement at work that holds no lock of the file
    leave()

    holder.execute("begin immediate")
    said = []
    def write():
        try:
            waiter.execute("insert into t values (10)")
            said.append("written")
        except sqlite3.OperationalError as error:
            said.append(str(error))
    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(1.0)  # it waits for the lock now
    kept = []
    for _ in range(20000):  # what a server does all the time: it makes objects
        kept.append([[]])
    if sys.argv[2] == "aside":
        time.sleep(1.0)  # time for the garbage to be found
    holder.execute("commit")
    thread.join()
    print(said[0])
    """
)


@pytest.mark.parametrize(("how", "outcome"), [("aside", "written"), ("as Python does", "database is locked")])
def test_whoever_holds_the_lock_goes_on(how: str, outcome: str, tmp_path: Path) -> None:
    """The second row shows that the scene is the one that freezes: the lock comes back only after the wait is over."""
    command = [sys.executable, "-c", SCENE, str(tmp_path / "some.db"), how]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == outcome, done.stderr
