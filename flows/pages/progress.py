"""A stage's bars as a progress artifact of the task or flow run that it is made in, live."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.exceptions import PrefectException

from flows.pages import bars
from flows.pages.keys import key_of
from flows.pages.shown import show_sheets
from stages.problems import Problem

SECONDS: Final = 3.0
"""At most one update in this time."""

UNREACHED: Final = (httpx.HTTPError, PrefectException)
"""What asking a server in vain comes to."""

log = logging.getLogger(__name__)


@contextmanager
def shown(address: str, root: Path) -> Iterator[Callable[[str], None]]:
    """Show the stage that is made within the block: its progress, and in the end its sheets.

    Args:
        address: the stage.
        root: the repository's folder.

    Yields:
        What takes the lines that the stage prints.
    """
    with Watched(address) as watched:
        yield watched.hear
    try:
        show_sheets(root, address)
    except (*UNREACHED, Problem) as problem:
        log.warning("no sheets are shown of %s: %s", address, problem)


class Watched:
    """While the block lasts the artifact follows the bars; it ends at 100, or stays where the stage failed.

    The server is asked in a thread of its own: a stage whose output nobody reads stands still. A server that can not be
    reached costs the view, not the stage.
    """

    def __init__(self, address: str, seconds: float = SECONDS) -> None:
        self.address = address
        self.seconds = seconds
        self._artifact: UUID | None = None
        self._bar: bars.Bar | None = None
        self._percent = 0.0
        self._news = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Make the artifact. It belongs to the task or flow run that this is called in."""
        try:
            made = create_progress_artifact(
                0.0, key=key_of("progress", self.address), description=f"{self.address}: begun"
            )
        except UNREACHED as error:
            log.debug("no progress is shown of %s: %s", self.address, error)
            return self
        assert isinstance(made, UUID)  # a coroutine only where an event loop runs, which neither tasks nor flows have
        self._artifact = made
        # the client's settings are those of this context
        self._thread = threading.Thread(target=copy_context().run, args=(self._follow,), daemon=True)
        self._thread.start()
        return self

    def hear(self, line: str) -> None:
        """Take a line that the stage has printed."""
        bar = bars.read(line)
        if bar is not None:
            self._bar = bar
            self._news.set()

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        """Say how it ended."""
        if self._thread is None:
            return
        self._ended.set()
        self._news.set()
        self._thread.join()
        told = self._bar.told(ended=True) if self._bar is not None else self.address
        if kind is None:
            self._send(100.0, f"{told}; ended")
        else:
            self._send(self._reached(), f"{told}; failed")

    def _follow(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            if self._ended.is_set():
                return
            if self._bar is not None:
                self._send(self._reached(), self._bar.told())
            self._ended.wait(self.seconds)

    def _reached(self) -> float:
        percent = self._bar.percent if self._bar is not None else None
        if percent is not None:
            self._percent = percent
        return self._percent

    def _send(self, percent: float, told: str) -> None:
        assert self._artifact is not None
        try:
            update_progress_artifact(self._artifact, round(percent, 1), description=told)
        except UNREACHED as error:
            log.debug("no progress is shown of %s: %s", self.address, error)
