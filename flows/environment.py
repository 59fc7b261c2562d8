"""What has to stand in the environment before Prefect is imported, for it reads its settings only then."""

from __future__ import annotations

import os
from pathlib import Path

from stages.problems import Problem

STARTUP_SECONDS = 120
"""How long a server may take to start: 20 s, Prefect's default, is too short on two busy cores."""


def find_root(start: Path | None = None) -> Path:
    """The folder of the DVC repository around ``start`` (default: the working directory).

    Raises:
        Problem: there is no DVC repository there.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / ".dvc").is_dir():
            return folder
    raise Problem("this is not inside a DVC repository", where=start, mend="change to the project's folder, run again")


def prepare(root: Path) -> None:
    """Point Prefect at a home of this project's own and keep every tool offline; what the user has set stays.

    A home of its own because a database that another release of Prefect has migrated makes this one hang. Leases in
    files because the slots of a server that was killed are otherwise never given back.
    """
    home = root / ".prefect"
    home.mkdir(exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    defaults = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "DVC_NO_ANALYTICS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
