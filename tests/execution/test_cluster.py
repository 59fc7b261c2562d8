"""A real cluster: workers that die, workers that are not fit, no workers, no scheduler."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from stages.execution import cluster as on_cluster
from stages.execution.engines import opened
from stages.execution.settings import ExecutionSettings
from stages.execution.surroundings import CODE, require_same, surroundings
from stages.problems import Problem
from tests.conftest import REPOSITORY
from tests.execution.conftest import start
from tests.execution.works import Squares


def dask(address: str | None = None, workers: int | None = None) -> ExecutionSettings:
    return ExecutionSettings(engine="dask", address=address, workers=workers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facts.json").write_text("{}")
    return tmp_path


def test_the_spans_of_a_killed_worker_are_done_by_another(cluster: str, folder: Path) -> None:
    with opened(dask(cluster)) as engine:
        found = [square for square, _ in engine.map(Squares(folder, deadly=7, seconds=0.02), range(20))]
    assert (folder / "died").exists()
    assert found == [n * n for n in range(20)]


def test_without_an_address_workers_of_this_machine_are_started(folder: Path) -> None:
    with opened(dask(workers=1)) as engine:
        found = list(engine.map(Squares(folder), range(6)))
    assert [square for square, _ in found] == [n * n for n in range(6)]
    assert len({process for _, process in found}) == 1


def test_a_worker_with_other_artifacts_is_refused(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths: the worker looks for them where it was started, which is another folder than this one."""
    monkeypatch.chdir(tmp_path)
    Path("facts.json").write_text("{}")
    with opened(dask(cluster)) as engine, pytest.raises(Problem) as caught:
        list(engine.map(Squares(Path()), range(3)))
    assert "this worker does not have facts.json" in str(caught.value)
    assert caught.value.where.startswith("tcp://")


@pytest.mark.parametrize(
    ("threads", "whole", "told"),
    [("2", True, "several threads"), ("1", False, "can not load the project.*No module named")],
)
def test_a_worker_that_is_not_fit_is_refused(
    scheduler: str, folder: Path, tmp_path: Path, threads: str, whole: bool, told: str
) -> None:
    # as where the project is not; where it is installed, as here, any folder would do
    (tmp_path / "other" / "stages").mkdir(parents=True)
    (tmp_path / "other" / "stages" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'stages'\")"
    )
    command = ["worker", scheduler, "--nthreads", threads, "--no-dashboard"]
    project = REPOSITORY if whole else tmp_path / "other"
    with Client(scheduler, set_as_default=False) as client:  # not by a run: one that hands out spans ends such a worker
        before = len(client.nthreads())
        joining = start(*command, folder=folder, log=tmp_path / "log", project=project)
        try:
            client.wait_for_workers(before + 1, timeout=120)
            with pytest.raises(Problem, match=told) as caught, opened(dask(scheduler)) as engine:
                list(engine.map(Squares(folder), range(3)))
        finally:
            joining.terminate()
            joining.wait()
    assert caught.value.where.startswith("tcp://")


@pytest.mark.parametrize(
    ("ending", "told"), [("workers", "the cluster has no workers"), ("scheduler", "the connection .* was lost")]
)
def test_a_run_whose_cluster_goes_away_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str, told: str
) -> None:
    monkeypatch.setattr(on_cluster, "LOOKS", 1)
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
        opened(dask(local.scheduler_address)) as engine,
    ):
        results = engine.map(Squares(folder, seconds=0.3), range(20))
        assert next(results)[0] == 0
        monkeypatch.setattr(on_cluster, "PATIENCE", 1)
        if ending == "workers":
            local.scale(0)
        else:
            local.close()
        with pytest.raises(Problem, match=told):
            list(results)


def test_an_address_where_nobody_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster, "PATIENCE", 1)
    with pytest.raises(Problem, match=r"no scheduler answers.*\n.*dask scheduler"), opened(dask("tcp://127.0.0.1:9")):
        pass


class TestSurroundings:
    """What is compared."""

    def test_one_process_has_the_same_as_itself(self, folder: Path) -> None:
        files = [folder / "facts.json"]
        require_same(surroundings(files), surroundings(files), "tcp://worker")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"code": "other"}, "other code"),
            ({"versions": {"numpy": "1.0"}}, r"numpy 1\.0 where .* is needed"),
            ({"files": {}}, "has another"),
        ],
    )
    def test_what_differs_is_named(self, folder: Path, change: dict[str, object], told: str) -> None:
        mine = surroundings([folder / "facts.json"])
        with pytest.raises(Problem, match=told):
            require_same(mine, dataclasses.replace(mine, **change), "tcp://worker")

    def test_another_commit_has_another_code(self, tmp_path: Path) -> None:
        """Two copies of the package, one of them changed by a line."""
        codes = []
        for name in ("one", "two"):
            shutil.copytree(CODE, tmp_path / name / "stages", ignore=shutil.ignore_patterns("__pycache__"))
            if name == "two":
                with (tmp_path / name / "stages" / "geometry.py").open("a") as module:
                    module.write("# changed\n")
            asked = "from stages.execution.surroundings import surroundings; print(surroundings([]).code)"
            codes.append(
                subprocess.check_output([sys.executable, "-c", asked], cwd=tmp_path / name, env={"PATH": ""}, text=True)
            )
        assert codes[0] != codes[1]
        assert codes[0].strip() == surroundings([]).code
