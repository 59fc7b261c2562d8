"""What a companion makes stale: its own pair, and no other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.lineage.trace import trace
from stages.consent.withdrawal import withdraw
from tests.conftest import REPOSITORY
from tests.records import SIGNED, public, put_record, secret
from tests.training.faces import write_face_set

CAST = ["cast@ada-ben", "cast@ada-dan"]


def edit(change: Callable[[dict[str, Any]], object]) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    change(raw)
    Path("params.yaml").write_text(yaml.safe_dump(raw))


def join() -> None:
    edit(lambda raw: raw["companions"].update({"cyd-in-ada-ben": {"pair": "ada-ben", "identity": "cyd"}}))


@pytest.fixture
def project(workplace: Path) -> Path:
    """A DVC project with the real stages `cast` and `companions`, and stand-ins for `dataset` and `training`."""
    for name in ("stages/cast", "stages/companions", "stages/artifacts"):
        (workplace / name).mkdir(parents=True)
        (workplace / name / "code").write_text("the code runs from the repository")
    shipped = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    stages = {name: shipped[name] for name in ("cast", "companions")}
    assert "data/cast/${key}" in shipped["training"]["do"]["deps"]
    face_set = "data/dataset/${item.identity}/${key}"
    stages["dataset"] = {
        "foreach": "${clips}",
        "do": {
            "cmd": f"mkdir -p {face_set} && cp footage/${{key}}/* {face_set}",
            "deps": ["footage/${key}"],
            "outs": [face_set],
        },
    }
    stages["training"] = {
        "foreach": "${pairs}",
        "do": {
            "cmd": "find data/cast/${key} -type f | sort | xargs cat > ${key}.model",
            "deps": ["data/dataset/${item.a}", "data/dataset/${item.b}", "data/cast/${key}"],
            "params": ["pairs.${key}"],
            "outs": ["${key}.model"],
        },
    }
    (workplace / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    put_record(Path("data/consent"), "cyd")
    identities = ("ada", "ben", "cyd", "dan")
    for seed, name in enumerate(identities):
        write_face_set(workplace / "footage" / name, "ada", train=2, held_out=1, seed=seed)

    def change(raw: dict[str, Any]) -> None:
        raw["identities"] = {name: {} for name in identities}
        raw["clips"] = {name: {"identity": name, "path": f"footage/{name}"} for name in identities}
        raw["pairs"]["ada-dan"] = {"a": "ada", "b": "dan"}

    edit(change)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], check=True, capture_output=True)
    return workplace


def repro(*targets: str, refused: str = "") -> list[str]:
    """What `dvc repro` runs, sorted; it must be refused with these words, or go well."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    surroundings = os.environ | {"PATH": programs, "PYTHONPATH": str(REPOSITORY), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "dvc", "repro", *targets]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    assert (done.returncode != 0) == bool(refused), done.stderr[-2000:]
    assert refused in done.stderr
    return sorted(line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage"))


def test_a_companion_makes_its_own_pair_stale_and_no_other(project: Path) -> None:
    """It joins, gets other faces, and leaves."""
    repro()
    before = Path("ada-dan.model").read_bytes()
    join()
    assert repro() == [*CAST, "companions@cyd-in-ada-ben", "training@ada-ben"]

    steps = {traced.step.stage: traced for traced in trace(project, "ada-ben.model").steps}
    assert "footage/cyd" in [item.artifact.path for item in steps["dataset@cyd"].inputs]
    consents = steps["companions@cyd-in-ada-ben"].consents
    assert [(one.identity, one.role, one.standing) for one in consents] == [("cyd", "training", "active")]
    assert "dataset@cyd" not in {traced.step.stage for traced in trace(project, "ada-dan.model").steps}

    shutil.rmtree("footage/cyd")
    write_face_set(project / "footage" / "cyd", "ada", train=3, held_out=1, seed=9)
    assert repro() == ["companions@cyd-in-ada-ben", "dataset@cyd", "training@ada-ben"]

    edit(lambda raw: raw.update(companions={}))
    assert repro() == CAST, "of the pair itself, the run cache has the model from before"
    assert "cyd" not in Path("ada-ben.model").read_text()
    assert Path("ada-dan.model").read_bytes() == before


def test_a_withdrawal_stops_the_companions_pair_and_leaves_it_stale(project: Path) -> None:
    join()
    repro("training@ada-ben")
    withdraw("cyd", secret("cyd"), public("cyd", "performer cyd", "subject"), day=SIGNED)
    repro("training@ada-ben", refused="data/consent/cyd.yaml: status: the consent was withdrawn")
    steps = {traced.step.stage: traced for traced in trace(project, "ada-ben.model").steps}
    assert steps["training@ada-ben"].stale
    assert [one.standing for one in steps["companions@cyd-in-ada-ben"].consents] == ["revoked"]
    assert "training@ada-dan" in repro("training@ada-dan"), "the other pair does not wait for it"
