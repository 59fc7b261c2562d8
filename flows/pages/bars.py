"""Reads the states of the stages' bars (``stages/progress.py``) from what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

STATE: Final = re.compile(
    r"(?:(?P<what>[^|]*): +|^ *)"
    r"(?:\d+%\|[^|]*\| (?P<done>\d+)/(?P<total>\d+)|(?P<counted>\d+) (?P<unit>[^\[]+))"
    r" \[(?P<elapsed>[\d:]+)(?:<(?P<left>[\d:?]+))?, *(?P<rate>[^,\]]+)(?:, (?P<note>[^\]]*))?\]?$"
)
"""How tqdm writes a bar whose total is known, and one that only counts."""

FAST: Final = re.compile(r"(?P<number>[\d.]+) (?P<unit>.+)/s$")
SLOW: Final = re.compile(r"(?P<number>[\d.]+)s/ (?P<unit>.+)$")
"""tqdm turns a rate below one around."""

UNKNOWN: Final = re.compile(r"\? (?P<unit>.+)/s$")
ITERATION: Final = "it"
"""The unit of a training, whose bar ends in losses."""


@dataclass(frozen=True)
class Bar:
    """The state of a bar.

    Attributes:
        what: the work in a few words.
        done: how many units are done.
        total: of how many, None if unknown.
        unit: what one is: ``frame``, ``face``, ``it`` (an iteration).
        rate: units per second, None before the first.
        left: the time left as the bar tells it (``01:40``), None if unknown.
        note: what the bar says beside; of a training the losses.
    """

    what: str
    done: int
    total: int | None
    unit: str
    rate: float | None
    left: str | None
    note: str

    @property
    def percent(self) -> float | None:
        """0 to 100; None where the total is unknown."""
        return None if not self.total else min(100.0, 100.0 * self.done / self.total)

    def told(self, *, ended: bool = False) -> str:
        """All of it in a line; once the work has ended without the time left."""
        count = f"{self.done}" if self.total is None else f"{self.done} of {self.total}"
        name = "iterations" if self.unit == ITERATION else f"{self.unit}s"
        parts = [f"{self.what}: {count} {name}" if self.what else f"{count} {name}"]
        if self.rate is not None:
            parts.append(f"{self.rate:.3g} {name} a second")
        if self.left is not None and not ended and self.done != self.total:
            parts.append(f"{self.left} left")
        if self.note:
            parts.append(f"loss {self.note}" if self.unit == ITERATION else self.note)
        return ", ".join(parts)


def read(line: str) -> Bar | None:
    """The bar's state that a line is; None if it is something else."""
    found = STATE.match(line)
    if found is None:
        return None
    unit, rate = _rate(found["rate"].strip())
    done, total = found["done"] or found["counted"], found["total"]
    left = found["left"]
    return Bar(
        found["what"] or "",
        int(done),
        None if total is None else int(total),
        (found["unit"] or unit).strip(),
        rate,
        None if left in (None, "?") else left,
        (found["note"] or "").strip(),
    )


def _rate(told: str) -> tuple[str, float | None]:
    """The unit, and units a second."""
    if fast := FAST.match(told):
        return fast["unit"], float(fast["number"])
    if slow := SLOW.match(told):
        number = float(slow["number"])
        return slow["unit"], 1 / number if number else None
    unknown = UNKNOWN.match(told)
    return (unknown["unit"] if unknown else "step"), None
