"""Items made one ahead: the same ones, in order, one at most before it is asked for, and errors where they belong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.execution.ahead import ahead


@given(st.lists(st.one_of(st.none(), st.integers(), st.text()), max_size=20))
def test_the_items_come_as_they_are(items: list[object]) -> None:
    assert list(ahead(items)) == items


def test_the_next_is_made_while_one_is_worked_on_and_none_beyond() -> None:
    made: list[int] = []
    third = threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 2:
                third.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert next(coming) == 1
    assert third.wait(60)
    assert made == [0, 1, 2]
    coming.close()  # type: ignore[attr-defined]
    assert made == [0, 1, 2]


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="no second one"):
        next(coming)
