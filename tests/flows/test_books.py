"""DVC's book of who works on what, after a kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
from dvc.stage.cache import _get_stage_hash

from flows.books import drop_unfinished, tidy
from flows.pipeline import Pipeline, opened, stale_stages
from tests.flows.conftest import dvc

ARGUMENTS = "--wait-for-lock repro -s training@ada-ben"


def entry(pid: int, command: str = f"/usr/bin/dvc {ARGUMENTS}") -> dict[str, object]:
    return {"pid": pid, "cmd": command}


def free_pid() -> int:
    return next(pid for pid in range(2**22 - 1, 0, -1) if not psutil.pid_exists(pid))


def test_keeps_those_who_are_at_work(tmp_path: Path) -> None:
    own = entry(os.getpid(), " ".join(psutil.Process().cmdline()))
    book = {"write": {"/a": own}, "read": {"/b": [own, entry(free_pid())], "/c": [entry(free_pid())]}}
    (tmp_path / "rwlock").write_text(json.dumps(book))
    tidy(tmp_path)
    kept = json.loads((tmp_path / "rwlock").read_text())
    assert list(kept["write"]) == ["/a"]
    assert [holder["pid"] for holder in kept["read"]["/b"]] == [os.getpid()]
    assert "/c" not in kept["read"]


def test_forgets_a_number_that_another_process_has_now(tmp_path: Path) -> None:
    (tmp_path / "rwlock").write_text(json.dumps({"write": {"/a": entry(os.getpid())}, "read": {}}))
    tidy(tmp_path)
    assert "/a" not in (tmp_path / "rwlock").read_text()


def test_dvc_works_again_after_the_book_was_cut_off(made: Path) -> None:
    book = made / ".dvc" / "tmp" / "rwlock"
    book.write_text('{"write": {"/a": {"pi')
    spoilt = subprocess.run([sys.executable, "-m", "dvc", "status"], cwd=made, capture_output=True, check=False)
    assert spoilt.returncode != 0, "DVC can help itself now: this module is no longer needed"
    assert stale_stages(made, list(Pipeline.load(made).graph)) == {}
    dvc("status", cwd=made)


def test_dvc_works_again_after_a_result_was_half_written_into_its_run_cache(made: Path) -> None:
    address = "extraction@ada"
    with opened(made) as repo:
        (stage,) = repo.stage.collect(address)
        whole = next((made / ".dvc/cache/runs").glob(f"??/{_get_stage_hash(stage)}/*"))
    half = whole.with_name(f".{'x' * 22}.tmp")
    half.write_text(whole.read_text().split("outs:")[0])
    (made / "dvc.lock").unlink()
    spoilt = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-s", address], cwd=made, capture_output=True, check=False
    )
    assert b"'outs'" in spoilt.stderr, "DVC can help itself now: drop_unfinished is no longer needed"
    assert address in stale_stages(made, [address])
    assert not half.exists()
    assert whole.exists()
    dvc("repro", "-s", address, cwd=made)
    assert stale_stages(made, [address]) == {}


def test_a_result_that_another_repository_is_writing_into_a_shared_cache_stays(tmp_path: Path) -> None:
    place = tmp_path / "ab" / ("ab" * 32)
    place.mkdir(parents=True)
    writing, whole, left = place / ".being-written.tmp", place / ("cd" * 32), place / ".left.tmp"
    writing.write_text("cmd: x")
    left.write_text("cmd: x")
    moving = threading.Timer(0.2, lambda: writing.rename(whole))
    moving.start()
    assert drop_unfinished(tmp_path) == [left]
    moving.join()
    assert whole.read_text() == "cmd: x"
    assert not left.exists()
    assert drop_unfinished(tmp_path) == []
