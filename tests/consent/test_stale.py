"""What DVC holds for stale once a record has changed: the shipped pipeline over files that stand for the real ones."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

from flows.pipeline import Pipeline, Selection, stale_stages
from tests.conftest import REPOSITORY
from tests.records import put_record

OF_CLIPS = ("extraction", "screening", "detection", "alignment", "dataset")
OF_SWAPS = ("conversion", "compositing", "encoding", "evaluation")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped stage graph and settings, with a companion; each file and folder it names has a line of its own.

    All of it is written down as made, so nothing is stale, and nothing was run.
    """
    root = tmp_path_factory.mktemp("fresh")
    shutil.copy(REPOSITORY / "dvc.yaml", root)
    raw = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    raw["identities"] |= {"eve": {}}
    raw["clips"] |= {"eve": {"identity": "eve", "path": "data/footage/eve.mp4"}}
    raw["companions"] = {"eve-in-ada-ben": {"pair": "ada-ben", "identity": "eve"}}
    (root / "params.yaml").write_text(yaml.safe_dump(raw))
    for name in ("ada", "ben", "eve"):
        put_record(root / "data/consent", name)
    Repo.init(str(root), no_scm=True).close()
    with contextlib.chdir(root), Repo(str(root)) as repo, repo.lock:
        stages = list(repo.index.stages)
        for place in sorted(each.fs_path for stage in stages for each in _plain(stage)):
            _stand_in(Path(place), root)
        for stage in stages:
            stage.save()
            stage.commit()
            stage.dump(update_pipeline=False)
    return root


def _plain(stage: Any) -> Iterator[Any]:
    """What a stage reads and writes, but its settings."""
    yield from (each for each in (*stage.deps, *stage.outs) if not hasattr(each, "params"))


def _stand_in(place: Path, root: Path) -> None:
    """A file that says its own path; what other stand-ins lie in, is a folder."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix:
            place.write_text(f"{place.relative_to(root)}\n")
        else:
            place.mkdir()
            (place / "content").write_text(f"{place.relative_to(root)}\n")


@pytest.fixture
def pipeline(fresh: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(fresh, tmp_path / "project", symlinks=True)


def stale(root: Path) -> dict[str, list[str]]:
    """Address of each stage that is stale by itself -> why."""
    return stale_stages(root, list(Pipeline.load(root).chosen(Selection())))


def test_nothing_is_stale_before(pipeline: Path) -> None:
    assert stale(pipeline) == {}


@pytest.mark.parametrize("name", ["ada", "ben"])
def test_a_changed_record_makes_exactly_the_stages_of_that_person_stale(pipeline: Path, name: str) -> None:
    """Admission asks for the record itself, and names what is missing: it is no dependency there."""
    record = pipeline / "data/consent" / f"{name}.yaml"
    record.write_text(record.read_text() + "# changed\n")
    of_swaps = {f"{stage}@{swap}" for stage in OF_SWAPS for swap in ("ada-on-ben", "ben-on-ada")}
    assert set(stale(pipeline)) == {f"{stage}@{name}" for stage in OF_CLIPS} | {"training@ada-ben"} | of_swaps
    assert {tuple(reasons) for reasons in stale(pipeline).values()} == {(f"deps data/consent/{name}.yaml modified",)}


def test_a_companions_record_makes_its_clips_and_its_part_in_the_pair_stale(pipeline: Path) -> None:
    """The pair's training follows once the companion's part is made anew with the changed record in it."""
    record = pipeline / "data/consent/eve.yaml"
    record.write_text(record.read_text() + "# changed\n")
    assert set(stale(pipeline)) == {*(f"{stage}@eve" for stage in OF_CLIPS), "companions@eve-in-ada-ben"}


def test_the_record_of_nobody_in_the_pipeline_makes_nothing_stale(pipeline: Path) -> None:
    put_record(pipeline / "data/consent", "gus")
    assert stale(pipeline) == {}
