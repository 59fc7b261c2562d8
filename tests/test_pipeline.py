"""The whole way, as a user goes it: real DVC, real footage (a few seconds of the samples), a few training steps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import pytest
import yaml

from stages.video import ffmpeg_program
from tests.conftest import REPOSITORY
from tests.records import put_record

SECONDS = "3"


def dvc(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(Path(sys.executable).parent / "dvc"), *arguments]
    return subprocess.run(
        command, cwd=project, text=True, capture_output=True, check=False, env=os.environ | {"PATH": programs}
    )


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
