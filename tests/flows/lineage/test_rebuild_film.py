"""A result of the real stages, made again in an empty clone from what its lineage says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.bench.project import keep, small_project
from tests.conftest import REPOSITORY
from tests.flows.conftest import dvc

FRAMES = "data/extraction/ada"


def test_the_frames_of_a_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, by the code and the consent of its revision; docs/lineage.md tells the same of a deliverable."""
    for name in ("DVC_ROOT", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    root, document = tmp_path / "project", tmp_path / "lineage.json"
    small_project(REPOSITORY, root, 0.5)
    dvc("repro", "--quiet", "extraction@ada", cwd=root)
    keep(root, "frames")
    lineage = [sys.executable, "-m", "flows.lineage"]
    told = subprocess.run([*lineage, FRAMES, "--json"], cwd=root, capture_output=True, text=True, check=True).stdout
    document.write_text(told)
    assert json.loads(told)["rebuild"]["exact"], json.loads(told)["rebuild"]["why_not"]

    command = [*lineage, "rebuild", str(document), "clone", "--from", str(root), "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["same"]
    assert found["made"].endswith(".dir")
    assert "Running stage 'extraction@ada'" in done.stderr
    for file in sorted((root / FRAMES).iterdir()):
        assert (tmp_path / "clone" / FRAMES / file.name).read_bytes() == file.read_bytes()
