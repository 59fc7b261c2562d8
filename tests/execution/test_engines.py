"""Spans come back in order, whoever works on them; what goes wrong in a worker is told as if it had been here."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.execution import engines
from stages.execution.engines import HERE, THREADS, Engine, asked_for, at_once, in_order, opened
from stages.execution.settings import ExecutionSettings
from stages.problems import Problem
from stages.settings import parse
from tests.execution.works import Squares


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "facts.json").write_text("{}")
    return tmp_path


@pytest.fixture(params=["here", "threads", "processes", "dask"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return HERE if request.param == "here" else request.getfixturevalue(request.param)


def test_results_come_in_the_order_of_the_spans(engine: Engine, folder: Path) -> None:
    assert [square for square, _ in engine.map(Squares(folder), range(20))] == [n * n for n in range(20)]


@pytest.mark.parametrize("name", ["processes", "dask"])
def test_two_workers_share_the_spans_and_begin_once(name: str, request: pytest.FixtureRequest, folder: Path) -> None:
    work = Squares(folder, seconds=0.05)
    done = {process for _, process in request.getfixturevalue(name).map(work, range(12))}
    assert len(done) == 2
    assert os.getpid() not in done
    assert {int(path.stem) for path in folder.glob("*.begun")} == done
    for path in folder.glob("*.begun"):
        path.unlink()
    assert {process for _, process in request.getfixturevalue(name).map(work, range(12))} == done
    assert len(list(folder.glob("*.begun"))) == 2, "another run begins anew: its artifacts may be others"


def test_two_threads_work_beside_each_other_on_what_was_begun_once(folder: Path) -> None:
    """Each waits in its first span for the other one: one alone would wait for ever."""
    meeting = threading.Barrier(2, timeout=60)

    class Meet(Squares):
        def begin(self) -> Callable[[int], tuple[int, int]]:
            square = super().begin()

            def met(span: int) -> tuple[int, int]:
                if span < 2:
                    meeting.wait()
                return square(span)

            return met

    with opened(ExecutionSettings(engine="threads", workers=2)) as engine:
        assert list(engine.map(Meet(folder), range(6))) == [(n * n, os.getpid()) for n in range(6)]


def test_as_many_threads_as_processors_are_the_default_but_no_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers, engine, count in (
        (2, None, "threads", 2),
        (64, None, "threads", THREADS),
        (2, 12, "threads", 12),
        (64, None, "processes", 64),
        (64, None, "here", 1),
    ):
        monkeypatch.setattr(engines, "processors", lambda cores=cores: cores)
        assert at_once(ExecutionSettings.model_validate({"engine": engine, "workers": workers})) == count


def test_a_problem_of_a_worker_is_told_as_the_same(engine: Engine, folder: Path) -> None:
    done = []
    with pytest.raises(Problem) as caught:
        done.extend(engine.map(Squares(folder, forbidden=5), range(20)))
    assert str(caught.value) == "span 5: it is forbidden\n  mend: ask for another"
    assert [square for square, _ in done] == [n * n for n in range(5)]


def test_spans_are_taken_as_they_are_needed(engine: Engine, folder: Path) -> None:
    """An endless clip: memory holds what is in flight only."""
    taken = itertools.count()
    results = engine.map(Squares(folder), taken)
    assert [next(results)[0] for _ in range(10)] == [n * n for n in range(10)]
    results.close()  # type: ignore[attr-defined]  # a generator
    assert next(taken) <= 10 + 4


def test_no_more_than_asked_for_are_in_flight() -> None:
    flying: list[int] = []
    most = 0

    class Flight:
        def __init__(self, span: int) -> None:
            self.span = span
            flying.append(span)

        def result(self) -> int:
            nonlocal most
            most = max(most, len(flying))
            flying.remove(self.span)
            return self.span

        def cancel(self) -> None:
            flying.remove(self.span)

    assert list(in_order(Flight, range(9), 4)) == list(range(9))
    assert most == 4
    results = in_order(Flight, range(9), 4)
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert flying == []


def test_a_killed_process_is_one_clear_error(folder: Path) -> None:
    with opened(ExecutionSettings(engine="processes", workers=2)) as engine, pytest.raises(Problem) as caught:
        list(engine.map(Squares(folder, deadly=5), range(20)))
    assert "a worker process was killed" in str(caught.value)


def test_the_environment_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ExecutionSettings()
    assert asked_for(settings) == settings
    monkeypatch.setenv("LIKENESS_EXECUTION", "{engine: processes, workers: 3}")
    assert asked_for(settings) == ExecutionSettings(engine="processes", workers=3)
    monkeypatch.setenv("LIKENESS_EXECUTION", "{engine: proceses}")
    with pytest.raises(Problem, match="LIKENESS_EXECUTION, engine"):
        asked_for(settings)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({"engine": "processes", "address": "tcp://host:8786"}, "the engine is processes and not dask"),
        ({"engine": "dask", "address": "tcp://host:8786", "workers": 2}, "has its own workers"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(raw: dict[str, object], fault: str) -> None:
    with pytest.raises(Problem, match=fault):
        parse(ExecutionSettings, raw, where="params.yaml")
