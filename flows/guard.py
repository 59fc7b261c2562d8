"""Runs a command and ends it, with all that it started, as soon as whoever asked for it lets go.

``python guard.py COMMAND...`` is started as the leader of a session of its own, with a pipe as its standard input that
only the starter holds open. When the pipe closes, because the starter wants the command to end or because it was
killed itself, the process group and all descendants are ended. So nothing outlives the starter, even one that died of
SIGKILL. It imports only the standard library, and psutil where it has to end something.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import NoReturn

import psutil

WRITING_SECONDS = 1.0
"""So long the command itself goes without a signal after what it started has got its first.

DVC ignores SIGINT only while a stage runs. In the moment after, when it writes down the result, the exception leaves a
file half-written: ``dvc.lock``, which then has to be mended by hand, or one in the run cache. It is enough for a small
result; one of gigabytes is hashed for longer, and may be cut off in the middle still.
"""

ENDING = ((signal.SIGINT, 5.0), (signal.SIGTERM, 2.0))
"""What the processes get, and how many seconds they have after each before they are killed.

SIGINT comes first because Python turns it into an exception: a stage then removes its half-written files, and DVC,
which ignores it while a stage runs, writes down how the stage ended and gives back its locks.
"""

GRACE_SECONDS = WRITING_SECONDS + sum(seconds for _, seconds in ENDING)


def others() -> list[psutil.Process]:
    """The other processes of this one's group and all descendants, whatever group they have made for themselves."""
    own = os.getpid()
    found = {process.pid: process for process in psutil.Process().children(recursive=True)}
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if process.pid != own and os.getpgid(process.pid) == own:
                found[process.pid] = process
    return list(found.values())


def _send(processes: set[psutil.Process], step: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(step)


def end_all() -> NoReturn:
    """End what the command started, then the command, step by step; kill what is left; then end this process."""
    for step in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(step, signal.SIG_IGN)
    command = set(psutil.Process().children())
    told = set(others()) - command
    _send(told, signal.SIGINT)
    _, ended = psutil.wait_procs({*told, *others()}, timeout=WRITING_SECONDS)
    for step, seconds in ENDING:
        # A second SIGINT would end the tidying up after the first.
        _send(set(ended) - (told if step == signal.SIGINT else set()), step)
        _, ended = psutil.wait_procs({*ended, *others()}, timeout=seconds)
    for process in ended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    os.killpg(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL can not be survived")


def watch() -> None:
    """Wait until standard input is closed, then end the group."""
    while os.read(0, 4096):
        pass
    # Only the main thread can set a signal's action, and a signal sent to it ends its waiting.
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    signal.pthread_kill(main_thread, signal.SIGUSR1)


def main(command: list[str]) -> int:
    """Run the command to its end and give its exit status, as a shell would."""
    for ending in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(ending, lambda *_: end_all())
    # A handler, and not nothing: what a shell starts in the background ignores SIGINT, and so would what it starts.
    # The command starts with the default again, for a handler does not go with it.
    signal.signal(signal.SIGINT, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=watch, daemon=True).start()
    status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
