"""What the doctor finds, in health and with faults that were put there."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flows.doctor import machine, media, project
from flows.doctor.finding import Finding, looked_at
from stages.problems import Problem
from stages.settings import load_params
from tests.conftest import REPOSITORY
from tests.flows.conftest import commit, dvc, run
from tests.records import put_record


def verdicts(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.what, finding.verdict) for finding in found]


def test_a_look_that_comes_to_grief_is_a_finding() -> None:
    def broken() -> list[Finding]:
        raise Problem("it is damaged", where="a file", mend="mend it")

    def strange() -> list[Finding]:
        raise ImportError("no such library")

    assert list(looked_at("pack", broken)) == [Finding("pack", "fail", "a file: it is damaged", "mend it")]
    (finding,) = looked_at("GPU", strange)
    assert (finding.verdict, finding.says) == ("fail", "ImportError: no such library")


def test_networks_run_and_what_is_only_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    found = list(media.networks())
    assert found[-1].verdict == "ok"
    assert "CPUExecutionProvider" in found[-1].says
    listed = ["NoSuchExecutionProvider", *onnxruntime.get_available_providers()]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: listed)
    with pytest.warns(UserWarning, match="NoSuchExecutionProvider"):
        found = list(media.networks())
    assert found[0].verdict == "warn"
    assert "NoSuchExecutionProvider" in found[0].says


def test_encoders_encode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts(list(media.encoders())) == [("ffmpeg", "ok"), ("encoders", "ok")]
    (hardware,) = media.hardware()
    assert (hardware.what, hardware.verdict) == ("hardware", "ok"), "nothing needs any"
    # a system's ffmpeg without x265, which would be taken first
    from stages.video import ffmpeg_program

    lesser = tmp_path / "bin" / "ffmpeg"
    lesser.parent.mkdir()
    lesser.write_text(f'#!/bin/sh\ncase "$*" in *libx265*) exit 1;; esac\nexec {ffmpeg_program()} "$@"\n')
    lesser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{lesser.parent}:/usr/bin:/bin")
    ffmpeg, encoders = media.encoders()
    assert ffmpeg.says.endswith(str(lesser))
    assert (encoders.verdict, encoders.says) == ("warn", "it can not encode h265")


def test_packages_are_compared_with_the_pins(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    from importlib.metadata import version

    lock.write_text(f"numpy=={version('numpy')}\n")
    assert verdicts(list(machine.packages(lock))) == [("packages", "ok")]
    lock.write_text("numpy==1.0\nno-such-package==1.0\n")
    missing, others = machine.packages(lock)
    assert (missing.verdict, missing.says) == ("fail", "not installed: no-such-package")
    assert (others.verdict, others.says) == ("warn", f"not as pinned: numpy {version('numpy')} for 1.0")


def test_a_full_disk_and_full_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = {"GB": 50.0}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("usage", (), {"free": free["GB"] * 1e9}))
    found = []
    for free["GB"] in (50.0, 5.0, 0.5):
        found += [finding.verdict for finding in machine.disk(tmp_path)]
    assert found == ["ok", "warn", "fail"]
    memory = type("memory", (), {"available": 1e9, "total": 8e9})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    assert [finding.says for finding in machine.memory()] == ["1.0 of 8.0 GB free"]


def test_packs_and_base_by_their_hashes(workplace: Path) -> None:
    assert verdicts(list(project.packs(load_params()))) == [("pack", "ok")]
    (workplace / "data/packs").unlink()
    (finding,) = looked_at("pack", lambda: project.packs(None))
    assert (finding.verdict, finding.mend) == ("fail", "restore it: `git checkout data/packs`")


def test_a_base_with_one_byte_changed_is_found(project_with_base: Path) -> None:
    assert verdicts(list(project.base(project_with_base))) == [("base", "ok")]
    weights = project_with_base / "data/base/weights.safetensors"
    weights.write_bytes(b"other")
    (finding,) = project.base(project_with_base)
    assert (finding.verdict, finding.mend) == ("fail", "`git checkout data/base/weights.safetensors`")


@pytest.fixture
def project_with_base(project: Path) -> Path:
    (project / "data/base").mkdir()
    (project / "data/base/weights.safetensors").write_bytes(b"weights")
    commit(project)
    return project


def test_remotes_are_reached_or_the_reason_is_told(project: Path, tmp_path: Path) -> None:
    from flows.doctor.project import remotes

    assert [finding.says for finding in remotes(project)] == ["there is none"]
    (tmp_path / "store").mkdir()
    dvc("remote", "add", "store", str(tmp_path / "store"), cwd=project)
    dvc("remote", "add", "other", str(tmp_path / "nothing"), cwd=project)
    dvc("remote", "add", "cloud", "http://127.0.0.1:9/store", cwd=project)
    found = {finding.says.partition(" ")[0]: finding.verdict for finding in remotes(project)}
    assert found["store"] == "warn", "nothing was pushed there"
    assert found["cloud"] in ("warn", "fail")
    run("mkdir", "-p", str(tmp_path / "store" / "files" / "md5"), cwd=project)
    assert next(iter(remotes(project))).verdict == "ok"


LOOK = """\
from pathlib import Path
from flows.doctor import project
project.REMOTE_SECONDS = 2.0
for finding in project.remotes(Path.cwd()):
    print(finding.verdict, finding.says, flush=True)
"""


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}/store", "s3://bucket/store", "ssh://user@127.0.0.1:{}/store"])
def test_a_remote_that_never_answers_does_not_keep_the_program(project: Path, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        port = silent.getsockname()[1]
        dvc("remote", "add", "dead", address.format(port), cwd=project)
        if address.startswith("s3"):
            dvc("remote", "modify", "dead", "endpointurl", f"http://127.0.0.1:{port}", cwd=project)
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        # it would wait for ever; to import DVC and its client takes its time, too
        done = subprocess.run(
            [sys.executable, "-c", LOOK], capture_output=True, text=True, env=os.environ | keys, timeout=60, check=True
        )
    assert done.stdout.startswith("fail dead ")
    assert "does not answer in 2 s" in done.stdout


def test_consent_that_ends_soon_and_keys_that_others_can_read(workplace: Path, tmp_path: Path) -> None:
    from datetime import date, timedelta

    params = load_params()
    assert [finding.verdict for finding in project.consent(params)] == ["ok"]
    end = date.today() + timedelta(days=10)
    put_record(workplace / "data/consent", "ada", term={"given": "2020-01-01", "expires": end.isoformat()})
    (finding,) = project.consent(params)
    assert finding.verdict == "warn"
    assert str(end) in finding.says
    secret = tmp_path / "keys" / "ada.pem"
    secret.parent.mkdir()
    secret.write_text("private")
    secret.chmod(0o600)
    assert [finding.verdict for finding in project.keys(secret.parent)] == ["ok"]
    secret.chmod(secret.stat().st_mode | stat.S_IRGRP)
    assert [finding.verdict for finding in project.keys(secret.parent)] == ["fail", "ok"]


def test_prefect_without_and_with_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    assert [finding.verdict for finding in project.prefect(tmp_path)] == ["ok"]
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    (finding,) = project.prefect(tmp_path)
    assert (finding.verdict, finding.mend.split(":")[0]) == ("fail", "start it, or unset PREFECT_API_URL")


def test_the_shipped_project_has_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert verdicts(list(project.settings())) == [("project", "ok")]
