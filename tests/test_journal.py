"""What stages note of their runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from stages.journal import Run, noted, runs
from stages.problems import Problem


def test_a_run_that_went_well_and_one_that_did_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    file = tmp_path / "scratch" / "journal.jsonl"
    with noted("detection", "ada", file):
        assert [run.is_under_way for run in runs(file)] == [True]
    with pytest.raises(Problem), noted("detection", "ben", file):
        raise Problem("it is not there", where="ben.mp4", mend="put it there")
    well, badly = runs(file)
    assert (well.stage, well.went_well, well.is_under_way) == ("detection@ada", True, False)
    assert well.seconds == pytest.approx(time.time() - psutil.Process().create_time(), abs=5)
    assert (badly.stage, badly.fault, badly.went_well) == ("detection@ben", "ben.mp4: it is not there", False)


def test_the_address_is_what_dvc_says_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "truth@ada-on-ben")
    with noted("rendering", "ada-on-ben", tmp_path / "journal.jsonl"):
        pass
    assert [run.stage for run in runs(tmp_path / "journal.jsonl")] == ["truth@ada-on-ben"]


def test_a_stage_that_was_killed_has_no_end(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    code = f"""
import time, sys
from pathlib import Path
from stages.journal import noted
with noted("training", "ada-ben", Path({str(file)!r})):
    print("begun", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert runs(file)[0].is_under_way
        process.send_signal(signal.SIGKILL)
    (run,) = runs(file)
    assert (run.seconds, run.is_under_way, run.went_well) == (None, False, False)


def test_another_process_of_the_same_number_is_not_the_same_run() -> None:
    assert not Run("training@ada-ben", os.getpid(), psutil.Process().create_time() - 100).is_under_way


def test_lines_that_are_cut_off_or_strange_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    with noted("cast", "ada-ben", file):
        pass
    whole = file.read_text()
    file.write_text('{"stage": "x"}\n{"colour": 1}\n[]\n' + whole + whole[:20])
    assert len(runs(file)) == 1
    assert runs(tmp_path / "nothing.jsonl") == []


def test_a_stage_runs_all_the_same_where_nothing_can_be_noted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with noted("cast", "ada-ben", tmp_path / "file" / "journal.jsonl"):
        done = True
    assert done
