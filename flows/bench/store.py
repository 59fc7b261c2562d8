"""A server of this machine that speaks S3's protocol, as a DVC remote to try things with."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flows.children import Children
from flows.server import HOST
from stages.problems import Problem

STARTUP_SECONDS: Final = 300.0
LISTENS: Final = re.compile(r"Running on (http://\S+)")


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Run one for as long as the block lasts, and yield its address; it keeps all in memory.

    Args:
        log: the file that gets what it says.

    Raises:
        Problem: it does not start.
    """
    # port 0: it takes a free one itself, for one that was looked for before may be taken by now
    command = [sys.executable, "-m", "moto.server", "--host", HOST, "--port", "0"]
    children = Children()
    try:
        with log.open("wb") as output:
            process = children.start(command, cwd=log.parent, output=output)
        end = time.monotonic() + STARTUP_SECONDS
        while (told := LISTENS.search(log.read_text(errors="replace"))) is None:
            if process.poll() is not None or time.monotonic() > end:
                raise Problem(
                    "it does not start", where=f"moto.server: {log.read_text()}", mend="install the extra `dev`"
                )
            time.sleep(0.1)
        yield told[1]
    finally:
        children.stop()
