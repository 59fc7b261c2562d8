"""Lineage as JSON for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flows.lineage.rebuild import rebuild, rebuild_document
from flows.lineage.records import Step
from flows.lineage.trace import Trace, TracedStep

if TYPE_CHECKING:
    from flows.lineage.frame import Way


def trace_document(trace: Trace) -> dict[str, Any]:
    """A trace: the artifact, then its steps, the last one first, each with all that is known about it."""
    return {
        "path": trace.path,
        "md5": trace.md5,
        "state": trace.state,
        "output": asdict(trace.artifact),
        "steps": [_traced(traced) for traced in trace.steps],
        "measured_by": [_traced(traced) for traced in trace.measured_by],
        "revision": trace.snapshot.commit,
        "rebuild": rebuild_document(rebuild(trace)),
    }


def steps_document(path: str, steps: list[Step]) -> dict[str, Any]:
    """What uses a path, in the order in which it was made."""
    return {"path": path, "used_by": [asdict(step) for step in steps]}


def way_document(way: Way) -> dict[str, Any]:
    """The way of a frame; its time as an exact fraction of seconds."""
    return asdict(way) | {"seconds": str(way.seconds)}


def _traced(traced: TracedStep) -> dict[str, Any]:
    step, code = traced.step, traced.code
    return {
        "stage": step.stage,
        "command": step.command,
        "settings": step.settings,
        "inputs": [
            asdict(item.artifact) | {"kind": item.kind, "made_by": list(item.made_by)} for item in traced.inputs
        ],
        "outputs": [asdict(output) for output in step.outputs],
        "stale": list(traced.stale),
        "code": asdict(code) | {"is_revision": code.is_revision},
        "consents": [asdict(consent) for consent in traced.consents],
        "metrics": traced.metrics,
    }
