"""How long stages will take, from how long they took here before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from stages.journal import Run


@dataclass(frozen=True)
class Forecast:
    """What is to run and how long that takes, one stage after another as ``dvc repro`` runs them.

    Attributes:
        seconds: by stage, in the order in which they run; None where neither it nor its like was timed here.
    """

    seconds: dict[str, float | None]

    @classmethod
    def of(cls, stages: Sequence[str], runs: Sequence[Run]) -> Forecast:
        """By a stage's last run that went well, else by the median of the last ones of other items.

        Args:
            stages: addresses.
            runs: the journal's, the latest last.
        """
        last = {run.stage: run.seconds for run in runs if run.went_well and run.seconds is not None}
        likes: dict[str, list[float]] = {}
        for address, seconds in last.items():
            likes.setdefault(_kind(address), []).append(seconds)
        return cls({each: last.get(each) or _median(likes.get(_kind(each), [])) for each in stages})

    @property
    def total(self) -> float:
        """Seconds of all that was timed."""
        return sum(seconds for seconds in self.seconds.values() if seconds is not None)

    @property
    def untimed(self) -> list[str]:
        """The stages of which nothing is known."""
        return [stage for stage, seconds in self.seconds.items() if seconds is None]

    @property
    def sentence(self) -> str:
        """Both for people."""
        if not self.seconds:
            return "`dvc repro` would find nothing to do"
        count = len(self.seconds)
        begin = f"`dvc repro` would run {count} stage{'s' if count != 1 else ''} at most"
        unknown = len(self.untimed)
        if unknown == count:
            return f"{begin}; none of them was timed here yet"
        rest = f", and {unknown} that {'was' if unknown == 1 else 'were'} not timed here yet" if unknown else ""
        return f"{begin}: about {spoken(self.total)}{rest}"


def spoken(seconds: float) -> str:
    """A length of time in one or two units."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _kind(address: str) -> str:
    return address.partition("@")[0]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
