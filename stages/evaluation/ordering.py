"""Whether a figure ranks its controls as it must: one that does not is not to be trusted on this footage."""

from __future__ import annotations

import math
from collections.abc import Mapping

from stages.evaluation.catalogue import Metric


def misranked(metric: Metric, values: Mapping[str, float]) -> list[tuple[str, str]]:
    """The pairs of controls that a figure ranks the wrong way round, or alike.

    Args:
        metric: the figure.
        values: of the controls that were measured, by name; pairs that lack one, or have no number, do not count.
    """
    return [
        (better, worse)
        for better, worse in metric.order
        if _known(values, better, worse) and not metric.is_better(values[better], values[worse])
    ]


def ranked(metric: Metric, values: Mapping[str, float]) -> int:
    """How many pairs of controls could be compared."""
    return sum(_known(values, better, worse) for better, worse in metric.order)


def not_beaten(metric: Metric, swap: float, values: Mapping[str, float]) -> list[str]:
    """The controls that must be worse than another and yet are no worse than the swap."""
    worse = dict.fromkeys(name for _, name in metric.order)
    return [name for name in worse if _known(values, name) and not metric.is_better(swap, values[name])]


def _known(values: Mapping[str, float], *names: str) -> bool:
    return all(math.isfinite(values.get(name, math.nan)) for name in names)
