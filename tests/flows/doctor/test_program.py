"""`likeness doctor` as people and machines read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flows.doctor.__main__ as program
from flows.doctor.finding import Finding


@pytest.mark.parametrize(("verdict", "status"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_only_what_fails_makes_the_exit_status(
    project: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, status: int
) -> None:
    found = [Finding("Python", "ok", "3.11"), Finding("disk", verdict, "[5 GB free]", "free some")]  # type: ignore[arg-type]
    monkeypatch.setattr(program, "findings", lambda _: iter(found))
    done = CliRunner().invoke(program.app, [])
    assert done.exit_code == status
    assert f"{verdict:4}  disk        [5 GB free]" in done.stdout
    assert "free some" in done.stdout
    told = CliRunner().invoke(program.app, ["--json"])
    assert told.exit_code == status
    assert json.loads(told.stdout)[1] == {
        "what": "disk",
        "verdict": verdict,
        "says": "[5 GB free]",
        "mend": "free some",
    }


def test_settings_that_are_refused_do_not_keep_it_from_looking(workplace: Path) -> None:
    (workplace / ".dvc").mkdir()
    (workplace / "params.yaml").write_text("clips: 3\n")
    looks = {finding.what: finding.verdict for finding in program.findings(workplace)}
    assert looks["project"] == "fail"
    assert looks["Python"] == looks["pack"] == looks["onnxruntime"] == "ok"
