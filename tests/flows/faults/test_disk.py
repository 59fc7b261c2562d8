"""The disk is full: a small file system of its own, where one may be mounted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.bench.kills import FLOW
from tests.flows.conftest import hashes, wait_for

PAIR = (*FLOW, "--pair", "ada-ben")
FILL = "dd if=/dev/zero of={} bs=4k 2>/dev/null || true\n"


@pytest.fixture
def small_disk(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project on a file system of 6 MB, entered."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        root = place / "project"
        shutil.copytree(project, root, symlinks=True)
        monkeypatch.chdir(root)
        yield root
    finally:
        monkeypatch.chdir(tmp_path)
        wait_for(lambda: subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0, 300)


def test_it_is_told_and_after_room_was_made_all_ends_well(
    small_disk: Path, finished: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    (small_disk / "faults").mkdir()
    fault = small_disk / "faults" / "training@ada-ben"
    fault.write_text(FILL.format("filler"))
    first = subprocess.run(PAIR, capture_output=True, text=True, timeout=600, check=False)
    assert first.returncode != 0
    assert "No space left on device" in first.stdout + first.stderr
    assert "Traceback" not in first.stderr
    assert not (small_disk / "data/training/ada-ben/model.txt").exists()

    fault.unlink()
    (small_disk / "filler").unlink()
    second = subprocess.run(PAIR, capture_output=True, text=True, timeout=600, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert hashes(small_disk).items() <= hashes(finished).items()
    assert (small_disk / "data/training/ada-ben/model.txt").read_text() == "ada\nben\n"
