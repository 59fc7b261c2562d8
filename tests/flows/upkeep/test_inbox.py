"""Whether a file has arrived, by its date: clocks of other machines may be wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flows.ingestion.inbox import _AHEAD, Inbox

SETTLED = 30.0
SLACK = 20.0
"""The test may take so long."""


@pytest.mark.parametrize(
    ("ago", "settled"),
    [
        (SETTLED + SLACK, True),
        (0.0, False),
        (-60.0, False),  # it is just being written, by a clock that is a minute ahead
        (SLACK - _AHEAD, False),
        (-SLACK - _AHEAD, True),  # nobody's clock is so wrong: the date is none of arriving
        (-10 * 365 * 86400.0, True),
    ],
)
def test_a_date_that_lies_ahead_is_one_of_arriving_only_for_a_while(inbox: Path, ago: float, settled: bool) -> None:
    film = inbox / "eve-1.mp4"
    film.write_bytes(b"film")
    date = time.time() - ago
    os.utime(film, (date, date))
    opened = Inbox.open(str(inbox), inbox)
    (found,) = opened.footage
    assert opened.has_settled(found, SETTLED) is settled
