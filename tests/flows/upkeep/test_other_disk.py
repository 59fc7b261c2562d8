"""Footage whose place is on another disk than the project, where one may be mounted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.ingest import ingest
from tests.flows.conftest import dvc, wait_for
from tests.flows.upkeep.conftest import flow_run, lay_footage, lay_record

pytestmark = pytest.mark.usefixtures("prefect")

Mount = Callable[[str], Path]


@pytest.fixture
def mount(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    """Makes the place of footage a file system of its own, of a size."""
    place = project / "data" / "footage"

    def mounted(size: str) -> Path:
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
        return place

    yield mounted
    if place.is_mount():
        monkeypatch.chdir(project.parent)
        wait_for(lambda: subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0)


def names(place: Path) -> list[str]:
    return sorted(each.name for each in place.iterdir())


def test_it_comes_in_whole(project: Path, inbox: Path, mount: Mount) -> None:
    place = mount("64m")
    film = lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"])
    (place / ".eve-0.mp4.part").write_bytes(b"a killed run's")
    state, _ = flow_run(ingest, inbox=str(inbox))
    assert state.is_completed(), state.message
    assert names(place) == [".gitignore", "eve-1.mp4", "eve-1.mp4.dvc"]
    assert (place / "eve-1.mp4").read_bytes() == film.read_bytes()
    assert "meta:" in (place / "eve-1.mp4.dvc").read_text()
    assert not list((project / ".scratch" / "ingest").iterdir())
    assert "up to date" in dvc("status", "dataset@eve-1", cwd=project)


def test_nothing_half_written_is_left_where_that_disk_is_full(project: Path, inbox: Path, mount: Mount) -> None:
    place = mount("4k")
    film = lay_footage(inbox, "eve-1")
    assert film.stat().st_size > 4096
    lay_record(inbox, "eve", clips=["eve-1"])
    state, _ = flow_run(ingest, inbox=str(inbox))
    assert state.is_failed()
    assert "data/footage/eve-1.mp4: the disk is full; nothing half-written was kept" in state.message
    assert names(place) == []
    assert "eve" not in (project / "params.yaml").read_text()
