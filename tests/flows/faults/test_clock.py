"""The clock jumps: files dated into the future and the past, and a stage whose clock leaps while it works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from flows.pipeline import Plan, Selection
from stages import journal
from tests.conftest import REPOSITORY, write_clip
from tests.killing import contents
from tests.records import put_records

LEAPING = """\
# Imported by every Python that starts here: a clock that leaps by a day at each look, and back again.
import itertools
import time

real, looks = time.time, itertools.count()
time.time = lambda: real() + (next(looks) % 3 - 1) * 86400.0
time.time_ns = lambda: int(time.time() * 1e9)
"""


def dated(root: Path, when: float) -> None:
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts:
            os.utime(path, (when, when))


@pytest.mark.parametrize("year", [1990, 2050])
def test_what_is_up_to_date_stays_so_whatever_the_dates(made: Path, year: int) -> None:
    dated(made, time.mktime((year, 1, 1, 0, 0, 0, 0, 0, 0)))
    assert Plan.make(made, Selection()).stages == []


def test_a_change_is_seen_that_bears_the_old_date_and_size(made: Path) -> None:
    clip = made / "footage" / "ben.txt"
    before = clip.stat()
    assert Plan.make(made, Selection()).stages == []
    clip.write_text("BEN\n")
    os.utime(clip, ns=(before.st_atime_ns + 1000, before.st_mtime_ns + 1000))
    assert Plan.make(made, Selection()).stages[0] == "extraction@ben"


def test_a_stage_whose_clock_leaps_makes_the_same_bytes(
    workplace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (workplace / "data" / "footage").mkdir(parents=True)
    write_clip(workplace / "data" / "footage" / "ada.mp4", frames=12)
    raw = yaml.safe_load((workplace / "params.yaml").read_text())
    raw["clips"] = {"ada": {"identity": "ada", "path": "data/footage/ada.mp4"}}
    raw["swaps"] = raw["pairs"] = {}
    (workplace / "params.yaml").write_text(yaml.safe_dump(raw))
    put_records(workplace / "data" / "consent", {"ada": ["ada"]})
    leaping = tmp_path_factory.mktemp("leaping")
    (leaping / "sitecustomize.py").write_text(LEAPING)
    made = []
    for path in (str(REPOSITORY), f"{leaping}{os.pathsep}{REPOSITORY}"):
        shutil.rmtree(workplace / "data" / "extraction", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-m", "stages.extraction", "ada"],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        made.append(contents(workplace / "data" / "extraction" / "ada"))
    assert made[0] == made[1]
    runs = journal.runs(workplace / journal.FILE)
    assert all(run.went_well for run in runs)


def test_a_journal_from_another_time_harms_nobody(made: Path) -> None:
    line = {"stage": "training@ada-ben", "pid": os.getpid(), "began": 1e11, "seconds": -86400.0}
    (made / ".scratch").mkdir()
    (made / ".scratch" / "journal.jsonl").write_text(json.dumps(line) + "\n")
    done = subprocess.run([sys.executable, "-m", "flows.status", "--json"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
