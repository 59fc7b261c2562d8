"""How each clip, pair and swap stands: what is stale by DVC, what failed by the journal, until when by consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from flows import books
from flows.pipeline import BUSY, Pipeline, in_order, look_at
from flows.status.forecast import Forecast
from stages import journal
from stages.consent import Consent, require_clip_consent, require_pair_consent, require_swap_consent
from stages.journal import Run
from stages.problems import Problem
from stages.settings import Params

State = Literal["fresh", "not made", "stale", "failed", "running", "unknown"]
"""``unknown``: DVC can not look, because another process works on what the stage needs or makes."""

WORST: Final[tuple[State, ...]] = ("running", "failed", "unknown", "not made", "stale", "fresh")
"""An item's state is the first of these that one of its stages is in."""


@dataclass(frozen=True)
class Standing:
    """How one stage stands, and why it is not fresh."""

    stage: str
    state: State
    why: str = ""


@dataclass(frozen=True)
class ConsentTerm:
    """Whether consent allows an item today.

    Attributes:
        until: the first day on which one of the records ends, None if none has a set day.
        refusal: why a stage would refuse the item; None if none would.
    """

    until: str | None
    refusal: str | None = None


@dataclass(frozen=True)
class Item:
    """One clip, pair or swap.

    Attributes:
        section: of params.yaml.
        size: bytes of what its stages have made.
    """

    section: str
    name: str
    state: State
    why: str
    consent: ConsentTerm
    size: int
    stages: tuple[Standing, ...]


@dataclass(frozen=True)
class Survey:
    """All items, and what there is to do."""

    items: tuple[Item, ...]
    stages: int
    forecast: Forecast


def survey(root: Path, params: Params) -> Survey:
    """Look at the whole project; DVC's index is read once.

    Args:
        root: the repository's folder, which is the working directory.
        params: its settings.

    Raises:
        Problem: DVC can not read the pipeline.
    """
    pipeline, stale = look_at(root)
    runs = journal.runs(root / journal.FILE)
    writing = books.writers(root / ".dvc" / "tmp")
    standings = {each.stage: each for each in _standings(pipeline, stale, runs, writing)}
    items = [
        _item(section, name, addresses, pipeline, standings, consent)
        for section, name, addresses, consent in _wanted(pipeline, params)
    ]
    to_do = [stage for stage in in_order(pipeline.graph, list(stale)) if standings[stage].state != "running"]
    return Survey(tuple(items), len(pipeline.graph), Forecast.of(to_do, runs))


def _standings(
    pipeline: Pipeline, stale: dict[str, list[str]], runs: Sequence[Run], writing: set[str]
) -> Iterator[Standing]:
    last = {run.stage: run for run in runs}
    affected = {address: place for place, address in enumerate(in_order(pipeline.graph, list(stale)))}
    for address in pipeline.graph:
        outs = pipeline.outputs(address)
        run, reasons = last.get(address), stale.get(address)
        before = min(affected.keys() & pipeline.graph.pred[address], key=affected.__getitem__, default=None)
        if (run and run.is_under_way) or any(str(pipeline.root / path) in writing for path, _ in outs):
            yield Standing(address, "running")
        elif reasons is None and before is None:
            yield Standing(address, "fresh")
        elif run and not run.went_well:
            yield Standing(address, "failed", run.fault or "it was killed")
        elif reasons == [BUSY]:
            yield Standing(address, "unknown", BUSY)
        elif all(md5 is None for _, md5 in outs):
            yield Standing(address, "not made")
        else:
            yield Standing(address, "stale", _shortly(reasons) if reasons else f"{before} comes first")


def _shortly(reasons: Sequence[str]) -> str:
    first = reasons[0].removeprefix("deps ").removeprefix("outs ")
    return first if len(reasons) == 1 else f"{first}, and {len(reasons) - 1} more"


def _wanted(
    pipeline: Pipeline, params: Params
) -> Iterator[tuple[str, str, list[str], Callable[[], Consent | dict[str, Consent]]]]:
    """Section, name, its stages in the order in which they run, and what asks for its consent."""
    order = in_order(pipeline.graph, list(pipeline.graph))

    def of(section: str, names: Sequence[str]) -> list[str]:
        mine = {f"{stage}@{name}" for stage in pipeline.sections.get(section, []) for name in names}
        return [address for address in order if address in mine]

    for name in params.clips:
        yield "clips", name, of("clips", [name]), partial(require_clip_consent, name, params, "status", noted="nothing")
    for name in params.pairs:
        joined = [key for key, companion in params.companions.items() if companion.pair == name]
        stages = [*of("companions", joined), *of("pairs", [name])]
        yield "pairs", name, stages, partial(require_pair_consent, name, params, noted="nothing")
    for name in params.swaps:
        yield "swaps", name, of("swaps", [name]), partial(require_swap_consent, name, params, "status", noted="nothing")


def _item(
    section: str,
    name: str,
    addresses: Sequence[str],
    pipeline: Pipeline,
    standings: dict[str, Standing],
    consent: Callable[[], Consent | dict[str, Consent]],
) -> Item:
    mine = tuple(standings[address] for address in addresses)
    telling = min(mine, key=lambda each: WORST.index(each.state), default=Standing("", "unknown", "it has no stages"))
    why = f"{telling.stage}: {telling.why}".rstrip(": ") if telling.state != "fresh" else ""
    size = sum(pipeline.graph.nodes[address]["size"] for address in addresses)
    return Item(section, name, telling.state, why, _term(consent), size, mine)


def _term(consent: Callable[[], Consent | dict[str, Consent]]) -> ConsentTerm:
    try:
        found = consent()
    except Problem as problem:
        return ConsentTerm(None, f"{problem.where}: {problem.what}")
    records = found.values() if isinstance(found, dict) else [found]
    days = [record.term.expires for record in records if record.term.expires is not None]
    return ConsentTerm(min(days).isoformat() if days else None)
