"""How long a run will take."""

from __future__ import annotations

from flows.status.forecast import Forecast, spoken
from stages.journal import Run


def run(stage: str, seconds: float | None, fault: str | None = None) -> Run:
    return Run(stage, 1, 0.0, seconds, fault)


def test_by_its_own_last_run_else_by_its_like() -> None:
    runs = [
        run("detection@ada", 90.0),
        run("detection@ada", 30.0),
        run("detection@ben", 50.0),
        run("detection@ben", 1.0, fault="it was interrupted"),
        run("training@ada-ben", None),
    ]
    found = Forecast.of(["detection@ada", "detection@ben", "detection@cyd", "training@ada-ben"], runs)
    assert found.seconds == {
        "detection@ada": 30.0,
        "detection@ben": 50.0,
        "detection@cyd": 40.0,
        "training@ada-ben": None,
    }
    assert found.total == 120.0
    assert found.untimed == ["training@ada-ben"]
    assert found.sentence == "`dvc repro` would run 4 stages at most: about 2 min, and 1 that was not timed here yet"


def test_what_is_not_known_is_not_guessed() -> None:
    assert Forecast.of([], []).sentence == "`dvc repro` would find nothing to do"
    assert (
        Forecast.of(["cast@a"], []).sentence == "`dvc repro` would run 1 stage at most; none of them was timed here yet"
    )


def test_lengths_of_time() -> None:
    assert [spoken(each) for each in (0.4, 59, 60, 3600, 9000)] == ["0 s", "59 s", "1 min", "1 h 0 min", "2 h 30 min"]
