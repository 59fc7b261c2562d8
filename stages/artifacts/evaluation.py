"""The evaluation of a swap: figures, a table by frame, and the report for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.artifacts.files import missing, read_facts, write_facts


@dataclass(frozen=True)
class Evaluation:
    """``metrics`` is what ``dvc metrics show`` shows, ``frames`` what ``dvc plots`` draws, ``report`` one HTML page."""

    metrics: dict[str, Any]
    frames: pd.DataFrame
    report: str

    def write(self, folder: Path) -> None:
        """Into an existing folder."""
        write_facts(folder / "metrics.json", self.metrics)
        self.frames.to_csv(folder / "frames.csv", index=False, lineterminator="\n", float_format="%.6g")
        (folder / "report.html").write_text(self.report, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """Raises: Problem if a part is missing or damaged."""
        table = folder / "frames.csv"
        if not table.is_file():
            raise missing(table)
        report = (folder / "report.html").read_text(encoding="utf-8")
        return cls(read_facts(folder / "metrics.json"), pd.read_csv(table), report)
