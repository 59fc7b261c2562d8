"""How long a stage may take before it is held to hang, is ended with all it started, and tried again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from stages.problems import Problem, nearest

HOURS = {"training": 336.0, "admission": 2.0, "cast": 2.0, "companions": 2.0, "decisions": 2.0, "screening": 6.0}
"""Of these kinds of stage. Generous: a deadline is to find what hangs, not what is slow; two weeks for a training."""

OTHER_HOURS = 48.0
"""Of every other kind: work of a clip's length, hours of film on two processors."""


def kind_of(address: str) -> str:
    """``training`` of ``training@ada-ben``, whichever file the stage stands in."""
    return address.rpartition(":")[2].partition("@")[0]


def seconds_of(address: str, hours: Mapping[str, float]) -> float:
    """How long a stage may take.

    Args:
        address: the stage.
        hours: own deadlines by kind of stage.
    """
    kind = kind_of(address)
    return 3600 * hours.get(kind, HOURS.get(kind, OTHER_HOURS))


def check(hours: Mapping[str, float], addresses: Sequence[str]) -> None:
    """Refuse deadlines for kinds of stage that there are none of, for they would never count.

    Raises:
        Problem: there is one.
    """
    kinds = sorted({kind_of(address) for address in addresses})
    for kind in hours:
        if kind not in kinds:
            raise Problem(f"there is no stage '{kind}'", where="timeouts", mend=nearest(kind, kinds))


def parsed(texts: Sequence[str] | None) -> dict[str, float]:
    """Deadlines from ``training=12``, in hours.

    Raises:
        Problem: one is not of that form.
    """
    hours = {}
    for text in texts or ():
        kind, _, number = text.partition("=")
        try:
            hours[kind] = float(number)
        except ValueError:
            hours[kind] = 0.0
        if not 0 < hours[kind] < math.inf:
            raise Problem(f"'{text}' is no deadline", where="--timeout", mend="STAGE=HOURS, for instance training=12")
    return hours
