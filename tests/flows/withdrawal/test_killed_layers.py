"""Layers whose delivery is killed half-way are found and removed by a purge, wherever they lie: a real SIGKILL."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo

from flows.withdrawal.purge import find, purge
from stages.audit import log as audit
from stages.compositing import layers
from stages.consent.withdrawal import withdraw
from stages.settings import load_params
from tests.compositing.conftest import make_pipeline, make_scene  # noqa: F401  the fixtures below ask for them
from tests.compositing.test_layers import ready  # noqa: F401  so does this one
from tests.flows.conftest import run
from tests.killing import killed
from tests.records import SIGNED, public, secret

WRITTEN = ["face/000000.exr", "layers.json", "matte/000000.png"]
"""When the second face is about to be written."""


def dying(folder: Path, out: Path) -> None:
    """What a child does."""
    os.chdir(folder)
    write = layers.write_exr

    def write_one(path: Path, *given: Any) -> None:
        if path.name != "000000.exr":
            os.kill(os.getpid(), signal.SIGKILL)
        write(path, *given)

    layers.write_exr = write_one
    layers.deliver("ada-on-ben", load_params(Path("params.yaml")), out)


@pytest.fixture
def project(ready: Path) -> Path:  # noqa: F811  a fixture is asked for by its name
    """A repository in which all is done but the layers of ada-on-ben."""
    run("git", "init", "--quiet", cwd=ready)
    Repo.init(str(ready)).close()
    return ready


@pytest.mark.parametrize("where", ["data/layers/ada-on-ben", "shots/one", "outside"])
@pytest.mark.parametrize("identity", ["ada", "ben"])
def test_what_a_killed_delivery_left_is_removed_by_a_purge(
    project: Path, tmp_path_factory: pytest.TempPathFactory, where: str, identity: str
) -> None:
    out = tmp_path_factory.mktemp("handed") / "one" if where == "outside" else Path(where)
    killed(dying, project, out)
    [half] = out.parent.iterdir()
    assert sorted(path.relative_to(half).as_posix() for path in half.rglob("*") if path.is_file()) == WRITTEN
    assert [entry["layers"] for entry in audit.entries("begun")] == [str(out)]
    assert audit.entries("delivery") == []

    key = secret(identity), public(identity, f"performer {identity}", "subject")
    withdraw(identity, *key, day=SIGNED)
    removed = purge(identity, load_params(), lambda: key)

    assert out.name in str(removed.findings.places)
    assert removed.tombstones == len(WRITTEN)
    assert not half.exists()
    assert find(identity, load_params()).is_empty


def test_a_delivery_that_ended_well_leaves_no_half_of_itself(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("handed") / "one"
    killed(dying, project, out)
    layers.deliver("ada-on-ben", load_params(), out)
    assert list(out.parent.iterdir()) == [out], "what the kill had left is gone"
    found = find("ada", load_params())
    assert (found.halves, found.elsewhere) == ([], [str(out)])
