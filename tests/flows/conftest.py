"""A small project with real DVC and git, whose stages are a line of shell, and a real Prefect server for all tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from tests.records import put_record

REPOSITORY = Path(__file__).parents[2]

STEP = """\
# step.sh OUT IN...: write the inputs, one after another, into OUT. A file in faults/ named as the stage runs before.
set -e
out=$1; shift
if [ -f "faults/$DVC_STAGE" ]; then . "faults/$DVC_STAGE"; fi
mkdir -p "$(dirname "$out")"
cat "$@" > "$out.part"
mv "$out.part" "$out"
"""

PARAMS = {
    "clips": {
        "ada": {"identity": "ada", "path": "footage/ada.txt"},
        "ben": {"identity": "ben", "path": "footage/ben.txt"},
        "cyd": {"identity": "cyd", "path": "footage/cyd.txt"},
    },
    "pairs": {"ada-ben": {"a": "ada", "b": "ben"}, "ada-cyd": {"a": "ada", "b": "cyd"}},
    "swaps": {
        "ada-on-ben": {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "ben"},
        "ada-on-cyd": {"pair": "ada-cyd", "source": "ada", "target": "cyd", "clip": "cyd"},
    },
    "training": {"iterations": 3},
}

STAGES = """\
stages:
  extraction:
    foreach: ${clips}
    do:
      cmd: sh stages/step.sh data/extraction/${key}/frames.txt ${item.path}
      deps: [stages/step.sh, "${item.path}", "data/consent/${item.identity}.yaml"]
      params: ["clips.${key}"]
      outs: ["data/extraction/${key}"]
  training:
    foreach: ${pairs}
    do:
      cmd: sh stages/step.sh data/training/${key}/model.txt data/extraction/${item.a}/frames.txt
        data/extraction/${item.b}/frames.txt
      deps: [stages/step.sh, "data/extraction/${item.a}", "data/extraction/${item.b}"]
      params: ["pairs.${key}", training]
      outs: ["data/training/${key}"]
  encoding:
    foreach: ${swaps}
    do:
      cmd: sh stages/step.sh data/encoding/${key}/deliverable.mp4 data/training/${item.pair}/model.txt
        data/extraction/${item.clip}/frames.txt
      deps: [stages/step.sh, "data/training/${item.pair}", "data/extraction/${item.clip}",
        "data/consent/${item.source}.yaml", "data/consent/${item.target}.yaml"]
      params: ["swaps.${key}"]
      outs: ["data/encoding/${key}"]
  evaluation:
    foreach: ${swaps}
    do:
      cmd: sh stages/step.sh data/evaluation/${key}/metrics.json stages/figures.json
      deps: [stages/step.sh, stages/figures.json, "data/encoding/${key}"]
      metrics: [{"data/evaluation/${key}/metrics.json": {cache: false}}]
"""


def run(*command: str, cwd: Path) -> str:
    """Run a command that must go well, for what it prints."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dvc(*arguments: str, cwd: Path) -> str:
    """Run DVC."""
    return run(sys.executable, "-m", "dvc", *arguments, cwd=cwd)


def commit(root: Path, message: str = "more") -> None:
    """Commit all of a project."""
    run("git", "add", "--all", cwd=root)
    run("git", "commit", "--quiet", "--message", message, cwd=root)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as committed, with nothing made yet."""
    root = tmp_path_factory.mktemp("pristine")
    for folder in ("footage", "stages", "data/consent"):
        (root / folder).mkdir(parents=True)
    for name in ("ada", "ben", "cyd"):
        (root / "footage" / f"{name}.txt").write_text(f"{name}\n")
        put_record(root / "data" / "consent", name)
    (root / "stages" / "step.sh").write_text(STEP)
    (root / "stages" / "figures.json").write_text(json.dumps({"psnr": 23.5, "identity": {"nearer": 0.97}}))
    (root / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (root / "dvc.yaml").write_text(STAGES)
    (root / ".gitignore").write_text("/data/extraction\n/data/training\n/data/encoding\n/data/evaluation\n/.prefect\n")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
    run("git", "config", "user.name", "A Tester", cwd=root)
    run("git", "config", "user.email", "tester@example.invalid", cwd=root)
    dvc("init", "--quiet", cwd=root)
    commit(root, "begin")
    return root


@pytest.fixture(scope="session")
def finished(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after ``dvc repro``, committed."""
    root = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(pristine, root)
    dvc("repro", "--quiet", cwd=root)
    commit(root, "all made")
    return root


@pytest.fixture
def project(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with nothing made yet, entered."""
    return _entered(pristine, tmp_path, monkeypatch)


@pytest.fixture
def made(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with everything made, entered."""
    return _entered(finished, tmp_path, monkeypatch)


def _entered(original: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = place / "project"
    shutil.copytree(original, root, symlinks=True)
    monkeypatch.chdir(root)
    # A test that is run under a DVC stage, or beside a server, must not know of it.
    for name in ("DVC_ROOT", "DVC_STAGE", "PREFECT_API_URL", "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)
    # The slots of a machine are its user's: tests of another checkout must not hold those of this one.
    (place / "tmp").mkdir(exist_ok=True)
    monkeypatch.setenv("TMPDIR", str(place / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    path = os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    return root


@pytest.fixture
def fault(project: Path) -> Callable[[str, str], None]:
    """Makes a stage of the project run a piece of shell before it works."""

    def inject(address: str, shell: str) -> None:
        (project / "faults").mkdir(exist_ok=True)
        (project / "faults" / address).write_text(shell)

    return inject


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server with a database of its own."""
    from flows.environment import prepare
    from flows.server import running_server

    with pytest.MonkeyPatch.context() as environment:
        for name in ("PREFECT_API_URL", "PREFECT_HOME"):
            environment.delenv(name, raising=False)
        prepare(tmp_path_factory.mktemp("prefect"))
        with running_server() as address:
            yield address


@pytest.fixture
def prefect(server: str) -> Iterator[str]:
    """Makes flows of this process run on the server."""
    from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

    with temporary_settings({PREFECT_API_URL: server, PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield server


def hashes(root: Path) -> dict[str, str]:
    """Output -> hash of all that dvc.lock knows."""
    content = yaml.safe_load((root / "dvc.lock").read_text())
    return {out["path"]: out["md5"] for stage in content["stages"].values() for out in stage["outs"]}


def wait_for(condition: Callable[[], object], seconds: float = 300.0) -> None:
    """Wait until something is so, or fail; long, since a machine may be busy with anything."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def processes(mark: str) -> list[psutil.Process]:
    """The running processes with something in their command line or working directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (
                mark in " ".join(process.cmdline()) or process.cwd() == mark
            ):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if process.pid != os.getpid()]
