"""The command killed at every step of taking a file in: the next run ends as an undisturbed one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flows.ingest import ingest
from tests.flows.conftest import wait_for
from tests.flows.upkeep.conftest import flow_run, lay_footage, lay_record, tree

MOMENTS = {
    "when the footage lies there": lambda root: (root / "data/footage/eve-1.mp4").exists(),
    "when DVC has it": lambda root: (root / "data/footage/eve-1.mp4.dvc").exists(),
    "while a stage runs": lambda root: (root / "data/extraction/eve-1").exists(),
}
"""Each comes after the one before, and none is undone by a kill."""


def test_killed_anywhere_it_ends_the_same(
    project: Path, inbox: Path, server: str, prefect: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"])
    (project / "faults").mkdir()
    (project / "faults" / "extraction@eve-1").write_text("echo tried >> ../tries\n")
    for moment, has_come in MOMENTS.items():
        command = [sys.executable, "-m", "flows.command.ingest", str(inbox)]
        with (tmp_path / "said").open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
            try:
                wait_for(lambda: process.poll() is not None or has_come(project), 300)  # noqa: B023
                assert has_come(project), f"{moment}: {(tmp_path / 'said').read_text()}"
            finally:
                process.kill()
                process.wait()
    state, done = flow_run(ingest, inbox=str(inbox))
    assert state.is_completed(), state.message
    ended = tree(project)
    assert not (project / ".scratch/ingest/eve-1.mp4").exists()
    assert (project / "data/dataset/eve/eve-1/faces.txt").read_bytes() == (inbox / "eve-1.mp4").read_bytes()

    state, done = flow_run(ingest, inbox=str(inbox))
    assert {row.ending for row in done.rows} == {"up to date"}
    assert tree(project) == ended
    settings = (project / "params.yaml").read_text()
    assert settings.count("eve-1:") == 1
    assert settings.count("  eve: {}") == 1
    assert (project / "data/footage/eve-1.mp4.dvc").read_text().count("meta:") == 1
    names = [name for name in ended if ".part" in name]
    assert not names
