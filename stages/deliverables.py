"""``python -m stages.deliverables``: where each swap's deliverable and report lie, and what its figures are."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.files import read_facts
from stages.problems import BAD_INPUT, Problem
from stages.settings import load_params

SHOWN = ("psnr", "ssim", "psnr_copied_target", "psnr_wrong_decoder", "nearer_to_source")
"""Figures of metrics.json that stand in the table; all of them are in the report."""


def main() -> int:
    """Print a table of the swaps; the exit status says whether any of them is missing."""
    try:
        swaps = load_params().swaps
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return BAD_INPUT
    console = Console(soft_wrap=True)
    table = Table("swap", *SHOWN, box=None)
    lacking: list[str] = []
    delivered: dict[str, Path] = {}
    missed: dict[str, int] = {}
    for name in swaps:
        folder = Path("data/evaluation") / name
        with suppress(Problem):
            delivered[name] = Deliverable.read(Path("data/encoding") / name).video
        if name not in delivered or not (folder / "metrics.json").is_file():
            lacking.append(name)
            continue
        metrics = read_facts(folder / "metrics.json")
        missed[name] = int(metrics.get("thresholds_missed", 0))
        table.add_row(name, *(f"{metrics[key]:.3f}" if key in metrics else "-" for key in SHOWN))
    if table.row_count:
        console.print(table)
    for name in swaps:
        if name not in lacking:
            console.print(f"\n{name}", style="bold")
            console.print(f"  deliverable  {delivered[name]}")
            if missed[name]:
                console.print(f"  FAILED       {missed[name]} of evaluation.thresholds missed; the report says which")
            console.print(f"  report       data/evaluation/{name}/report.html")
            console.print(f"  lineage      python -m flows.lineage {delivered[name]}")
    for name in lacking:
        print(f"error: swaps.{name}: it has no deliverable yet; the messages above say why", file=sys.stderr)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
