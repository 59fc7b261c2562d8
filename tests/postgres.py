"""A Postgres of our own for a test, where the machine has its programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAME = "prefect"


def programs() -> Path | None:
    """The folder of the newest Postgres of this machine; None if it has none."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    # Debian's packages keep every version's programs off the path
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    return found[-1] if found else None


class Postgres:
    """A server that is running.

    Attributes:
        address: of its empty database, as ``PREFECT_SERVER_DATABASE_CONNECTION_URL`` wants it.
    """

    def __init__(self, folder: Path, place: Path, rights: dict[str, Any]) -> None:
        self._folder, self._place, self._rights = folder, place, rights
        self.address = f"postgresql+asyncpg://{NAME}@/{NAME}?host={folder}"

    def ask(self, question: str, database: str = NAME) -> str:
        """What the database answers, without a heading."""
        command = [self._place / "psql", "-h", self._folder, "-U", NAME, "-d", database, "-Atc", question]
        return subprocess.run(command, check=True, capture_output=True, text=True, **self._rights).stdout.strip()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server for as long as the block lasts; the test is skipped where there is none.

    It listens on a socket in a short path of its own only, so no port is taken, and refuses to run as root: then it
    runs as nobody.
    """
    place = programs()
    if place is None:
        pytest.skip("needs a Postgres on this machine")
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder, rights = Path(name), {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            rights = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        data, log = folder / "data", folder / "log.txt"
        environment = {"cwd": folder, "env": {**os.environ, "HOME": name, "TMPDIR": name}}
        how: dict[str, Any] = {**rights, **environment}
        first = [place / "initdb", "-D", data, "-U", NAME, "--auth", "trust", "--no-sync", "-E", "UTF8"]
        subprocess.run(first, check=True, capture_output=True, **how)
        control = [place / "pg_ctl", "-D", data, "-w"]
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
        start = [*control, "-l", log, "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
        try:
            server = Postgres(folder, place, how)
            server.ask(f"create database {NAME}", "postgres")
            yield server
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, **how)
