"""What happens to swaps, pairs and people, as events of Prefect that automations can wait for.

An event's resource is what it is about (``likeness.swap.ada-on-ben``); what that was made from, the pair and the clips,
is related to it. The run it happened in is, too: Prefect adds that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import networkx as nx
from prefect.events import emit_event

from flows.deadlines import kind_of
from flows.pipeline import Pipeline
from stages.artifacts.files import read_facts
from stages.problems import Problem

if TYPE_CHECKING:
    from flows.maintenance.consents import Expiry
    from flows.reproduction import Row

DELIVERABLE_MADE = "likeness.deliverable.made"
GATE_FAILED = "likeness.quality-gate.failed"
DIVERGED = "likeness.training.diverged"
CONSENT_ENDING = "likeness.consent.ending"
EVENTS = (DELIVERABLE_MADE, GATE_FAILED, DIVERGED, CONSENT_ENDING)

WENT_BACK = re.compile(
    r"loss (?P<loss>\S+) at iteration (?P<iteration>\d+): back to iteration (?P<back_to>\d+)"
    r" with the learning rate times (?P<rate>\S+)$"
)
"""What a training logs when its loss was broken and it goes on from the last good state."""

GAVE_UP = re.compile(r"training broke \d+ times, last at iteration (?P<iteration>\d+)")
"""What it says when that did not help."""


def hear(address: str, line: str) -> None:
    """Tell of a training that went back to its last good state, as soon as it says so.

    Args:
        address: the stage.
        line: what it said.
    """
    if kind_of(address) != "training":
        return
    match = WENT_BACK.search(line)
    if match is not None:
        _emit(DIVERGED, "pair", _item(address), {**match.groupdict(), "gave_up": False}, [])


def tell(pipeline: Pipeline, rows: Sequence[Row]) -> None:
    """Tell what a run made: deliverables, swaps that miss what is asked of them, trainings that gave up."""
    for row in rows:
        kind, item = kind_of(row.address), _item(row.address)
        if kind == "encoding" and row.ending == "made":
            outs = [path for path, _ in pipeline.outputs(row.address)]
            payload = {"files": outs, "md5": row.md5, "seconds": row.seconds}
            _emit(DELIVERABLE_MADE, "swap", item, payload, _related(pipeline, row.address))
        elif kind == "evaluation" and row.ending == "failed":
            missed = _missed(pipeline, row.address)
            if missed:
                _emit(
                    GATE_FAILED,
                    "swap",
                    item,
                    {"missed": missed, "reason": row.reason},
                    _related(pipeline, row.address),
                )
        elif kind == "training" and row.ending == "failed":
            match = GAVE_UP.search(row.reason)
            if match is not None:
                payload = {**match.groupdict(), "gave_up": True, "reason": row.reason}
                _emit(DIVERGED, "pair", item, payload, _related(pipeline, row.address))


def tell_ending(consent: Expiry) -> None:
    """Tell that a person's consent ends soon, or has ended."""
    payload = {"record": consent.record, "expires": str(consent.expires), "days": consent.days}
    _emit(CONSENT_ENDING, "identity", consent.identity, payload, [])


def _emit(event: str, kind: str, name: str, payload: dict[str, Any], related: list[dict[str, str]]) -> None:
    emit_event(event, resource=_resource(kind, name), related=related, payload=payload)


def _resource(kind: str, name: str) -> dict[str, str]:
    return {"prefect.resource.id": f"likeness.{kind}.{name}", "prefect.resource.name": name}


def _related(pipeline: Pipeline, address: str) -> list[dict[str, str]]:
    """The pairs and clips that a stage's result is made from."""
    kinds = {name: section.removesuffix("s") for section, names in pipeline.sections.items() for name in names}
    wanted = {
        (kinds[kind_of(before)], _item(before))
        for before in nx.ancestors(pipeline.graph, address)
        if kinds.get(kind_of(before)) in ("pair", "clip")
    }
    return [{**_resource(kind, name), "prefect.resource.role": kind} for kind, name in sorted(wanted)]


def _item(address: str) -> str:
    return address.partition("@")[2]


def _missed(pipeline: Pipeline, address: str) -> int:
    """How many thresholds a swap misses, as its evaluation has just written it; 0 where it failed otherwise."""
    for path in pipeline.graph.nodes[address]["metrics"]:
        file = pipeline.root / path
        if file.is_file():
            with suppress(Problem):
                return int(read_facts(file).get("thresholds_missed", 0))
    return 0
