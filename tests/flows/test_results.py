"""What a run leaves in Prefect."""

from __future__ import annotations

import json
from pathlib import Path

from flows.pipeline import Pipeline
from flows.results import metrics_table


def test_a_metric_is_one_row_whatever_it_is_named(made: Path) -> None:
    names = {"a|b": 1, "![x](//host/x.png)": 2, "<img src=x>": 3, "two\nlines": 4}
    (made / "data/evaluation/ada-on-ben/metrics.json").write_text(json.dumps(names))
    table = metrics_table(Pipeline.load(made), ["evaluation@ada-on-ben"])
    rows = table.splitlines()[2:]
    assert len(rows) == len(names)
    assert all(row.replace("\\|", "").count("|") == 4 for row in rows)
    assert "<img" not in table
    assert "![" not in table
    assert rows[-1] == "| evaluation@ada-on-ben | two lines | 4 |"
