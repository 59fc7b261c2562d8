"""A project of two people whose stages are a line of shell, an inbox beside it, and the flows run in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from collections.abc import Callable
from contextlib import chdir
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dvc.repo import Repo

from flows import ingest as ingest_module
from flows import stage
from flows.states import data_of
from tests.conftest import REPOSITORY, write_clip
from tests.flows.conftest import commit, dvc, hashes, run
from tests.records import put_record, secret
from tests.records import trust as put_key

PARAMS: dict[str, Any] = yaml.safe_load((REPOSITORY / "params.yaml").read_text()) | {
    "identities": {"ada": {}, "ben": {}},
    "performers": {},
    "performances": {},
    "truths": {},
    "clips": {name: {"identity": name, "path": f"footage/{name}.txt"} for name in ("ada", "ben")},
    "pairs": {"ada-ben": {"a": "ada", "b": "ben"}},
    "companions": {},
    "swaps": {
        "ada-on-ben": {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "ben", "truth": "none"},
    },
}
PARAMS["training"] = {"preset": "smoke", "presets": {"smoke": PARAMS["training"]["presets"]["smoke"]}, "seed": 1}

STAGES = """\
stages:
  extraction:
    foreach: ${clips}
    do:
      cmd: sh stages/step.sh data/extraction/${key}/frames.txt ${item.path}
      deps: [stages/step.sh, "${item.path}", "data/consent/${item.identity}.yaml"]
      params: ["clips.${key}"]
      outs: ["data/extraction/${key}"]
  dataset:
    foreach: ${clips}
    do:
      cmd: sh stages/step.sh data/dataset/${item.identity}/${key}/faces.txt data/extraction/${key}/frames.txt
      deps: [stages/step.sh, "data/extraction/${key}", "data/consent/${item.identity}.yaml"]
      params: ["clips.${key}"]
      outs: ["data/dataset/${item.identity}/${key}"]
  training:
    foreach: ${pairs}
    do:
      cmd: sh stages/step.sh data/training/${key}/model.txt $(find data/dataset/${item.a} data/dataset/${item.b}
        -type f | sort) params.yaml
      deps: [stages/step.sh, "data/dataset/${item.a}", "data/dataset/${item.b}", "data/consent/${item.a}.yaml",
        "data/consent/${item.b}.yaml"]
      params: ["pairs.${key}", training.seed]
      outs: ["data/training/${key}/model.txt"]
  encoding:
    foreach: ${swaps}
    do:
      cmd: sh stages/step.sh data/encoding/${key}/deliverable.mp4 data/training/${item.pair}/model.txt
        data/extraction/${item.clip}/frames.txt
      deps: [stages/step.sh, "data/training/${item.pair}/model.txt", "data/extraction/${item.clip}",
        "data/consent/${item.source}.yaml", "data/consent/${item.target}.yaml"]
      params: ["swaps.${key}"]
      outs: ["data/encoding/${key}"]
"""

STEP = """\
# step.sh OUT IN...: all inputs into OUT. A file in faults/ named as the stage runs before.
set -e
out=$1; shift
if [ -f "faults/$DVC_STAGE" ]; then . "faults/$DVC_STAGE"; fi
mkdir -p "$(dirname "$out")"
cat "$@" > "$out"
"""

HEAD = "# who there is, and what is made of them\n"
"""A remark that nobody may lose."""


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as committed, with nothing made."""
    root = tmp_path_factory.mktemp("begun") / "project"
    for folder in ("footage", "stages", "data/consent"):
        (root / folder).mkdir(parents=True)
    for name in ("ada", "ben"):
        (root / "footage" / f"{name}.txt").write_text(f"{name}\n")
        put_record(root / "data" / "consent", name)
    put_key(root / "data" / "consent", "eve", "performer eve", "subject")
    (root / "stages" / "step.sh").write_text(STEP)
    (root / "dvc.yaml").write_text(STAGES)
    (root / "params.yaml").write_text(HEAD + yaml.safe_dump(PARAMS, sort_keys=False))
    made = ("extraction", "dataset", "training/*/model.txt", "encoding", "audit")
    (root / ".gitignore").write_text("".join(f"/data/{each}\n" for each in made) + "/.prefect\n/.scratch\n/faults\n")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
    run("git", "config", "user.name", "A Tester", cwd=root)
    run("git", "config", "user.email", "tester@example.invalid", cwd=root)
    dvc("init", "--quiet", cwd=root)
    (root / ".dvc" / "config").write_text("[core]\n    autostage = false\n[cache]\n    type = hardlink,symlink,copy\n")
    commit(root, "begin")
    return root


@pytest.fixture
def project(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, entered, with the studio's private key at hand."""
    root = tmp_path / "project"
    shutil.copytree(begun, root, symlinks=True)
    monkeypatch.chdir(root)
    for name in ("DVC_ROOT", "DVC_STAGE", "PREFECT_API_URL", "PREFECT_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(REPOSITORY), os.environ.get("PYTHONPATH")))))
    keys = tmp_path / "keys"
    keys.mkdir()
    shown = secret("studio").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(keys / "studio.pem", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(shown)
    monkeypatch.setenv("LIKENESS_KEYS", str(keys))
    for module in (stage, ingest_module):
        monkeypatch.setattr(module, "BACK_OFF_SECONDS", 0)
    return root


@pytest.fixture(scope="session")
def made_once(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(begun, root, symlinks=True)
    make(root, seed=1)
    commit_at(root, days_ago=0)
    return root


@pytest.fixture
def made(made_once: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with everything made and committed, entered; its cache is linked to, as it would be."""
    monkeypatch.chdir(project.parent)
    shutil.rmtree(project)
    run("cp", "-a", str(made_once), str(project), cwd=project.parent)  # keeps hard links
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An empty folder that is watched."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def make(root: Path, seed: int) -> dict[str, str]:
    """Everything with this seed, as ``dvc repro`` makes it; output -> hash."""
    raw = yaml.safe_load((root / "params.yaml").read_text())
    raw["training"]["seed"] = seed
    (root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    with chdir(root), Repo(str(root)) as repo:
        repo.reproduce()
    return hashes(root)


def commit_at(root: Path, days_ago: int) -> None:
    """Commit all as if so many days ago."""
    day = f"{date.today() - timedelta(days=days_ago)}T12:00:00"
    run("git", "add", "--all", cwd=root)
    command = ["git", "commit", "--quiet", "--message", "more"]
    env = os.environ | {"GIT_COMMITTER_DATE": day, "GIT_AUTHOR_DATE": day}
    subprocess.run(command, cwd=root, check=True, env=env)


def lay_footage(folder: Path, clip: str) -> Path:
    """A small film that has arrived long ago; one for each name."""
    path = folder / f"{clip}.mp4"
    write_clip(path, frames=4 + zlib.crc32(clip.encode()) % 97)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def lay_record(folder: Path, identity: str, name: str | None = None, **changes: Any) -> Path:
    """A signed record, as it arrives: its keys do not come with it."""
    scratch = folder / ".made"
    path = put_record(scratch, identity, **changes)
    place = folder / f"{name or identity}.yaml"
    path.replace(place)
    shutil.rmtree(scratch)
    return place


def flow_run(flow: Callable[..., Any], **parameters: Any) -> tuple[Any, Any]:
    """Run a flow here; its final state and what it gave."""
    state = flow(return_state=True, **parameters)
    return state, data_of(state)


def tree(root: Path) -> dict[str, bytes]:
    """All files of a project but git's, Prefect's, DVC's notes and the audit log's, by path."""
    left_out = (".git/", ".prefect/", ".dvc/tmp/", "data/audit/", ".scratch/")
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    named = {path.relative_to(root).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(left_out)}
