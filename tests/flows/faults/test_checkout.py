"""Another revision is checked out, or a setting edited, while a stage works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.flows.conftest import commit, dvc, run, wait_for

STAGE = """\
# A stage that waits for a file named `go` and then writes the setting that it began with.
import time
from pathlib import Path

from stages.program import main


def work(name, params):
    Path("begun").touch()
    while not Path("go").exists():
        time.sleep(0.05)
    Path("out.txt").write_text(str(params.detection.threads))


main("waiting", work, "a name")
"""

PIPELINE = """\
stages:
  waiting:
    cmd: python waiting.py ada
    deps: [waiting.py, record.txt]
    params: [detection.threads]
    outs: [out.txt]
"""


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one stage, which runs as the real ones do, and two revisions that differ in a setting."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "waiting.py").write_text(STAGE)
    (root / "record.txt").write_text("agreed\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / ".gitignore").write_text("/begun\n/go\n/out.txt\n/.scratch\n")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
    run("git", "config", "user.name", "A Tester", cwd=root)
    run("git", "config", "user.email", "tester@example.invalid", cwd=root)
    dvc("init", "--quiet", cwd=root)
    shutil.copy(REPOSITORY / "params.yaml", root)
    setting(root, 1)
    commit(root, "one thread")
    run("git", "tag", "one", cwd=root)
    setting(root, 2)
    commit(root, "two threads")
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    for name in ("DVC_ROOT", "DVC_STAGE"):
        monkeypatch.delenv(name, raising=False)
    return root


def setting(root: Path, threads: int) -> None:
    raw = yaml.safe_load((root / "params.yaml").read_text())
    raw["detection"]["threads"] = threads
    (root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))


def reproduced(root: Path, *meanwhile: str) -> subprocess.CompletedProcess[str]:
    """Start DVC, run a command of git while the stage works, let the stage end."""
    command = [sys.executable, "-m", "dvc", "repro"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: (root / "begun").exists() or process.poll() is not None, 300)
    if meanwhile:
        run(*meanwhile, cwd=root)
    (root / "go").touch()
    said, _ = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, said)


def test_a_checkout_of_other_settings_is_told_and_nothing_recorded(waiting: Path) -> None:
    done = reproduced(waiting, "git", "checkout", "--quiet", "one")
    assert done.returncode != 0
    assert "error: waiting: changed while the stage worked: params.yaml: detection.threads" in done.stdout
    assert "mend: run again" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (waiting / "dvc.lock").exists()

    dvc("repro", "--quiet", cwd=waiting)
    assert (waiting / "out.txt").read_text() == "1"
    run("git", "checkout", "--quiet", "main", cwd=waiting)
    dvc("repro", "--quiet", cwd=waiting)
    assert (waiting / "out.txt").read_text() == "2", "DVC's cache must not have the one for the other"


def test_another_file_that_it_depends_on_is_told(waiting: Path) -> None:
    done = reproduced(waiting, "sh", "-c", "echo withdrawn > record.txt")
    assert done.returncode != 0
    assert "changed while the stage worked: record.txt" in done.stdout


def test_what_it_does_not_depend_on_may_change(waiting: Path) -> None:
    (waiting / "notes.txt").write_text("a note\n")
    done = reproduced(
        waiting,
        "sh",
        "-c",
        "git add notes.txt && git commit -qm note && sed -i 's/^training:/training: # mine/' params.yaml",
    )
    assert done.returncode == 0, done.stdout
    assert (waiting / "out.txt").read_text() == "2"


def test_a_stage_that_is_gone_from_the_pipeline_is_told(waiting: Path) -> None:
    done = reproduced(waiting, "sh", "-c", "sed -i 's/^  waiting:/  other:/' dvc.yaml")
    assert done.returncode != 0
    assert "changed while the stage worked: dvc.yaml" in done.stdout
