"""Child processes: their output line by line, and that nothing of them is left."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.children import Children, LineReader, Stopped
from tests.flows.conftest import REPOSITORY, processes, wait_for


def shell(command: str) -> list[str]:
    return ["sh", "-c", command]


def test_tells_both_streams_and_the_status(tmp_path: Path) -> None:
    lines: list[str] = []
    status = Children().run(shell("echo one; echo two >&2; exit 3"), cwd=tmp_path, on_line=lines.append)
    assert status == 3
    assert sorted(lines) == ["one", "two"]


def test_a_death_by_signal_has_the_status_of_a_shell(tmp_path: Path) -> None:
    assert Children().run(shell("kill -9 $$"), cwd=tmp_path, on_line=print) == 128 + 9


def test_a_bar_is_told_now_and_then() -> None:
    reader = LineReader(seconds=3600)
    lines = list(reader.feed(b"start\n 1%|#\r 2%|##\r 3%|###\r 4%|####\rdone\r\nrest"))
    assert lines == ["start", " 1%|#", "done"]
    assert list(reader.close()) == ["rest"]


@given(
    st.lists(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1), max_size=8),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 9),
)
def test_lines_do_not_depend_on_how_they_arrive(lines: list[str], end: str, size: int) -> None:
    data = "".join(line + end for line in lines).encode()
    reader = LineReader()
    told = [line for start in range(0, len(data), size) for line in reader.feed(data[start : start + size])]
    assert told + list(reader.close()) == lines


def test_stop_ends_the_whole_tree_and_starts_no_more(tmp_path: Path) -> None:
    children = Children()
    outcome: list[BaseException] = []

    def work() -> None:
        # a child in the group, and one that has left it
        command = "sleep 600 & setsid sh -c 'touch away; exec sleep 600' & touch here; wait"
        try:
            children.run(shell(command), cwd=tmp_path, on_line=print)
        except Stopped as stopped:
            outcome.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: (tmp_path / "here").exists() and (tmp_path / "away").exists())
    children.stop()
    thread.join(20)
    assert outcome, "whoever waited for it has to know that it was stopped"
    assert processes(str(tmp_path)) == []
    with pytest.raises(Stopped):
        children.run(shell("true"), cwd=tmp_path, on_line=print)


def test_a_python_program_is_interrupted_and_can_clean_up(tmp_path: Path) -> None:
    children = Children()
    program = (
        "import pathlib, time\n"
        "try:\n    pathlib.Path('half').touch()\n    time.sleep(600)\n"
        "finally:\n    pathlib.Path('half').unlink()\n"
    )
    process = children.start([sys.executable, "-c", program], cwd=tmp_path)
    wait_for(lambda: (tmp_path / "half").exists())
    begin = time.monotonic()
    children.end(process)
    assert not (tmp_path / "half").exists()
    assert time.monotonic() - begin < 30
    assert processes(str(tmp_path)) == []


def test_a_command_can_write_down_how_what_it_started_has_ended(tmp_path: Path) -> None:
    children = Children()
    program = (
        "import pathlib, subprocess, time\n"
        "subprocess.run(['sh', '-c', 'touch here; exec sleep 600'])\n"
        "with open('result', 'w') as file:\n"
        "    file.write('half ')\n    time.sleep(0.3)\n    file.write('whole')\n"
        "time.sleep(600)\n"
    )
    process = children.start([sys.executable, "-c", program], cwd=tmp_path)
    wait_for(lambda: (tmp_path / "here").exists())
    children.end(process)
    assert (tmp_path / "result").read_text() == "half whole"
    assert processes(str(tmp_path)) == []


def test_nothing_outlives_a_starter_that_is_killed(tmp_path: Path) -> None:
    starter = (
        "import pathlib\nfrom flows.children import Children\n"
        "Children().run(['sh', '-c', 'touch here; sleep 600'], cwd=pathlib.Path.cwd(), on_line=print)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}
    ) as process:
        wait_for(lambda: (tmp_path / "here").exists())
        process.kill()
    wait_for(lambda: not processes(str(tmp_path)))
