"""Bars that a swap must reach: below one of them the run fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stages.evaluation.catalogue import METRICS
from stages.evaluation.settings import Threshold
from stages.evaluation.summary import Metrics
from stages.evaluation.wording import COUNTED, written

_KINDS = {metric.key: metric.kind for metric in METRICS} | {key: kind for key, (_, kind, _) in COUNTED.items()}


@dataclass(frozen=True)
class Bar:
    """What was asked of one figure, and what came.

    Attributes:
        key: of the figure.
        asked: for people, as "at least 27.00 dB".
        value: what was measured; None if the swap does not have the figure, which misses nothing.
        reached: whether it is on the right side.
    """

    key: str
    asked: str
    value: float | None
    reached: bool

    @property
    def told(self) -> str:
        """One line for people."""
        if self.value is None:
            return f"{self.key}: {self.asked} asked, not measured of this swap"
        return f"{self.key}: {self.asked} asked, {written(self.value, _KINDS[self.key])} measured"


def bars(thresholds: Mapping[str, Threshold], metrics: Metrics) -> list[Bar]:
    """Every threshold against what was measured, by name."""
    result = []
    for key, threshold in sorted(thresholds.items()):
        least, most, kind = threshold.least, threshold.most, _KINDS[key]
        bounds = {"at least": least, "at most": most}
        sides = [f"{side} {written(bound, kind)}" for side, bound in bounds.items() if bound is not None]
        value = metrics.get(key)
        reached = value is None or ((least is None or value >= least) and (most is None or value <= most))
        result.append(Bar(key, " and ".join(sides), None if value is None else float(value), reached))
    return result
