"""Results that were kept are not made again, come in their place, and are those of equal work on equal spans only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.execution.engines import HERE
from stages.execution.keeping import AsArrays, Keeping
from stages.problems import Problem

FORM: AsArrays[int] = AsArrays(lambda result: {"sum": np.array(result)}, lambda arrays: int(arrays["sum"]))


@dataclass(frozen=True)
class Sum:
    """The sum of a span's numbers, times a factor; ``done`` collects the spans that were worked on."""

    done: list[Any]
    factor: int = 1

    @property
    def reads(self) -> tuple[Path, ...]:
        return ()

    def begin(self) -> Callable[[Any], int]:
        def add(span: Any) -> int:
            self.done.append(span)
            return self.factor * int(np.sum(np.asarray(span)))

        return add

    def __repr__(self) -> str:
        return f"Sum({self.factor})"


def test_what_was_kept_is_not_made_again(tmp_path: Path) -> None:
    keeping, work = Keeping(HERE, tmp_path, FORM), Sum([])
    spans = [[1, 2], [3], [4, 5, 6]]
    assert list(keeping.map(work, spans)) == [3, 3, 15]
    assert work.done == spans
    assert list(keeping.map(work, [*spans, [7]])) == [3, 3, 15, 7]
    assert work.done == [*spans, [7]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(0, 8), kept=st.sets(st.integers(0, 7)))
def test_whatever_is_there_results_come_in_order(
    tmp_path_factory: pytest.TempPathFactory, count: int, kept: set[int]
) -> None:
    keeping, work = Keeping(HERE, tmp_path_factory.mktemp("kept"), FORM), Sum([])
    list(keeping.map(work, [[number] for number in sorted(kept)]))
    work.done.clear()
    assert list(keeping.map(work, ([number] for number in range(count)))) == list(range(count))
    assert work.done == [[number] for number in range(count) if number not in kept]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.arange(3000.0), np.arange(3000.0) + np.eye(1, 3000, 1500)[0] * 1e-9),
        (pd.DataFrame({"a": np.arange(500)}), pd.DataFrame({"a": [*range(250), 0, *range(251, 500)]})),
    ],
    ids=["array", "table"],
)
def test_spans_are_told_apart_by_all_that_is_in_them(tmp_path: Path, before: Any, after: Any) -> None:
    keeping, work = Keeping(HERE, tmp_path, FORM), Sum([])
    for span in (before, before.copy(), after):
        list(keeping.map(work, [span]))
    assert len(work.done) == 2


def test_other_work_on_the_same_spans_is_done(tmp_path: Path) -> None:
    keeping = Keeping(HERE, tmp_path, FORM)
    assert list(keeping.map(Sum([]), [[2]])) == [2]
    assert list(keeping.map(Sum([], factor=3), [[2]])) == [6]


def test_a_kept_result_that_is_damaged_is_named(tmp_path: Path) -> None:
    keeping = Keeping(HERE, tmp_path, FORM)
    list(keeping.map(Sum([]), [[2]]))
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(Problem, match="can not be read") as caught:
        list(keeping.map(Sum([]), [[2]]))
    assert str(path) in str(caught.value)


def test_arrays_of_any_kind_come_back(tmp_path: Path) -> None:
    """Empty ones too, and views."""

    def same(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return dict(arrays)

    @dataclass(frozen=True)
    class Give:
        reads: tuple[Path, ...] = ()

        def begin(self) -> Callable[[int], dict[str, NDArray[Any]]]:
            return lambda number: {
                "float": np.full((number, 2, 3), 0.1, np.float32),
                "whole": np.arange(number),
                "transposed": np.arange(6 * number, dtype=np.uint8).reshape(number, 2, 3).transpose(0, 2, 1),
            }

    keeping = Keeping(HERE, tmp_path, AsArrays(same, same))
    made, kept = (list(keeping.map(Give(), [0, 3])) for _ in range(2))
    for first, second in zip(made, kept, strict=True):
        for name in first:
            assert first[name].dtype == second[name].dtype
            np.testing.assert_array_equal(first[name], second[name])
