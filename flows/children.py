"""Child processes in groups of their own, whose output is followed line by line and which never outlive us."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from flows import guard

KILLED_AFTER_SECONDS = guard.GRACE_SECONDS + 10
LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r(?!\n))")


class Stopped(Exception):
    """The run was cancelled: nothing new is started and what ran was ended."""


class Overdue(Exception):
    """The command took longer than it may; it was ended with all that it had started."""


class LineReader:
    """Cuts a byte stream into lines; a progress bar's states (they end in CR) are thinned out.

    Args:
        seconds: of a bar's states at most one in this many seconds is told.
    """

    def __init__(self, seconds: float = 5.0) -> None:
        self.seconds = seconds
        self.rest = b""
        self.last_state = -seconds

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that ``data`` completes, without their ends, empty ones left out."""
        self.rest += data
        done = 0
        for match in LINE.finditer(self.rest):
            if match.end() == len(self.rest) and match[2] == b"\r":
                break  # it may be the first half of CR LF
            done = match.end()
            passing = match[2] == b"\r"
            if passing and time.monotonic() - self.last_state < self.seconds:
                continue
            text = match[1].decode(errors="replace").rstrip()
            if text:
                if passing:
                    self.last_state = time.monotonic()
                yield text
        self.rest = self.rest[done:]

    def close(self) -> Iterator[str]:
        """Yield what the stream ended with, if it was no whole line."""
        text = self.rest.decode(errors="replace").rstrip()
        self.rest = b""
        if text:
            yield text


class Children:
    """The child processes of one run. :meth:`stop` ends them all, and their children, and lets no new one start."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        output: int | IO[bytes] = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        """Start a command under :mod:`flows.guard`; both its output streams go to ``output``, a pipe or a file.

        Raises:
            Stopped: after :meth:`stop`.
        """
        with self._lock:
            if self.stopped.is_set():
                raise Stopped("the run was stopped")
            # -I: the guard must not pick up modules from the folder or the environment of the command.
            process = subprocess.Popen(
                [sys.executable, "-I", guard.__file__, *command],
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        on_line: Callable[[str], None],
        env: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> int:
        """Run a command to its end and give its exit status; ``on_line`` gets its output.

        Args:
            command: the program and its arguments.
            cwd: the folder it runs in.
            on_line: called with each line.
            env: its environment; None for ours.
            seconds: it may take so long, None for ever.

        Raises:
            Stopped: the run was stopped before or while it ran.
            Overdue: it took longer than it may.
        """
        process = self.start(command, cwd=cwd, env=env)
        lines = LineReader()
        overdue = threading.Event()

        def let_go() -> None:
            overdue.set()
            self._let_go(process)

        deadline = threading.Timer(seconds or 0, let_go)
        deadline.daemon = True
        if seconds is not None:
            deadline.start()
        try:
            assert process.stdout is not None
            while data := os.read(process.stdout.fileno(), 65536):
                for line in lines.feed(data):
                    on_line(line)
            for line in lines.close():
                on_line(line)
            status = process.wait()
        finally:
            deadline.cancel()
            self.end(process)
        if self.stopped.is_set():
            raise Stopped("the run was stopped")
        # One that came to its end at the last moment did end well.
        if overdue.is_set() and status != 0:
            raise Overdue(f"it took longer than {seconds:g} s")
        return status

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End one child with its whole group, if it still runs, and wait until it is gone."""
        self._let_go(process)
        try:
            process.wait(KILLED_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._lock:
            self._running.discard(process)
        if process.stdout is not None:
            process.stdout.close()

    def stop(self) -> None:
        """End all children and start no more. It returns when they are gone."""
        with self._lock:
            self.stopped.set()
            running = list(self._running)
        for process in running:
            self._let_go(process)
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(KILLED_AFTER_SECONDS)

    @staticmethod
    def _let_go(process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
