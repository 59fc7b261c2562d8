"""DVC runs again what reads a changed decision, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY

READERS = {"detection": "person", "alignment": "landmarks", "dataset": "drop"}


@pytest.fixture
def project(workplace: Path) -> Path:
    """A DVC project with the real stage `decisions`, and stand-ins for those that read what it writes."""
    shutil.copytree(REPOSITORY / "data/decisions", workplace / "data/decisions")
    for name in ("stages/decisions", "stages/artifacts"):
        (workplace / name).mkdir(parents=True)
        (workplace / name / "code").write_text("the code runs from the repository")
    shipped = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    stages = {"decisions": shipped["decisions"]}
    for stage, kind in READERS.items():
        read = f"data/decided/${{key}}/{kind}.json"
        assert read in shipped[stage]["do"]["deps"]
        stages[stage] = {
            "foreach": "${clips}",
            "do": {"cmd": f"cp {read} ${{key}}-{stage}", "deps": [read], "outs": [f"${{key}}-{stage}"]},
        }
    (workplace / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], check=True, capture_output=True)
    return workplace


def run_by_dvc() -> list[str]:
    """What a plain `dvc repro` runs."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = os.environ | {"PATH": programs, "PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], capture_output=True, text=True, check=False, env=surroundings
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]


def test_only_what_reads_a_changed_decision_runs_again(project: Path) -> None:
    every = {f"{stage}@{clip}" for stage in ("decisions", *READERS) for clip in ("ada", "ben")}
    assert set(run_by_dvc()) == every  # without any file
    (project / "data/decisions/ben.yaml").write_text("footage: x\ndrop: [3]\n")
    assert sorted(run_by_dvc()) == ["dataset@ben", "decisions@ada", "decisions@ben"]
    assert run_by_dvc() == []
