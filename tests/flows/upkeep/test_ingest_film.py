"""The stages themselves: a film of half a second arrives in a bucket and ends as a face set."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import boto3
import pytest
import yaml

from flows.ingest import ingest
from stages.artifacts.face_set import FaceSet
from stages.artifacts.files import sha256_of
from stages.consent.merkle import footage_root
from stages.video import ffmpeg_program
from tests.conftest import REPOSITORY
from tests.flows.conftest import dvc
from tests.flows.upkeep.conftest import flow_run, lay_record
from tests.flows.withdrawal import conftest as withdrawal
from tests.records import trust

s3 = withdrawal.s3
BUCKET = "arrivals"
LEFT_OUT = ("data/performances/", "data/truth/ada", "data/truth/ben", "data/registry/", "tests/", "docs/", "dvc.lock")


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone's files without footage, entered."""
    root = tmp_path / "studio"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(LEFT_OUT):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name)
    raw = yaml.safe_load((root / "params.yaml").read_text())
    raw |= {
        section: {} for section in ("performers", "performances", "truths", "identities", "clips", "pairs", "swaps")
    }
    raw["dataset"] = {"minimum": 2, "split": {"block": 4, "guard": 1}}
    raw["detection"] = {"unenrolled": "warn"}  # a rendered face has nobody to enrol
    (root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    trust(root / "data/consent", "eve", "performer eve", "subject")
    trust(root / "data/consent", "studio", "a studio", "controller")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", str(root))
    return root


@pytest.mark.usefixtures("prefect")
def test_from_the_bucket_to_the_face_set(
    studio: Path,
    tmp_path: Path,
    s3: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = tmp_path / "eve-1.mp4"
    clip = REPOSITORY / "data/performances/ada/clip.mp4"
    command = [ffmpeg_program(), "-v", "error", "-i", os.fspath(clip), "-t", "0.5", "-c:v", "libx264", "-crf", "14"]
    subprocess.run([*command, "-c:a", "copy", os.fspath(film)], check=True)
    hashes = {"eve-1": sha256_of(film)}
    evidence = {
        "document": {"sha256": "0" * 64, "kept": "nowhere"},
        "footage": {"merkle_root": footage_root(hashes), "clips": hashes},
    }
    record = lay_record(tmp_path, "eve", clips=["eve-1"], evidence=evidence)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket=BUCKET)

    state, done = flow_run(ingest, inbox=f"s3://{BUCKET}/new")
    assert state.is_completed(), "a folder of a bucket in which nothing lies yet"
    assert not done.arrivals
    for file in (film, record):
        client.upload_file(os.fspath(file), BUCKET, f"new/{file.name}")
    state, done = flow_run(ingest, inbox=f"s3://{BUCKET}/new", retries=0)

    assert state.is_completed(), state.message
    assert [(each.file, each.state) for each in done.arrivals] == [(f"s3://{BUCKET}/new/eve-1.mp4", "new")]
    faces = FaceSet.read(studio / "data/dataset/eve/eve-1")
    assert len(faces.index) > 0
    assert sha256_of(studio / "data/footage/eve-1.mp4") == hashes["eve-1"]
    assert "up to date" in dvc("status", "dataset@eve-1", "--with-deps", cwd=studio)
    state, done = flow_run(ingest, inbox="s3://no-such-bucket/new")
    assert state.is_failed()
    assert "s3://no-such-bucket/new: it can not be reached (The specified bucket does not exist)" in state.message
