"""``python -m stages.deliverables``: where each swap's deliverable and report lie, and what its figures are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.files import read_facts
from stages.problems import BAD_INPUT, Problem
from stages.settings import load_params

SHOWN = ("psnr", "ssim", "psnr_copied_target", "psnr_wrong_decoder", "nearer_to_source")
"""Figures of metrics.json that stand in the table; all of them are in the report."""


@dataclass(frozen=True)
class Delivery:
    """What a swap ended in.

    Attributes:
        video: the deliverable, a file or a folder of pictures.
        metrics: all figures.
    """

    swap: str
    video: Path
    report: Path
    metrics: dict[str, Any]

    @classmethod
    def of(cls, swap: str) -> Delivery:
        """Find the deliverable and the report of a swap.

        Raises:
            Problem: a part of them is not there, or damaged.
        """
        folder = Path("data/evaluation") / swap
        video = Deliverable.read(Path("data/encoding") / swap).video
        return cls(swap, video, folder / "report.html", read_facts(folder / "metrics.json"))


def deliveries(swaps: Sequence[str]) -> tuple[list[Delivery], list[str]]:
    """What was delivered, and the swaps of which nothing was."""
    found: list[Delivery] = []
    lacking: list[str] = []
    for swap in swaps:
        try:
            found.append(Delivery.of(swap))
        except Problem:
            lacking.append(swap)
    return found, lacking


def show(found: Sequence[Delivery]) -> None:
    """Print the figures as a table, then where everything lies."""
    console = Console(soft_wrap=True)
    table = Table("swap", *(Column(key, overflow="fold") for key in SHOWN), box=None)
    for each in found:
        table.add_row(each.swap, *(f"{each.metrics[key]:.3f}" if key in each.metrics else "-" for key in SHOWN))
    if table.row_count:
        console.print(table)
    for each in found:
        console.print(f"\n{each.swap}", style="bold")
        console.print(f"  deliverable  {each.video}")
        if missed := int(each.metrics.get("thresholds_missed", 0)):
            console.print(f"  FAILED       {missed} of evaluation.thresholds missed; the report says which")
        console.print(f"  report       {each.report}")
        console.print(f"  lineage      likeness lineage {each.video}")


def tell_lacking(swaps: Sequence[str]) -> int:
    """Say which swaps have no deliverable; the exit status says whether there are any."""
    for name in swaps:
        print(f"error: swaps.{name}: it has no deliverable yet; `likeness status` says why", file=sys.stderr)
    return 1 if swaps else 0


def main() -> int:
    """Print a table of the swaps; the exit status says whether any of them is missing."""
    try:
        found, lacking = deliveries(list(load_params().swaps))
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return BAD_INPUT
    show(found)
    return tell_lacking(lacking)


if __name__ == "__main__":
    sys.exit(main())
