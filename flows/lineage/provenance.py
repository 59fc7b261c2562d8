"""Lineage as W3C PROV (https://www.w3.org/TR/prov-dm/), in its JSON form.

Artifacts are entities, steps are activities, the code at its revision is a software agent; a consent record is an
entity that is attributed to the person who gave it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from prov.identifier import Namespace, QualifiedName
from prov.model import ProvDocument

from flows.lineage.records import Artifact
from flows.lineage.trace import Trace, TracedStep
from flows.lineage.tree import flat

TERMS: Final = Namespace("likeness", "urn:likeness:term:")
ARTIFACTS: Final = Namespace("artifact", "urn:likeness:artifact:")
STEPS: Final = Namespace("step", "urn:likeness:step:")
AGENTS: Final = Namespace("agent", "urn:likeness:agent:")
PLAIN: Final = "/._-@"
"""Characters that stay as they are in an identifier, beside letters and digits."""


def prov_document(trace: Trace) -> ProvDocument:
    """All of a trace."""
    document = ProvDocument()
    for namespace in (TERMS, ARTIFACTS, STEPS, AGENTS):
        document.add_namespace(namespace)
    seen: set[object] = set()
    for traced in (*reversed(trace.steps), *trace.measured_by):
        _add_step(document, traced, seen)
    return document


def prov_json(trace: Trace) -> str:
    """All of a trace as PROV-JSON."""
    return f"{prov_document(trace).serialize(format='json', indent=2)}\n"


def _add_step(document: ProvDocument, traced: TracedStep, seen: set[object]) -> None:
    step, code = traced.step, traced.code
    result = step.outputs[0].md5 if step.outputs else ""
    activity = STEPS[quote(f"{step.stage}/{result}", safe=PLAIN)]
    settings = [(TERMS["setting"], f"{name} = {value}") for name, value in flat(step.settings)]
    figures = [(TERMS["figure"], f"{name} = {value}") for name, value in flat(traced.metrics or {})]
    facts: list[tuple[QualifiedName | str, Any]] = [
        ("prov:label", step.stage),
        ("prov:type", TERMS["step"]),
        (TERMS["command"], step.command),
    ]
    document.activity(activity, other_attributes=[*facts, *settings, *figures])
    agent = AGENTS[quote(f"code/{code.revision or 'unknown'}", safe=PLAIN)]
    if agent not in seen:
        seen.add(agent)
        document.agent(agent, [("prov:type", "prov:SoftwareAgent"), (TERMS["revision"], code.revision or "unknown")])
    document.wasAssociatedWith(activity, agent)
    inputs = []
    for item in traced.inputs:
        entity = _entity(document, item.artifact, item.kind, seen)
        document.used(activity, entity, other_attributes=[("prov:role", item.kind)])
        if item.kind in ("made", "clip"):
            inputs.append(entity)
        if item.kind == "consent":
            _attribute(document, traced, item.artifact, entity, seen)
    for output in step.outputs:
        entity = _entity(document, output, "made", seen)
        document.wasGeneratedBy(entity, activity)
        for used in inputs:
            document.wasDerivedFrom(entity, used, activity)


def _entity(document: ProvDocument, artifact: Artifact, kind: str, seen: set[object]) -> QualifiedName:
    name = ARTIFACTS[quote(f"{artifact.path}/{artifact.md5}", safe=PLAIN)]
    if name not in seen:
        seen.add(name)
        facts = [("prov:label", artifact.path), ("prov:type", TERMS[kind])]
        document.entity(name, [*facts, (TERMS["md5"], artifact.md5), (TERMS["size"], artifact.size)])
    return name


def _attribute(
    document: ProvDocument, traced: TracedStep, record: Artifact, entity: QualifiedName, seen: set[object]
) -> None:
    """Say whose consent a record is."""
    for each in traced.consents:
        person = AGENTS[quote(f"person/{each.identity}", safe=PLAIN)]
        if not record.path.endswith(f"/{each.identity}.yaml") or (entity, person) in seen:
            continue
        seen.add((entity, person))
        if person not in seen:
            seen.add(person)
            document.agent(person, [("prov:type", "prov:Person"), ("prov:label", each.identity)])
        document.wasAttributedTo(entity, person)
