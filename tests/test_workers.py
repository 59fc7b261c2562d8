"""Workers do their work, and do not outlive whom they work for. Real processes, real SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from stages.workers import workers
from tests.conftest import REPOSITORY

_STATE: list[str] = []

_MASTER = """\
import os, time
from pathlib import Path
from stages.workers import workers

FOLDER = Path("{folder}")


def work():
    (FOLDER / f"{{os.getpid()}}.pid").touch()
    while len(list(FOLDER.glob("*.pid"))) < 2:  # so that each of the two gets some
        time.sleep(0.01)
    time.sleep({seconds})


if __name__ == "__main__":
    with workers(2) as pool:
        for answer in [pool.submit(work) for _ in range(2)]:
            answer.result()
        (FOLDER / "idle").touch()
        time.sleep(600)
"""


def prepare() -> None:
    _STATE.append("prepared")


def state(_: int) -> tuple[int, list[str]]:
    return os.getpid(), _STATE


def test_workers_are_other_processes_and_prepared_once() -> None:
    with workers(1, prepare) as pool:
        answers = list(pool.map(state, range(3)))
    assert len({process for process, _ in answers}) == 1
    assert answers[0][0] != os.getpid()
    assert [prepared for _, prepared in answers] == [["prepared"]] * 3
    assert _STATE == []


@pytest.mark.parametrize("busy", [False, True], ids=["waiting for work", "at work"])
def test_workers_of_a_killed_process_end(tmp_path: Path, busy: bool) -> None:
    master = tmp_path / "master.py"
    master.write_text(_MASTER.format(folder=tmp_path, seconds=600 if busy else 0))
    process = subprocess.Popen([sys.executable, master], env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    try:
        while not (tmp_path / "idle").exists() and not (busy and len(list(tmp_path.glob("*.pid"))) == 2):
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.02)
        mine = [psutil.Process(int(path.stem)) for path in tmp_path.glob("*.pid")]
        assert len(mine) == 2
        assert all(worker.is_running() for worker in mine)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, left = psutil.wait_procs(mine, timeout=300)
        assert left == []
    finally:
        process.kill()
        for path in tmp_path.glob("*.pid"):
            if psutil.pid_exists(int(path.stem)):
                os.kill(int(path.stem), signal.SIGKILL)
