"""The whole way, as a user goes it: real DVC, real footage (a few seconds of the samples), a few training steps."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import boto3
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flows.bench.store import s3_server
from stages.video import ffmpeg_program
from tests.authorities import put
from tests.conftest import REPOSITORY
from tests.flows.withdrawal.conftest import Bucket, add_remote, content_of, push
from tests.records import put_record, secret

SECONDS = "3"


def dvc(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(Path(sys.executable).parent / "dvc"), *arguments]
    return subprocess.run(
        command, cwd=project, text=True, capture_output=True, check=False, env=os.environ | {"PATH": programs}
    )


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=project, text=True, capture_output=True, check=False)


def edit(project: Path, change: Any) -> None:
    path = project / "params.yaml"
    raw = yaml.safe_load(path.read_text())
    change(raw)
    path.write_text(yaml.safe_dump(raw, sort_keys=False))


def shorten(source: Path, target: Path) -> None:
    command = [ffmpeg_program(), "-v", "error", "-i", source, "-t", SECONDS, "-c:v", "libx264", "-crf", "14"]
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*command, "-c:a", "copy", "-y", target], check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone's files with shorter footage, the smallest preset, and three clips that can not be used.

    eve's is no film, fay's file is missing, and gus has no consent record.
    """
    project = tmp_path_factory.mktemp("project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (
            name.startswith(("data/performances/", "data/truth/ada", "data/truth/ben", "tests/", "docs/"))
            or name == "dvc.lock"
        ):
            continue
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, project / name)
    for name in ("ada", "ben"):
        shorten(REPOSITORY / f"data/performances/{name}/clip.mp4", project / f"data/footage/{name}.mp4")
    for name in ("eve", "gus"):
        (project / f"data/footage/{name}.mp4").write_text("this is no film")
    for name in ("ada", "ben", "eve", "fay"):
        put_record(project / "data/consent", name)

    def change(raw: dict[str, Any]) -> None:
        raw |= {"performers": {}, "performances": {}, "truths": {}}
        raw["identities"] |= {"eve": {}, "fay": {}, "gus": {}}
        raw["clips"] = {name: {"identity": name, "path": f"data/footage/{name}.mp4"} for name in raw["identities"]}
        raw["pairs"]["ada-eve"] = {"a": "ada", "b": "eve"}
        for swap in raw["swaps"].values():
            swap["truth"] = "none"
        raw["swaps"]["ada-on-eve"] = {
            "pair": "ada-eve",
            "source": "ada",
            "target": "eve",
            "clip": "eve",
            "truth": "none",
        }
        raw["training"]["preset"] = "smoke"
        raw["detection"] = {"unenrolled": "warn"}

    edit(project, change)
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    return project


@pytest.fixture(scope="module")
def first_run(project: Path) -> subprocess.CompletedProcess[str]:
    return dvc(project, "repro", "--keep-going")


def test_a_broken_clip_stops_its_own_swap_only(first_run: subprocess.CompletedProcess[str], project: Path) -> None:
    assert first_run.returncode != 0
    assert "data/footage/eve.mp4: it can not be read as video" in first_run.stderr
    assert "Traceback" not in first_run.stderr
    for swap in ("ada-on-ben", "ben-on-ada"):
        assert (project / "data/encoding" / swap / "deliverable.mp4").is_file(), first_run.stderr[-3000:]
        assert (project / "data/evaluation" / swap / "report.html").is_file()
    assert not (project / "data/extraction/eve").exists()
    assert not list((project / "data").rglob("*.part*"))


@pytest.mark.parametrize(
    ("clip", "told"),
    [
        (
            "fay",
            "error: data/footage/fay.mp4: the clip 'fay' is not there\n"
            "  mend: put it there or correct clips.fay.path in params.yaml",
        ),
        (
            "gus",
            "error: data/consent/gus.yaml: there is no consent record for 'gus'\n"
            "  mend: have the person sign one: `python -m stages.consent new gus` asks what it must say",
        ),
    ],
)
def test_what_a_clip_lacks_is_told_with_the_mend(
    first_run: subprocess.CompletedProcess[str], project: Path, clip: str, told: str
) -> None:
    """By the stage itself, not by DVC, which only knows that a dependency is missing."""
    assert told in first_run.stderr
    assert "No such file or directory" not in first_run.stderr
    for stage in ("admission", "extraction", "dataset"):
        assert not list((project / "data" / stage).rglob(f"*{clip}*"))
    assert (project / "data/encoding/ada-on-ben/deliverable.mp4").is_file()


def test_the_deliverable_keeps_times_and_sound(first_run: subprocess.CompletedProcess[str], project: Path) -> None:
    def of(path: Path, kind: str) -> list[tuple[int | None, int]]:
        with av.open(os.fspath(path)) as container:
            packets = container.demux(**{kind: 0})
            return sorted((packet.pts or 0, packet.size if kind == "audio" else 0) for packet in packets if packet.size)

    clip, made = project / "data/footage/ben.mp4", project / "data/encoding/ada-on-ben/deliverable.mp4"
    assert of(made, "audio") == of(clip, "audio")
    assert of(made, "video") == of(clip, "video")


def test_what_is_there_is_not_made_again(first_run: subprocess.CompletedProcess[str], project: Path) -> None:
    again = dvc(project, "repro", "evaluation@ada-on-ben")
    assert again.returncode == 0
    assert "Stage 'admission@ada' didn't change, skipping" in again.stdout
    assert "Running stage" not in again.stdout
    assert "up to date" in again.stdout


def test_a_blend_setting_reruns_compositing_onward_only(
    first_run: subprocess.CompletedProcess[str], project: Path
) -> None:
    def change(raw: dict[str, Any]) -> None:
        raw["compositing"].setdefault("blend", {})["opacity"] = 0.5

    kept = (project / "params.yaml").read_text()
    edit(project, change)
    again = dvc(project, "repro", "evaluation@ada-on-ben")
    (project / "params.yaml").write_text(kept)
    back = dvc(project, "repro", "evaluation@ada-on-ben")
    run = [line.split("'")[1].split("@")[0] for line in again.stdout.splitlines() if "Running stage" in line]
    assert run == ["compositing", "encoding", "evaluation"], again.stderr[-2000:]
    assert back.returncode == 0
    assert "Running stage" not in back.stdout  # DVC's cache still has it


def test_the_same_inputs_give_the_same_model_and_deliverable(
    first_run: subprocess.CompletedProcess[str], project: Path
) -> None:
    """Made again by force, every hash in dvc.lock stays as it was."""
    before = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    for stage in ("training@ada-ben", "conversion@ada-on-ben", "compositing@ada-on-ben", "encoding@ada-on-ben"):
        made = dvc(project, "repro", "--force", "--single-item", "--no-run-cache", stage)
        assert made.returncode == 0, made.stderr[-2000:]
    after = yaml.safe_load((project / "dvc.lock").read_text())["stages"]
    assert after == before


def test_metrics_and_plots_are_shown_by_dvc(first_run: subprocess.CompletedProcess[str], project: Path) -> None:
    shown = dvc(project, "metrics", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    files = json.loads(shown.stdout)[""]["data"]
    assert "data/evaluation/ada-on-ben/metrics.json" in files
    assert "data/training/ada-ben/metrics.json" in files
    plots = dvc(project, "plots", "show", "-o", "plots")
    assert plots.returncode == 0, plots.stderr
    assert (project / "plots" / "index.html").is_file()


def test_withdrawn_consent_stops_the_swap_with_its_reason(
    first_run: subprocess.CompletedProcess[str], project: Path
) -> None:
    record = project / "data/consent/ben.yaml"
    kept = record.read_text()
    record.write_text(kept.replace("status: active", "status: revoked"))
    refused = dvc(project, "repro", "evaluation@ada-on-ben")
    record.write_text(kept)
    assert refused.returncode != 0
    assert "data/consent/ben.yaml: status: the consent was withdrawn" in refused.stderr


def test_an_unknown_setting_is_told_by_name(first_run: subprocess.CompletedProcess[str], project: Path) -> None:
    kept = (project / "params.yaml").read_text()
    edit(project, lambda raw: raw["compositing"].update(fether=1))
    refused = dvc(project, "repro", "encoding@ada-on-ben")
    (project / "params.yaml").write_text(kept)
    assert refused.returncode != 0
    assert "params.yaml, compositing.fether: unknown key 'fether'" in refused.stderr
    assert "feather" in refused.stderr or "known:" in refused.stderr


def test_a_swap_below_its_thresholds_fails_the_run_and_is_kept(
    first_run: subprocess.CompletedProcess[str], project: Path
) -> None:
    """Everything is written and marked; the deliverable stays; what failed is not locked, and fails again."""
    kept, lock = (project / "params.yaml").read_text(), (project / "dvc.lock").read_text()
    deliverable = project / "data/encoding/ada-on-ben/deliverable.mp4"
    before = deliverable.stat()

    def change(raw: dict[str, Any]) -> None:
        thresholds = {"similarity_source": {"least": 1.5}, "psnr": {"least": 30}}
        raw["evaluation"] = {"frames": 2, "stretches": 0, "thresholds": thresholds}

    edit(project, change)
    for _ in range(2):
        failed = dvc(project, "repro", "evaluation@ada-on-ben")
        assert failed.returncode != 0
        assert failed.stderr.count("error: data/evaluation/ada-on-ben/report.html: the swap misses") == 1
        assert "similarity_source: at least 1.500 asked" in failed.stderr
        assert "psnr: at least 30.00 dB asked, not measured of this swap" in failed.stderr
        assert "Traceback" not in failed.stderr
    assert json.loads((project / "data/evaluation/ada-on-ben/metrics.json").read_text())["thresholds_missed"] == 1
    assert "Failed: the deliverable misses" in (project / "data/evaluation/ada-on-ben/report.html").read_text()
    assert deliverable.stat() == before
    assert (project / "dvc.lock").read_text() == lock
    command = [sys.executable, "-m", "stages.deliverables"]
    told = subprocess.run(command, cwd=project, text=True, capture_output=True, check=False)
    assert "FAILED       1 of evaluation.thresholds missed" in told.stdout
    (project / "params.yaml").write_text(kept)
    assert dvc(project, "repro", "evaluation@ada-on-ben").returncode == 0


BESIDE = ("data/consent/", "data/audit/", "data/withdrawn/", "data/registry/", "data/footage/", ".dvc/tmp/")
"""Where a purge may or must leave, change or add something."""


def is_of(name: str, path: str) -> bool:
    """Whether a file is a result that came from a person, by its path. Of a pair's cast only the settings are known."""
    words = re.split(r"[/.-]", path)
    return path.startswith(("data/", ".scratch/")) and name in words and "cast" not in words


def hashed(files: dict[str, bytes]) -> dict[str, str]:
    """MD5 of each file by its path."""
    return {path: hashlib.md5(content).hexdigest() for path, content in files.items()}


def without(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files that do not lie in a folder; DVC notes its locks in one."""
    return {path: content for path, content in files.items() if not path.startswith(folder)}


def objects_in(files: dict[str, str]) -> set[str]:
    """The hashes of DVC's objects among the files of a cache or remote."""
    found = (re.search(r"files/md5/([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)$", path) for path in files)
    return {match[1] + match[2] for match in found if match}


def objects_of_others(project: Path, name: str) -> set[str]:
    """The hashes of all objects that dvc.lock names of stages which are not a person's."""
    found: set[str] = set()
    for entry in yaml.safe_load((project / "dvc.lock").read_text())["stages"].values():
        for out in entry["outs"]:
            place = project / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]
            if not is_of(name, out["path"]) and place.exists():
                listed = json.loads(place.read_text()) if out["md5"].endswith(".dir") else []
                found |= {out["md5"], *(each["md5"] for each in listed)}
    return found


def runs_in(files: dict[str, bytes]) -> dict[str, list[str]]:
    """Name of each entry of a run cache -> what it wrote."""
    texts = {path.rpartition("/")[2]: content for path, content in files.items() if "/runs/" in f"/{path}"}
    return {name: [out["path"] for out in yaml.safe_load(text)["outs"]] for name, text in texts.items()}


def test_at_the_end_a_purge_leaves_nothing_of_one_person_and_all_of_the_others(
    first_run: subprocess.CompletedProcess[str], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is hashed before and after, in the tree, in DVC's cache and on a remote that speaks S3's protocol.

    It comes last: of ada nothing is left.
    """
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("LIKENESS_KEYS", str(tmp_path / "keys"))
    put(tmp_path / "keys", "ada.pem", secret("ada").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    shutil.rmtree(project / "plots", ignore_errors=True)  # that another test drew
    (project / "data/decisions/ada.yaml").write_text("version: 1\n")
    for out in ("shots/ada-on-ben", str(tmp_path / "handed")):
        made = python(project, "stages.compositing", "layers", "ada-on-ben", "--out", out)
        assert made.returncode == 0, made.stderr
    with s3_server(tmp_path / "moto.log") as address:
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="likeness")
        add_remote(project, "store", "s3://likeness/deep/in", endpointurl=address)
        push(project, "store")
        bucket = Bucket(address, "likeness")
        tree, remote = content_of(project), bucket.content()
        others = objects_of_others(project, "ada")
        done = python(project, "stages.consent", "revoke", "ada", "--key", "ada", "--purge", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        tree_after, remote_after = content_of(project), bucket.content()
        again = python(project, "stages.consent", "revoke", "ada", "--purge", "--yes")
        assert "Nothing that came from this person is left here" in again.stdout
        assert without(".dvc/tmp/", content_of(project)) == without(".dvc/tmp/", tree_after)
        assert hashed(bucket.content()) == hashed(remote_after)

    before, after = hashed(tree), hashed(tree_after)
    own = {path for path in before if is_of("ada", path) and not path.startswith(BESIDE)}
    own |= {path for path in before if path.startswith("shots/")}
    stages = {path.split("/")[1] for path in own if path.startswith("data/")}
    assert stages >= {"admission", "extraction", "screening", "detection", "alignment", "dataset", "decisions"}
    assert stages >= {"training", "conversion", "compositing", "encoding", "evaluation"}

    def rest(files: dict[str, str]) -> dict[str, str]:
        return {path: md5 for path, md5 in files.items() if not path.startswith((*BESIDE, ".dvc/cache/"))}

    assert rest(after) == {path: md5 for path, md5 in rest(before).items() if path not in own}, "the tree"
    for name, stored in (("cache", (tree, tree_after)), ("remote", (remote, remote_after))):
        files, files_after = map(hashed, stored)
        assert objects_in(files) > others, name
        assert objects_in(files_after) == others, f"{name}: what is left is the others', all of it"
        assert all(files[path] == md5 for path, md5 in files_after.items() if "/files/md5/" in f"/{path}"), name
        runs, runs_after = map(runs_in, stored)
        mine = {run for run, paths in runs.items() if any(is_of("ada", path) for path in paths)}
        assert mine, name
        assert set(runs_after) == set(runs) - mine, name
    lost = {before[path] for path in own} - {md5 for path, md5 in before.items() if path not in own and path in after}
    assert not lost & {*after.values(), *hashed(remote_after).values()}, "no byte of it under any other name"

    (file,) = (project / "data/withdrawn").iterdir()
    stones = [json.loads(line) for line in file.read_text().splitlines()]
    assert {stone["kind"] for stone in stones} == {"object", "run", "file"}
    assert {stone["hash"] for stone in stones if stone["kind"] == "object"} == objects_in(before) - others
    for swap in ("ada-on-ben", "ben-on-ada"):
        number = json.loads(tree[f"data/encoding/{swap}/facts.json"])["watermark"]["identifier"]
        assert json.loads((project / f"data/registry/{number}.json").read_text())["status"] == "revoked"
    assert f"outside of the project ({tmp_path / 'handed'})" in done.stdout
    assert (project / "data/footage/ada.mp4").is_file(), "what was handed over is not asked for"
    assert "didn't change, skipping" in dvc(project, "repro", "dataset@ben").stdout
