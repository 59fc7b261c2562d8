"""Footage that arrives: what is whole and agreed comes in up to the face set, the rest is named and left."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from typer.testing import CliRunner

from flows.command.__main__ import app
from flows.ingest import ingest
from stages.problems import BAD_INPUT
from tests.flows.conftest import dvc
from tests.flows.upkeep.conftest import HEAD, flow_run, lay_footage, lay_record, tree

pytestmark = pytest.mark.usefixtures("prefect")


def test_it_comes_in_up_to_the_face_set_and_the_rest_is_named(project: Path, inbox: Path) -> None:
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1", "fay-2", "late"])
    lay_footage(inbox, "fay-1")  # nobody agreed to it
    lay_footage(inbox, "Eve 3")
    late = lay_footage(inbox, "late")
    os.utime(late)
    (inbox / "fay-2.mp4").write_bytes((inbox / "eve-1.mp4").read_bytes()[:-3000])  # its copying broke off
    os.utime(inbox / "fay-2.mp4", (1_600_000_000, 1_600_000_000))
    there = tree(inbox)

    state, done = flow_run(ingest, inbox=str(inbox), settled_seconds=3600)

    by_name = {Path(each.file).name: each for each in done.arrivals}
    assert {name: each.state for name, each in by_name.items()} == {
        "eve-1.mp4": "new",
        "fay-1.mp4": "refused",
        "Eve 3.mp4": "refused",
        "late.mp4": "still arriving",
        "fay-2.mp4": "refused",
    }
    assert state.is_failed()
    assert f"{inbox}/fay-1.mp4: there is no consent record beside it that names the clip 'fay-1'" in state.message
    assert "with 'fay-1' among its clips" in by_name["fay-1.mp4"].mend
    assert "it can not be read as video" in by_name["fay-2.mp4"].reason
    assert ".scratch" not in by_name["fay-2.mp4"].reason
    assert {row.address: row.ending for row in done.rows if "@" in row.address} == {
        "extraction@eve-1": "made",
        "dataset@eve-1": "made",
    }
    assert tree(inbox) == there, "nothing is changed where it arrives"
    settings = (project / "params.yaml").read_text()
    assert settings.startswith(HEAD)
    assert yaml.safe_load(settings)["clips"]["eve-1"] == {"identity": "eve", "path": "data/footage/eve-1.mp4"}
    assert set(yaml.safe_load(settings)["clips"]) == {"ada", "ben", "eve-1"}
    assert (project / "data/dataset/eve/eve-1/faces.txt").read_bytes() == there["eve-1.mp4"]
    assert sorted(each.name for each in (project / "data/footage").iterdir()) == [
        ".gitignore", "eve-1.mp4", "eve-1.mp4.dvc"
    ]  # fmt: skip
    assert "up to date" in dvc("status", "dataset@eve-1", cwd=project)
    with get_client(sync_client=True) as client:
        kept = [each for each in client.read_artifacts() if each.flow_run_id == state.state_details.flow_run_id]
    assert "fay-1.mp4" in str({each.key: each.data for each in kept}["arrivals"])

    before = tree(project)
    for name in ("fay-1", "fay-2", "Eve 3", "late"):
        (inbox / f"{name}.mp4").unlink()
    shutil.copy(inbox / "eve-1.mp4", inbox / "again.mp4")  # the same under another name
    os.utime(inbox / "again.mp4", (1_600_000_000, 1_600_000_000))
    state, done = flow_run(ingest, inbox=str(inbox))
    told = {Path(each.file).name: (each.state, each.clip) for each in done.arrivals}
    assert told == {"again.mp4": ("there already", "eve-1"), "eve-1.mp4": ("there already", "eve-1")}
    assert state.is_completed()
    assert {row.ending for row in done.rows} == {"up to date"}
    assert tree(project) == before


CUT_OFF = "schema: '2.0'\nstages:\n  extr"


def test_a_dvc_lock_that_was_cut_off_is_told_before_anything_comes_in(
    made: Path, inbox: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"])
    (made / "dvc.lock").write_text(CUT_OFF)
    before = tree(made)
    state, done = flow_run(ingest, inbox=str(inbox))
    assert state.is_failed()
    assert "mend: `git checkout dvc.lock`, run again" in state.message
    assert not done.arrivals
    assert "Traceback" not in "".join(capfd.readouterr())

    monkeypatch.setenv("PREFECT_HOME", str(made / ".prefect"))  # else the command would set it for all tests after
    told = CliRunner().invoke(app, ["ingest", str(inbox), "--json"])
    assert told.exit_code == BAD_INPUT
    assert told.stderr.count("error: ") == 1
    assert "mend: `git checkout dvc.lock`, run again" in told.stderr
    assert tree(made) == before


def test_what_has_come_in_is_told_where_its_stages_can_not_be_run(
    project: Path, inbox: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_footage(inbox, "eve-1")
    lay_footage(inbox, "fay-1")
    lay_record(inbox, "eve", clips=["eve-1"])
    # where locks lie, another user has laid something
    (tmp_path / f"likeness-{os.getuid()}").touch()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    state, done = flow_run(ingest, inbox=str(inbox))
    assert state.is_failed()
    assert {each.clip: each.state for each in done.arrivals} == {"eve-1": "new", "fay-1": "refused"}
    assert "names the clip 'fay-1'" in state.message
    assert f"likeness-{os.getuid()}: the folder of the locks" in state.message
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_name_that_is_no_text_keeps_no_other_file_from_coming_in(
    project: Path, inbox: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", clips=["eve-1"])
    shutil.copy(inbox / "eve-1.mp4", os.fsencode(inbox) + b"/f\xe9e.mp4")  # from a machine that writes Latin 1
    state, done = flow_run(ingest, inbox=str(inbox))
    assert {each.clip: each.state for each in done.arrivals} == {"eve-1": "new", "f\\udce9e": "refused"}
    assert f"{inbox}/f\\udce9e.mp4: 'f\\udce9e' can be no clip's name" in state.message
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_inbox_that_is_not_there_is_told(project: Path) -> None:
    state, done = flow_run(ingest, inbox="nowhere")
    assert state.is_failed()
    assert state.message.startswith("nowhere: there is no such place")
    assert not done.arrivals
