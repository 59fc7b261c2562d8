"""What an evaluation writes, in DVC's hands: figures and curves compared between revisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from stages.artifacts.evaluation import Evaluation
from tests.conftest import REPOSITORY

PLACE = Path("data/evaluation/ada-on-ben")


def run(project: Path, *command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | who | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=project, env=environment, text=True, capture_output=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def project(usual: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one evaluation, and a better one in its working tree, declared as dvc.yaml declares them."""
    project = tmp_path_factory.mktemp("project")
    stage = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]["evaluation"]["do"]
    declared = {key: stage[key] for key in ("outs", "metrics", "plots")}
    text = yaml.safe_dump({"stages": {"evaluation": {"cmd": "true", **declared}}}).replace("${key}", "ada-on-ben")
    (project / "dvc.yaml").write_text(text)
    run(project, "git", "init", "-q")
    run(project, "dvc", "init", "-q")
    (project / PLACE).mkdir(parents=True)
    usual.write(project / PLACE)
    run(project, "git", "add", "-A")
    run(project, "git", "commit", "-q", "-m", "one")
    better = usual.frames.assign(psnr=usual.frames["psnr"] + 2.0)
    replace(usual, metrics={**usual.metrics, "psnr": usual.metrics["psnr"] + 2.0}, frames=better).write(project / PLACE)
    return project


def test_figures_are_compared_between_revisions(project: Path, usual: Evaluation) -> None:
    told = json.loads(run(project, "dvc", "metrics", "diff", "--json"))
    assert told[str(PLACE / "metrics.json")] == {
        "psnr": {"old": usual.metrics["psnr"], "new": usual.metrics["psnr"] + 2.0, "diff": pytest.approx(2.0)}
    }


def test_curves_are_compared_between_revisions(project: Path, usual: Evaluation) -> None:
    told = json.loads(run(project, "dvc", "plots", "diff", "--json", "--split"))
    (plots,) = (plots for name, plots in told["data"].items() if "frames.csv" in name)
    values = json.dumps(plots)
    assert "HEAD" in values
    assert "workspace" in values
    first = usual.frames["psnr"].dropna().iloc[0]
    assert f"{float(f'{first + 2.0:.6g}')}" in values
