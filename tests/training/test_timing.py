"""Work is timed without what only its first call takes. The clock is the tests' own."""

from __future__ import annotations

import pytest
import torch

from stages.training import timing
from stages.training.timing import mean_seconds, mean_seconds_within

CPU = torch.device("cpu")


class Work:
    """Its first call takes 100 seconds, each other 2."""

    def __init__(self) -> None:
        self.now, self.calls = 0.0, 0

    def __call__(self) -> None:
        self.now += 2.0 if self.calls else 100.0
        self.calls += 1


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    monkeypatch.setattr(timing.time, "perf_counter", lambda: work.now)
    return work


def test_the_first_call_is_not_counted(work: Work) -> None:
    assert mean_seconds(work, CPU, 5) == 2.0
    assert work.calls == 6


@pytest.mark.parametrize(("seconds", "timed"), [(20.0, 10), (0.0, 1)])
def test_as_many_calls_are_timed_as_fit_and_at_least_one(work: Work, seconds: float, timed: int) -> None:
    assert mean_seconds_within(work, CPU, seconds) == 2.0
    assert work.calls == 2 + 1 + timed  # to pick kernels, to see how long one takes, to warm up again
