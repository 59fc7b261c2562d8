"""Killed anywhere, extraction goes on after the last whole shard, to the same bytes. Real processes, real SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from stages.artifacts.files import sha256_of
from stages.problems import BAD_INPUT
from tests.conftest import REPOSITORY
from tests.footage import Case, lossless

FRAMES, SHARD = 150, 20
COMMAND = [sys.executable, "-m", "stages.extraction", "one"]
MADE = Path("data/extraction/one")


@pytest.fixture
def footage(workplace: Path) -> Path:
    """A clip of noise, slow to code, named in params.yaml; the clip's path."""
    noisy = Case("noise", "a.mkv", lossless("yuv420p"), frames=FRAMES, size="640x480", change="noise=alls=20:allf=t")
    path = noisy.make(workplace)
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw |= {"clips": {"one": {"identity": "ada", "path": path.name}}, "swaps": {}, "truths": {}}
    raw["extraction"] = {"shard_frames": SHARD}
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    return path


def begin() -> subprocess.Popen[str]:
    return subprocess.Popen(
        COMMAND, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def finish() -> None:
    with begin() as process:
        said = process.communicate()[1]
    assert process.returncode == 0, said


def kill_when(there: Callable[[], bool]) -> None:
    """Run until something is there, then SIGKILL."""
    with begin() as process:
        while process.poll() is None and not there():
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


def whole() -> list[Path]:
    """The shards that count."""
    return sorted(path.with_suffix(".mkv") for path in Path(".scratch").glob("extraction/one/*/shard-*.json"))


def contents() -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(MADE.iterdir())}


def test_a_killed_run_goes_on_to_the_same_bytes(footage: Path) -> None:
    finish()
    unbroken = contents()
    assert not Path(".scratch/extraction/one").exists(), "what is whole needs no scratch"
    inodes = []
    for shards in (1, 3, 4):
        kill_when(lambda shards=shards: len(whole()) >= shards)  # type: ignore[misc]
        inodes.append([path.stat().st_ino for path in whole()])
        assert contents() == unbroken, "what an earlier run made stays"
    for before, after in zip(inodes, inodes[1:], strict=False):
        assert after[: len(before)] == before, "a whole shard was made again"
    finish()
    assert contents() == unbroken
    assert [path.stat().st_ino for path in sorted(MADE.glob("*.mkv"))][: len(inodes[-1])] == inodes[-1]
    assert not Path(".scratch/extraction/one").exists()


def test_a_kill_between_a_shard_and_its_table_costs_that_shard_alone(footage: Path) -> None:
    finish()
    unbroken = contents()
    kill_when(lambda: len(whole()) >= 2)
    half = whole()[-1]
    half.with_suffix(".json").unlink()
    half.write_bytes(half.read_bytes()[:1000])
    finish()
    assert contents() == unbroken


@pytest.mark.parametrize("change", ["settings", "footage"])
def test_other_inputs_do_not_find_what_was_left(footage: Path, change: str) -> None:
    kill_when(lambda: len(whole()) >= 2)
    left = whole()[0].parent
    if change == "settings":
        raw = yaml.safe_load(Path("params.yaml").read_text())
        Path("params.yaml").write_text(yaml.safe_dump(raw | {"extraction": {"shard_frames": SHARD, "cut_score": 50.0}}))
    else:
        lengthened = footage.read_bytes() + b"\xec\x80"  # an empty element: other bytes, the same film
        footage.write_bytes(lengthened)
    kill_when(lambda: len(whole()) >= 1 and whole()[0].parent != left)
    assert not left.exists()


@pytest.fixture
def tiny_scratch(footage: Path) -> Iterator[Path]:
    """.scratch on a disk that has room for some of the shards only."""
    place = Path(".scratch").resolve()
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("only who may mount can try a full disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_after_a_full_disk_it_goes_on(tiny_scratch: Path) -> None:
    with begin() as process:
        said = process.communicate()[1]
    assert process.returncode == BAD_INPUT
    assert "the disk is full" in said
    assert "Traceback" not in said
    kept = [path.stat().st_ino for path in whole()]
    assert 0 < len(kept) < FRAMES // SHARD
    assert not MADE.exists()
    subprocess.run(["mount", "-o", "remount,size=200m", tiny_scratch], check=True)
    kill_when(lambda: len(whole()) > len(kept))
    assert [path.stat().st_ino for path in whole()][: len(kept)] == kept
    finish()
    assert MADE.is_dir()
