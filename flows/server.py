"""A Prefect server of our own, with its database in ``PREFECT_HOME``, that ends when we do, however we end.

Prefect's own temporary server outlives a process that dies of a signal, and never fires a schedule.
"""

from __future__ import annotations

import atexit
import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import psutil

from flows.children import Children
from flows.environment import STARTUP_SECONDS, find_root
from stages.problems import Problem
from stages.program import tell

HOST = "127.0.0.1"
PREFERRED_PORT = 4200
"""Where Prefect's documentation expects the server; any free port is taken when it is in use."""

PROGRAM = Path(__file__).with_name("prefect_server.py")
"""Prefect's own command, in a way that SQLite does not freeze."""

LAST_CHARACTERS = 2000

LOST = 1
"""Exit status when the server is gone."""

PATIENCE_SECONDS = 30.0
"""How long a server that is there may take to say so: it may have much to do."""


def start_server(port: int | None = None) -> str:
    """Start a server that runs until this process ends, unless ``PREFECT_API_URL`` names one already.

    With it goes a server of the results that its pages link to (:mod:`flows.pages.files`), of the repository around the
    working directory.

    If it ends before, this process does, too, with one message: Prefect would try for minutes to reach it, in vain.

    Call it before Prefect is imported: Prefect reads its settings then, ``PREFECT_API_URL`` among them; and what
    Prefect does when the process ends, such as sending its last log lines, has to come before the server's end.

    Args:
        port: the port to listen on; None takes a free one.

    Returns:
        The address of its API, which ``PREFECT_API_URL`` now names.

    Raises:
        Problem: it does not start.
    """
    given = os.environ.get("PREFECT_API_URL")
    if given:
        if not answers(given, PATIENCE_SECONDS):
            raise Problem("no Prefect server answers there", where=given, mend="start it, or unset PREFECT_API_URL")
        return given
    server = running_server(port, _leave)
    # Prefect's own handlers are registered when it is imported, and so run before this one.
    atexit.register(server.__exit__, None, None, None)
    address = server.__enter__()
    os.environ["PREFECT_API_URL"] = address
    _serve_results()
    return address


def _serve_results() -> None:
    """Serve what the pages link to, unless somebody else does."""
    # Not before it is needed: a run with nothing to do ends before this.
    from flows.pages.files import VARIABLE, serve_files

    if not os.environ.get(VARIABLE):
        serve_files(find_root())


def _leave(address: str) -> NoReturn:
    """End this process at once; the guards of its children see to it that they end, too, and in order."""
    tell(Problem("the Prefect server ended before the run", where=address, mend="run again: what was finished is kept"))
    sys.stdout.flush()
    os._exit(LOST)


@contextmanager
def running_server(port: int | None = None, on_loss: Callable[[str], None] | None = None) -> Iterator[str]:
    """Run a server for as long as the block lasts and yield the address of its API.

    Args:
        port: the port to listen on; None takes a free one.
        on_loss: gets the address, in a thread of its own, if the server ends before the block.

    Raises:
        Problem: it does not start.
    """
    home = Path(os.environ["PREFECT_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    children = Children()
    try:
        address, process = _started(children, home, log, port)
        if on_loss is not None:
            threading.Thread(target=_watch, args=(process, children.stopped, address, on_loss), daemon=True).start()
        yield address
    finally:
        children.stop()


def _watch(
    process: subprocess.Popen[bytes], closing: threading.Event, address: str, on_loss: Callable[[str], None]
) -> None:
    process.wait()
    if not closing.is_set():
        on_loss(address)


def _started(children: Children, home: Path, log: Path, port: int | None) -> tuple[str, subprocess.Popen[bytes]]:
    """Start it and wait until it answers; another port is taken where a second server was faster on the usual one."""
    usual = free_port() if port is None else port
    address = f"http://{HOST}:{usual}/api"
    with log.open("wb") as output:
        process = children.start(
            [sys.executable, "-P", str(PROGRAM), "server", "start", "--host", HOST, "--port", str(usual)],
            cwd=home,
            env={**os.environ, "PREFECT_API_URL": address},
            output=output,
        )
    try:
        _wait_until_healthy(address, process, log)
    except Problem:
        if port is not None or usual != PREFERRED_PORT or not answers(address):
            raise
        return _started(children, home, log, _any_port())
    return address, process


def free_port() -> int:
    """Prefect's usual port if nobody listens on it, or else any other that is free."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, PREFERRED_PORT))
        except OSError:
            return _any_port()
    return PREFERRED_PORT


def _any_port() -> int:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, 0))
        except OSError as error:
            mend = "end a program that listens on many ports"
            raise Problem("no network port is free", where=HOST, mend=mend) from error
        return int(probe.getsockname()[1])


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if answers(address) and _is_ours(address, process):
            return
        time.sleep(0.1)
    what = "ended while it started" if process.poll() is not None else f"did not start in {STARTUP_SECONDS} s"
    last = log.read_text(errors="replace")[-LAST_CHARACTERS:].strip()
    raise Problem(
        f"the Prefect server {what}; it said:\n{last}", where=log, mend="run `prefect server start` to see more"
    )


def _is_ours(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether it is this process that listens there: one that another run started might end at any time."""
    port = urlsplit(address).port
    try:
        family = psutil.Process(process.pid).children(recursive=True)
        return any(place.laddr and place.laddr.port == port for one in family for place in one.net_connections("tcp"))
    except psutil.Error:
        return False


def answers(address: str, seconds: float = 5.0) -> bool:
    """Whether a server is there, and says so within these seconds."""
    # Our own server is on this machine: no proxy leads there.
    proxies: dict[str, str] | None = {} if f"//{HOST}:" in address else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(f"{address}/health", timeout=seconds):
            return True
    except urllib.error.HTTPError:
        return True  # it wants to know who asks: Prefect's own client will tell
    except (OSError, ValueError, http.client.HTTPException):
        return False  # nothing there, no address, or something else that does not speak HTTP
