"""The evaluation of a swap: figures, a table by frame, and the report for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from stages.artifacts.files import missing, read_facts, write_facts


@dataclass(frozen=True)
class Evaluation:
    """``metrics`` is what ``dvc metrics show`` shows, ``frames`` what ``dvc plots`` draws, ``report`` one HTML page.

    ``figures`` has a row per figure, with its interval and its controls (:func:`stages.evaluation.summary.figures_of`).
    """

    metrics: dict[str, Any]
    frames: pd.DataFrame
    report: str
    figures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"metric": []}))

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        write_facts(folder / "metrics.json", self.metrics)
        for table, name in ((self.frames, "frames.csv"), (self.figures, "figures.csv")):
            table.to_csv(folder / name, index=False, lineterminator="\n", float_format="%.6g")
        (folder / "report.html").write_text(self.report, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """Raises: Problem if a part is missing or damaged."""
        tables = [folder / "frames.csv", folder / "figures.csv"]
        for table in tables:
            if not table.is_file():
                raise missing(table)
        report = (folder / "report.html").read_text(encoding="utf-8")
        frames, figures = (pd.read_csv(table) for table in tables)
        return cls(read_facts(folder / "metrics.json"), frames, report, figures)
