"""Killed anywhere, extraction goes on after the last whole shard, to the same bytes. Real processes, real SIGKILL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.extraction.stage import run
from stages.problems import Problem
from tests.extraction.test_faults import spoil
from tests.footage import Case, lossless, params_for
from tests.killing import PROCESSES, contents, die_after, inodes, killed

FRAMES, SHARD = 24, 4
MADE = Path("data/extraction/one")
PROCESSES.set_forkserver_preload([__name__])


@pytest.fixture
def footage(workplace: Path) -> Path:
    """A clip of noise, which lossless frames can not make small."""
    case = Case("noise", "a.mkv", lossless("yuv420p"), frames=FRAMES, size="160x120", change="noise=alls=60:allf=t")
    return case.make(workplace)


def extract(path: Path, **settings: Any) -> None:
    params = params_for(path)
    changed = params.extraction.model_copy(update={"shard_frames": SHARD, **settings})
    run("one", params.model_copy(update={"extraction": changed}))


def dying(folder: Path, path: Path, shards: int) -> None:
    """What a child does."""
    os.chdir(folder)
    die_after(shards)
    extract(path)


def killed_after(shards: int, path: Path) -> None:
    killed(dying, Path.cwd(), path, shards)


def whole() -> list[Path]:
    """The shards that count."""
    return sorted(path.with_suffix(".mkv") for path in Path(".scratch").glob("extraction/one/*/shard-*.json"))


def test_a_killed_run_goes_on_to_the_same_bytes(footage: Path) -> None:
    extract(footage)
    unbroken = contents(MADE)
    assert not Path(".scratch/extraction/one").exists(), "what is whole needs no scratch"
    before: list[int] = []
    for shards in (1, 2, 5):
        killed_after(shards, footage)
        assert len(whole()) == shards
        assert inodes(whole())[: len(before)] == before, "a whole shard was made again"
        assert contents(MADE) == unbroken, "what an earlier run made stays"
        before = inodes(whole())
    extract(footage)
    assert contents(MADE) == unbroken
    assert inodes(sorted(MADE.glob("*.mkv")))[: len(before)] == before
    assert not Path(".scratch/extraction/one").exists()


@pytest.mark.parametrize("change", ["settings", "footage"])
def test_other_inputs_do_not_find_what_was_left(footage: Path, change: str) -> None:
    killed_after(3, footage)
    [left] = {path.parent for path in whole()}
    (left / "mark").touch()
    if change == "footage":
        footage.write_bytes(footage.read_bytes() + b"\xec\x80")  # an empty element: other bytes, the same film
        killed_after(1, footage)
        assert len(whole()) == 1
    else:
        extract(footage, cut_score=50.0)
    assert not (left / "mark").exists()


def test_a_refused_clip_leaves_no_scratch(workplace: Path) -> None:
    path = Case("middle", "a.mov", ["-c:v", "mjpeg", "-g", "1"], frames=20).make(workplace)
    spoil(path, 15)
    with pytest.raises(Problem, match="with whole ones after it"):
        extract(path)
    assert not list(Path(".scratch").glob("extraction/*"))


@pytest.fixture
def tiny_scratch(footage: Path) -> Iterator[Path]:
    """.scratch on a disk that has room for some of the shards only."""
    place = Path(".scratch").resolve()
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=350k", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("only who may mount can try a full disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_after_a_full_disk_it_goes_on(tiny_scratch: Path, footage: Path) -> None:
    with pytest.raises(Problem, match="the disk is full"):
        extract(footage)
    kept = inodes(whole())
    assert 0 < len(kept) < FRAMES // SHARD
    assert not MADE.exists()
    subprocess.run(["mount", "-o", "remount,size=20m", tiny_scratch], check=True)
    killed_after(len(kept) + 1, footage)
    assert inodes(whole())[: len(kept)] == kept
    extract(footage)
    assert MADE.is_dir()
