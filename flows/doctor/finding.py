"""What was found out about one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from stages.problems import Problem

Verdict = Literal["ok", "warn", "fail"]
"""``warn``: all works, but something is slower, riskier or nearer to its end than it could be."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: it is.
        says: what was found.
        mend: what to do about it; empty where all is well.
    """

    what: str
    verdict: Verdict
    says: str
    mend: str = ""


def looked_at(what: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a look finds; one that comes to grief is a finding, too."""
    try:
        yield from look()
    except Problem as problem:
        yield Finding(what, "fail", f"{problem.where}: {problem.what}", problem.mend)
    except Exception as error:  # a broken installation can break anywhere, and the other looks are to be told still
        yield Finding(what, "fail", f"{type(error).__name__}: {error}", "`make setup` installs the pins again")
