"""The slots of the GPU."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from flows.children import Stopped
from flows.gpu import LIMIT, ensure_limit, gpu_slot
from tests.flows.conftest import REPOSITORY, wait_for

pytestmark = pytest.mark.usefixtures("prefect")


def active() -> int:
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(LIMIT).active_slots


def test_the_limit_is_made_once_and_can_be_changed(tmp_path: Path) -> None:
    for slots in (2, 2, 1):
        ensure_limit(slots, tmp_path)
        with get_client(sync_client=True) as client:
            assert client.read_global_concurrency_limit_by_name(LIMIT).limit == slots


def test_a_slot_is_counted_while_it_is_held(tmp_path: Path) -> None:
    ensure_limit(1, tmp_path)
    with gpu_slot(1, tmp_path, threading.Event()):
        assert active() == 1
    assert active() == 0


def test_who_waits_can_be_stopped(tmp_path: Path) -> None:
    ensure_limit(1, tmp_path)
    stopped = threading.Event()
    threading.Timer(0.5, stopped.set).start()
    with gpu_slot(1, tmp_path, threading.Event()), pytest.raises(Stopped), gpu_slot(1, tmp_path, stopped):
        pass


def test_the_slot_of_a_killed_run_comes_back(tmp_path: Path) -> None:
    ensure_limit(1, tmp_path)
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(LIMIT, GlobalConcurrencyLimitUpdate(active_slots=1))
    holder = (
        "import pathlib, time\nfrom filelock import FileLock\n"
        "with FileLock('gpu-0.lock'):\n    pathlib.Path('held').touch()\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", holder], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}) as process:
        wait_for(lambda: (tmp_path / "held").exists())
        ensure_limit(1, tmp_path)
        assert active() == 1, "a slot that somebody holds is left alone"
        process.kill()
    ensure_limit(1, tmp_path)
    with gpu_slot(1, tmp_path, threading.Event()):
        assert active() == 1


@pytest.mark.parametrize("slots", [1, 3])
def test_a_run_that_counts_other_slots_leaves_one_that_is_held_alone(slots: int, tmp_path: Path) -> None:
    ensure_limit(2, tmp_path)
    first = gpu_slot(2, tmp_path, threading.Event())
    first.__enter__()
    with gpu_slot(2, tmp_path, threading.Event()):
        first.__exit__(None, None, None)
        assert active() == 1
        ensure_limit(slots, tmp_path)
        assert active() == 1, "the second of the two is at work"
    assert active() == 0
