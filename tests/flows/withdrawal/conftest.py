"""A project of four people whose stages are a line of shell, so that whose a file is can be read in the file itself."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from dvc.repo import Repo
from dvc_data.hashfile.hash_info import HashInfo

from tests.conftest import REPOSITORY
from tests.flows.conftest import commit, dvc, run, wait_for
from tests.records import put_record, secret

PEOPLE = ("ada", "ben", "cyd", "eve")
BUCKET = "likeness-tests"

PARAMS: dict[str, Any] = yaml.safe_load((REPOSITORY / "params.yaml").read_text()) | {
    "identities": {name: {} for name in PEOPLE},
    "performers": {},
    "performances": {},
    "truths": {},
    "clips": {
        "ada-1": {"identity": "ada", "path": "footage/ada-1.txt"},
        "ada-2": {"identity": "ada", "path": "footage/ada-2.txt"},
        "ben-1": {"identity": "ben", "path": "footage/ben-1.txt"},
        "cyd-1": {"identity": "cyd", "path": "footage/cyd-1.txt"},
        "eve-1": {"identity": "eve", "path": "footage/eve-1.txt"},
    },
    "pairs": {"ada-ben": {"a": "ada", "b": "ben"}, "ben-cyd": {"a": "ben", "b": "cyd"}},
    "companions": {"eve-in-ben-cyd": {"pair": "ben-cyd", "identity": "eve"}},
    "swaps": {
        "ada-on-ben": {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "ben-1", "truth": "none"},
        "cyd-on-ben": {"pair": "ben-cyd", "source": "cyd", "target": "ben", "clip": "ben-1", "truth": "none"},
    },
}

STEP = """\
# step.sh OUT IN...: all inputs, one after another, into OUT; into two files of it where OUT ends in a slash.
set -e
out=$1; shift
case "$out" in
*/)
  mkdir -p "$out"; find "$@" -type f | sort | xargs cat > "$out/first.txt"
  (cat "$out/first.txt"; echo more) > "$out/second.txt";;
*) mkdir -p "$(dirname "$out")"; find "$@" -type f | sort | xargs cat > "$out";;
esac
"""

STAGES = """\
stages:
  admission:
    foreach: ${clips}
    do:
      cmd: mkdir -p data/admission &&
        printf '<the %s of ${item.identity}> in ${key}' face > data/admission/${key}.json
      params: ["clips.${key}"]
      outs: ["data/admission/${key}.json"]
  decisions:
    foreach: ${clips}
    do:
      cmd: mkdir -p data/decided/${key} && echo "nothing was decided" > data/decided/${key}/person.json
      params: [clips]
      outs: ["data/decided/${key}/person.json"]
  extraction:
    foreach: ${clips}
    do:
      cmd: sh stages/step.sh data/extraction/${key}/ ${item.path}
      deps: [stages/step.sh, "${item.path}", "data/consent/${item.identity}.yaml"]
      params: ["clips.${key}"]
      outs: ["data/extraction/${key}"]
  dataset:
    foreach: ${clips}
    do:
      cmd: sh stages/step.sh data/dataset/${item.identity}/${key}/ data/extraction/${key}
      deps: [stages/step.sh, "data/extraction/${key}", "data/decided/${key}/person.json",
        "data/consent/${item.identity}.yaml"]
      params: ["clips.${key}"]
      outs: ["data/dataset/${item.identity}/${key}"]
  cast:
    foreach: ${pairs}
    do:
      cmd: mkdir -p data/cast/${key} && echo "companions of ${key}" > data/cast/${key}/cast.json
      params: [companions]
      outs: [{"data/cast/${key}/cast.json": {persist: true}}]
  companions:
    foreach: ${companions}
    do:
      cmd: sh stages/step.sh data/cast/${item.pair}/companions/${item.identity}.json data/dataset/${item.identity}
      deps: [stages/step.sh, "data/dataset/${item.identity}", "data/consent/${item.identity}.yaml"]
      params: ["companions.${key}"]
      outs: ["data/cast/${item.pair}/companions/${item.identity}.json"]
  training:
    foreach: ${pairs}
    do:
      cmd: sh stages/step.sh data/training/${key}/model.bin data/dataset/${item.a} data/dataset/${item.b}
        data/cast/${key} params.yaml && cp data/training/${key}/model.bin data/training/${key}/metrics.json
      deps: [stages/step.sh, "data/dataset/${item.a}", "data/dataset/${item.b}", "data/cast/${key}",
        "data/consent/${item.a}.yaml", "data/consent/${item.b}.yaml"]
      params: ["pairs.${key}", training.seed]
      outs: ["data/training/${key}/model.bin"]
      metrics: [{"data/training/${key}/metrics.json": {cache: false}}]
  encoding:
    foreach: ${swaps}
    do:
      cmd: sh stages/step.sh data/encoding/${key}/ data/training/${item.pair}/model.bin data/extraction/${item.clip}
      deps: [stages/step.sh, "data/training/${item.pair}/model.bin", "data/extraction/${item.clip}",
        "data/consent/${item.source}.yaml", "data/consent/${item.target}.yaml"]
      params: ["swaps.${key}"]
      outs: ["data/encoding/${key}"]
"""

PRESETS = {"smoke": PARAMS["training"]["presets"]["smoke"]}


def mark(name: str) -> bytes:
    """What every file that came from a person holds."""
    return f"<the face of {name}>".encode()


def settings(seed: int = 3, **changes: Any) -> str:
    """params.yaml; another seed makes other models."""
    return yaml.safe_dump(PARAMS | changes | {"training": {"preset": "smoke", "presets": PRESETS, "seed": seed}})


def repro(root: Path, *targets: str) -> None:
    """What ``dvc repro`` does, without starting Python again."""
    with contextlib.chdir(root), Repo(str(root)) as repo:
        repo.reproduce(list(targets) or None)


def push(root: Path, remote: str) -> None:
    """All of the cache, as if it had been pushed after each run."""
    with Repo(str(root)) as repo:
        repo.stage_cache.push(remote)
        repo.cloud.push([HashInfo("md5", oid) for oid in repo.cache.local.all()], remote=remote)


def add_remote(root: Path, name: str, url: str, **more: str) -> None:
    """As ``dvc remote add`` writes it."""
    lines = [f"['remote \"{name}\"']", f"    url = {url}", *(f"    {key} = {value}" for key, value in more.items())]
    with (root / ".dvc" / "config").open("a") as config:
        config.write("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with three results of each training: in git's past, in the run cache alone, and now."""
    root = tmp_path_factory.mktemp("past") / "project"
    for folder in ("footage", "stages", "data/consent"):
        (root / folder).mkdir(parents=True)
    for name in PEOPLE:
        put_record(root / "data" / "consent", name)
    for name, clip in PARAMS["clips"].items():
        (root / clip["path"]).write_bytes(mark(clip["identity"]) + f" in {name}\n".encode())
    (root / "stages" / "step.sh").write_text(STEP)
    (root / "dvc.yaml").write_text(STAGES)
    ignored = ("admission", "decided", "extraction", "dataset", "cast", "encoding", "training/*/model.bin", "audit")
    (root / ".gitignore").write_text("".join(f"/data/{each}\n" for each in ignored) + "/footage/*.txt\n/.scratch\n")
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=root)
    run("git", "config", "user.name", "A Tester", cwd=root)
    run("git", "config", "user.email", "tester@example.invalid", cwd=root)
    dvc("init", "--quiet", cwd=root)
    for seed, committed in ((1, True), (2, False), (3, True)):
        (root / "params.yaml").write_text(settings(seed))
        repro(root)
        if committed:
            commit(root)
    return root


@pytest.fixture
def project(past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, entered, with a training of each pair and a face set of each person that were killed, and the
    persons' private keys at hand."""
    root = tmp_path / "project"
    shutil.copytree(past, root, symlinks=True)
    for pair, name in (("ada-ben", "ada"), ("ben-cyd", "cyd")):
        folder = root / ".scratch" / "training" / f"{pair}-0123456789abcdef"
        folder.mkdir(parents=True)
        (folder / "checkpoint.safetensors").write_bytes(mark(name))
        folder = root / ".scratch" / "dataset" / f"{name}-1" / "0123456789abcdef"
        folder.mkdir(parents=True)
        (folder / "shard-0000.safetensors").write_bytes(mark(name))
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in PEOPLE:
        shown = secret(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(keys / f"{name}.pem", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(shown)
    monkeypatch.chdir(root)
    monkeypatch.setenv("LIKENESS_KEYS", str(keys))
    return root


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks S3's protocol, a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as out, pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait_for(lambda: server.poll() is not None or _answers(port))
            assert server.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True)
class Bucket:
    """A bucket on that server."""

    address: str
    name: str

    @property
    def client(self):  # type: ignore[no-untyped-def]
        return boto3.client("s3", endpoint_url=self.address)

    def content(self) -> dict[str, bytes]:
        """All objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return {key: self.client.get_object(Bucket=self.name, Key=key)["Body"].read() for key in keys}


@pytest.fixture
def bucket(project: Path, s3: str, tmp_path: Path) -> Bucket:
    """The project's remote on S3, with all that was ever made pushed to it."""
    made = Bucket(s3, f"b{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}")
    made.client.create_bucket(Bucket=made.name)
    add_remote(project, "store", f"s3://{made.name}/deep/in", endpointurl=s3)
    push(project, "store")
    return made


@pytest.fixture
def shelf(project: Path, tmp_path: Path) -> Path:
    """A remote that is a folder, pushed to likewise."""
    add_remote(project, "shelf", str(tmp_path / "shelf"))
    push(project, "shelf")
    return tmp_path / "shelf"


def content_of(folder: Path) -> dict[str, bytes]:
    """All files of a folder but git's, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }
