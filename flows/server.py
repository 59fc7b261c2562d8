"""A Prefect server of our own, with its database in ``PREFECT_HOME``, that ends when we do, however we end.

Prefect's own temporary server outlives a process that dies of a signal, and never fires a schedule.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.children import Children
from flows.environment import STARTUP_SECONDS
from stages.problems import Problem

HOST = "127.0.0.1"
PREFERRED_PORT = 4200
"""Where Prefect's documentation expects the server; any free port is taken when it is in use."""

LAST_CHARACTERS = 2000


def start_server(port: int | None = None) -> str:
    """Start a server that runs until this process ends, unless ``PREFECT_API_URL`` names one already.

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
        if not answers(given):
            raise Problem("no Prefect server answers there", where=given, mend="start it, or unset PREFECT_API_URL")
        return given
    server = running_server(port)
    # Prefect's own handlers are registered when it is imported, and so run before this one.
    atexit.register(server.__exit__, None, None, None)
    address = server.__enter__()
    os.environ["PREFECT_API_URL"] = address
    return address


@contextmanager
def running_server(port: int | None = None) -> Iterator[str]:
    """Run a server for as long as the block lasts and yield the address of its API.

    Raises:
        Problem: it does not start.
    """
    home = Path(os.environ["PREFECT_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    port = free_port() if port is None else port
    address = f"http://{HOST}:{port}/api"
    log = home / "server.log"
    children = Children()
    try:
        with log.open("wb") as output:
            process = children.start(
                [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)],
                cwd=home,
                env={**os.environ, "PREFECT_API_URL": address},
                output=output,
            )
        _wait_until_healthy(address, process, log)
        yield address
    finally:
        children.stop()


def free_port() -> int:
    """Prefect's usual port if nobody listens on it, or else any other that is free."""
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Problem("no network port is free", where=HOST, mend="end a program that listens on many ports")


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if answers(address):
            return
        time.sleep(0.1)
    what = "ended while it started" if process.poll() is not None else f"did not start in {STARTUP_SECONDS} s"
    last = log.read_text(errors="replace")[-LAST_CHARACTERS:].strip()
    raise Problem(
        f"the Prefect server {what}; it said:\n{last}", where=log, mend="run `prefect server start` to see more"
    )


def answers(address: str) -> bool:
    # Our own server is on this machine: no proxy leads there.
    proxies: dict[str, str] | None = {} if f"//{HOST}:" in address else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(f"{address}/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it wants to know who asks: Prefect's own client will tell
    except (OSError, ValueError):
        return False
