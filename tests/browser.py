"""A real Chromium, driven by Playwright: each start has a profile of its own, so that none finds another's lock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_MS = 300_000.0
"""How long a page is waited for: a busy machine may take minutes to start a browser."""

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A running browser, started with more flags; the test is skipped where none is installed.

    It keeps a socket in the folder for temporary files, whose path must be short (108 bytes): a test's own is too long.
    """
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    with tempfile.TemporaryDirectory(prefix="chromium-", dir="/tmp") as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", place)
        with sync_playwright() as started:
            # the shared memory of a container is often too small for a page
            usual = ["--no-sandbox", "--disable-dev-shm-usage"]
            running = started.chromium.launch(executable_path=CHROMIUM, args=[*usual, *flags], timeout=PATIENCE_MS)
            patch.undo()
            try:
                yield running
            finally:
                running.close()
