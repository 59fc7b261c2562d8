"""One stage through DVC in a process of its own, and what its failures mean."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import stage as module
from flows.children import Children, Stopped
from flows.stage import StageFailed, failure, reproduce_stage
from tests.flows.conftest import processes, wait_for

LOGGER = logging.getLogger("test")


def test_it_tells_what_the_stage_says(
    project: Path, fault: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    fault("extraction@ada", r"printf ' 10%%|#\r 20%%|##\r' >&2; echo counted 12 frames")
    with caplog.at_level(logging.INFO):
        done = reproduce_stage("extraction@ada", project, Children(), LOGGER)
    assert done.outcome == "made"
    assert "counted 12 frames" in caplog.messages
    assert not any("dvc push" in line or "git add" in line for line in caplog.messages)


def test_python_in_a_stage_is_the_python_that_runs_the_flow(
    project: Path, fault: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    fault("extraction@ada", "python -c 'import sys; print(sys.executable)'")
    with caplog.at_level(logging.INFO):
        reproduce_stage("extraction@ada", project, Children(), LOGGER)
    assert str(Path(sys.executable).parent / "python") in "\n".join(caplog.messages)


@pytest.mark.parametrize(
    ("status", "lines", "reason", "may_pass"),
    [
        (255, ["1%", "error: x: no", "  mend: y", "ERROR: failed to run: s, exited with 2"], "x: no\n  mend: y", False),
        (255, ["error: tsa: busy", "ERROR: failed to run: s, exited with 75"], "tsa: busy", True),
        (255, ["Traceback", "MemoryError", "ERROR: failed to run: s, exited with 1"], "Traceback\nMemoryError", True),
        (255, ["ERROR: failed to run: s, exited with -9"], "it ended with exit status -9", True),
        (255, ["ERROR: failed to reproduce 's': output 'o' does not exist"], "does not exist", False),
        (255, ["ERROR: [Errno 2] No such file or directory: '/p/a.mp4'"], "/p/a.mp4: it is not there", False),
        (137, ["working"], "working", True),
    ],
)
def test_only_faults_that_can_pass_are_tried_again(status: int, lines: list[str], reason: str, may_pass: bool) -> None:
    failed = failure("s", status, lines)
    assert reason in failed.reason
    assert failed.may_pass is may_pass


def test_it_waits_for_another_process_that_works_on_the_same(
    made: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)
    (made / "footage" / "ada.txt").write_text("changed")
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "repro", "mark"])
    try:
        entry = {"pid": other.pid, "cmd": "dvc repro mark"}
        book = {"write": {str(made / "data" / "extraction" / "ada"): entry}, "read": {}}
        (made / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(book))
        with caplog.at_level(logging.INFO):
            thread = threading.Thread(target=reproduce_stage, args=("extraction@ada", made, Children(), LOGGER))
            thread.start()
            wait_for(lambda: any("another process works on" in line for line in caplog.messages))
            other.kill()
            other.wait()
            thread.join(300)
    finally:
        other.kill()
        other.wait()
    assert (made / "data" / "extraction" / "ada" / "frames.txt").read_text() == "changed"


def test_a_stopped_stage_leaves_no_process_and_can_be_run_again(
    project: Path, fault: Callable[[str, str], None]
) -> None:
    fault("extraction@ada", "test -e begun || { touch begun; sleep 600; }")
    children = Children()
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            reproduce_stage("extraction@ada", project, children, LOGGER)
        except Stopped as stopped:
            outcome.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: (project / "begun").exists())
    children.stop()
    thread.join(300)
    assert outcome
    wait_for(lambda: not processes(str(project)))
    assert not (project / "data" / "extraction" / "ada" / "frames.txt").exists()
    assert reproduce_stage("extraction@ada", project, Children(), LOGGER).outcome == "made"


def test_a_failure_is_told_whole(project: Path, fault: Callable[[str, str], None]) -> None:
    fault("extraction@ada", "printf 'error: footage/ada.txt: no face\\n  mend: another clip\\n' >&2; exit 2")
    with pytest.raises(StageFailed, match=r"extraction@ada: footage/ada.txt: no face\n  mend: another clip"):
        reproduce_stage("extraction@ada", project, Children(), LOGGER)
