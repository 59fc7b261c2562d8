"""What gate, mark, credential and consent cost beside encoding: that every part is in the sum."""

from __future__ import annotations

import pytest

from stages.bench.trust import Cost, table_of


def test_the_share_is_that_of_all_parts_in_the_whole() -> None:
    cost = Cost((640, 360), 10, 8.0, 2.0, {"gate": 0.5, "mark": 1.0, "credential": 0.25, "consent": 0.25})
    assert cost.share == pytest.approx(0.2)
    assert table_of([cost]).splitlines() == [
        "| frames | encoding alone | gate | mark | credential | consent | together, of the stage |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| 10 of 640 x 360 | 800.00 ms | 50.00 ms | 100.00 ms | 25.00 ms | 25.00 ms | 20.0% |",
    ]
