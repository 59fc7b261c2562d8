"""One page about a night, in Markdown: what went wrong first, then what there is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.ingestion.taking import Arrival
from flows.maintenance.consents import Expiry
from flows.markdown import plainly
from stages.deliverables import SHOWN, Delivery

if TYPE_CHECKING:
    from flows.reproduction import Row


@dataclass(frozen=True)
class Page:
    """What the page tells of."""

    arrivals: Sequence[Arrival]
    rows: Sequence[Row]
    delivered: Sequence[Delivery]
    lacking: Sequence[str]
    consents: Sequence[Expiry]
    wrong: Sequence[str]

    def markdown(self) -> str:
        """All of it; parts with nothing to say are left out."""
        parts = [
            _part("What went wrong", [_fenced(each) for each in self.wrong]),
            _part("Footage", _table(("file", "clip", "state"), [(a.file, a.clip, a.state) for a in self.arrivals])),
            _part("Stages", [", ".join(f"{count} {ending}" for ending, count in self._endings().items())]),
            _part("Swaps", _table(("swap", *SHOWN, "deliverable", "report"), map(_swap, self.delivered))),
            _part("Without a deliverable", [", ".join(self.lacking)] if self.lacking else []),
            _part("Consents", _table(("person", "state", "to", "days"), map(_consent, self.consents))),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def _endings(self) -> Counter[str]:
        return Counter(row.ending for row in self.rows)


def _part(heading: str, lines: Sequence[str]) -> str:
    return f"## {heading}\n\n" + "\n".join(lines) if any(lines) else ""


def _fenced(text: str) -> str:
    """Text as it is, in a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(plainly, row))} |" for row in rows]
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines] if lines else []


def _swap(each: Delivery) -> list[str]:
    missed = int(each.metrics.get("thresholds_missed", 0))
    told = f"{each.report}, {missed} thresholds missed" if missed else str(each.report)
    figures = [f"{each.metrics[key]:.3f}" if key in each.metrics else "-" for key in SHOWN]
    return [each.swap, *figures, str(each.video), told]


def _consent(each: Expiry) -> list[str]:
    until, days = (str(value) if value is not None else "-" for value in (each.expires, each.days))
    return [each.identity, each.state, until, days]
