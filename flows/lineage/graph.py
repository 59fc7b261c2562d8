"""Lineage as nodes and edges, for whatever draws it: steps, what came in from outside, and what was asked about."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from flows.lineage.records import Artifact, Records, Step
from flows.lineage.snapshot import Snapshot
from flows.lineage.trace import Trace, TracedStep, changed_paths
from flows.lineage.tree import code_line, consent_line, flat
from flows.sizes import size_of

NodeKind = Literal["step", "clip", "consent", "pack", "file", "asked"]

SHORT: Final = 10
SHOWN: Final = ("clip", "consent", "pack", "file")
"""Inputs that get a node; code is told with its step."""


@dataclass(frozen=True)
class Node:
    """Something in the graph.

    Attributes:
        key: tells it from all others.
        title: a few words.
        facts: more of it, as (name, value).
        stale: whether it is no longer as recorded.
        outputs: what it made, in which pictures may be found; empty where something else lies there now.
    """

    key: str
    kind: NodeKind
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    stale: bool = False
    outputs: tuple[Artifact, ...] = ()


@dataclass(frozen=True)
class Edge:
    """From what was made or there before to what used it; ``paths`` are the artifacts between the two."""

    origin: str
    target: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """All of it; ``title`` says of what."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(trace: Trace) -> Graph:
    """The way to an artifact, from clips and consent at one end to the artifact at the other."""
    steps = {traced.step.stage: traced for traced in (*trace.steps, *trace.measured_by)}
    lying = _lying(trace, list(steps.values()))
    nodes: dict[str, Node] = {}
    paths: dict[tuple[str, str], list[str]] = {}
    for traced in reversed(list(steps.values())):
        stage = traced.step.stage
        nodes[stage] = _step_node(traced, lying)
        for item in traced.inputs:
            makers = [maker for maker in item.made_by if maker in steps and maker != stage]
            path = item.artifact.path
            for maker in makers:
                paths.setdefault((maker, stage), []).append(path)
            if not makers and item.kind in SHOWN:
                nodes.setdefault(path, _input_node(item.artifact, item.kind, traced))
                paths.setdefault((path, stage), [])
    asked = Node(
        f"asked {trace.path}",
        "asked",
        trace.path,
        (("state", trace.state), ("md5", trace.md5 or trace.artifact.md5)),
        trace.state != "as recorded",
        (trace.artifact,) if trace.artifact in lying else (),
    )
    nodes[asked.key] = asked
    for stage, traced in steps.items():
        if trace.artifact in traced.step.outputs:
            paths.setdefault((stage, asked.key), [])
    edges = [Edge(origin, target, tuple(between)) for (origin, target), between in paths.items()]
    return Graph(trace.path, tuple(nodes.values()), tuple(edges))


def graph_of_uses(path: str, steps: Sequence[Step], records: Records) -> Graph:
    """What was made from a path, from the path at one end to the last results at the other."""
    asked = Node(f"asked {path}", "asked", path)
    nodes = [asked, *(Node(step.stage, "step", step.stage, _made(step), outputs=step.outputs) for step in steps)]
    stages = {step.stage for step in steps}
    edges = [Edge(asked.key, user) for user in records.users(path) if user in stages]
    edges += [Edge(origin, target) for origin, target in records.graph.subgraph(stages).edges]
    return Graph(f"what uses {path}", tuple(nodes), tuple(edges))


def _lying(trace: Trace, steps: Sequence[TracedStep]) -> set[Artifact]:
    """The outputs of the steps that lie in the working tree as they were recorded."""
    outputs = {output for traced in steps for output in traced.step.outputs}
    if trace.snapshot.commit is not None:
        now = Records.of(Snapshot(trace.snapshot.root)).steps.values()
        return outputs & {output for step in now for output in step.outputs}
    changed = {
        path for traced in steps for path in changed_paths([each for each in traced.stale if each.startswith("outs ")])
    }
    return {output for output in outputs if output.path not in changed}


def _step_node(traced: TracedStep, lying: Container[Artifact]) -> Node:
    step = traced.step
    facts = [("command", step.command)]
    facts += [("stale", reason) for reason in traced.stale]
    facts += _made(step)
    facts += [("setting", f"{name} = {value}") for name, value in flat(step.settings)]
    facts += [("code", code_line(traced))]
    facts += [("consent", consent_line(each)) for each in traced.consents]
    facts += [("figure", f"{name} = {value}") for name, value in flat(traced.metrics or {})]
    return Node(
        step.stage,
        "step",
        step.stage,
        tuple(facts),
        bool(traced.stale),
        tuple(each for each in step.outputs if each in lying),
    )


def _made(step: Step) -> tuple[tuple[str, str], ...]:
    return tuple(
        ("made", f"{output.path}, md5 {output.md5}, {size_of(output.size)}" + _files(output)) for output in step.outputs
    )


def _files(artifact: Artifact) -> str:
    return f" in {artifact.files} files" if artifact.files is not None else ""


def _input_node(artifact: Artifact, kind: str, traced: TracedStep) -> Node:
    facts = [("md5", artifact.md5), ("size", size_of(artifact.size) + _files(artifact))]
    for each in traced.consents:
        if kind == "consent" and artifact.path.endswith(f"/{each.identity}.yaml"):
            facts += [("record", each.id or "-"), ("standing", each.standing)]
    changed = any(reason.startswith(f"deps {artifact.path} ") for reason in traced.stale)
    known: dict[str, NodeKind] = {"clip": "clip", "consent": "consent", "pack": "pack"}
    return Node(artifact.path, known.get(kind, "file"), artifact.path, tuple(facts), changed, (artifact,))
