"""A trace as a tree for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.tree import Tree

from flows.lineage.consents import ConsentSummary
from flows.lineage.records import Artifact, Step
from flows.lineage.trace import Input, Trace, TracedStep
from flows.sizes import size_of

if TYPE_CHECKING:
    from flows.lineage.difference import Difference, Side
    from flows.lineage.frame import Way

SHORT = 10
"""So many characters of a hash tell one artifact from another."""


def as_tree(trace: Trace) -> Tree:
    """The artifact at the top, below each step what it read; a step's own branch is drawn once."""
    colour = {"as recorded": "green", "changed": "yellow", "not there": "red"}[trace.state]
    tree = Tree(
        f"[bold]{escape(trace.path)}[/]  {short(trace.md5 or trace.artifact.md5)}  [{colour}]{trace.state}[/]",
        guide_style="dim",
    )
    steps = {traced.step.stage: traced for traced in trace.steps}
    drawn: set[str] = set()
    made_here = [
        traced for traced in trace.steps if any(output == trace.artifact for output in traced.step.outputs)
    ] or list(trace.steps[:1])
    for traced in made_here:
        _grow(tree, traced, steps, drawn)
    for traced in trace.measured_by:
        branch = tree.add(f"[bold]measured by {escape(traced.step.stage)}[/]{_standing(traced)}")
        _add_figures(branch, traced.metrics)
    return tree


def as_list(path: str, steps: list[Step]) -> Tree:
    """What was made from a path, in order, with the outputs of each step."""
    tree = Tree(f"[bold]{escape(path)}[/] is used by {len(steps)} steps", guide_style="dim")
    for step in steps:
        branch = tree.add(f"[bold]{escape(step.stage)}[/]")
        for output in step.outputs:
            branch.add(_artifact(output))
    return tree


def as_way(way: Way) -> Tree:
    """One frame's way, from what was asked for back to the clip."""
    tree = Tree(
        f"[bold]{escape(way.path)}[/] frame {way.frame}, at {way.seconds} s ({float(way.seconds):.6g} s)",
        guide_style="dim",
    )
    for link in way.links:
        branch = tree.add(f"[bold]{escape(link.stage)}[/]  {_artifact(link.artifact)}")
        branch.add(escape(", ".join(f"{name}={_value(value)}" for name, value in link.facts.items())))
    tree.add(f"clip {escape(way.clip)}  [dim]sha256 {(way.clip_sha256 or 'not known')[:SHORT]}[/]")
    return tree


def as_difference(difference: Difference) -> Tree:
    """Both at the top, then the causes as they came in, then what followed from them."""
    said = "[green]the same bytes[/]" if difference.is_same else "[yellow]not the same[/]"
    tree = Tree(f"{_side(difference.one)}  and  {_side(difference.other)}: {said}", guide_style="dim")
    last, branch = "", tree
    for cause in difference.causes:
        if cause.stages[0] != last:
            last, branch = cause.stages[0], tree.add(f"[bold]{escape(cause.stages[0])}[/]")
        values = f"{escape(cause.one or 'not there')} [dim]->[/] {escape(cause.other or 'not there')}"
        leaf = branch.add(f"{cause.kind} [bold]{escape(cause.what)}[/]: {values}")
        for file in cause.files:
            leaf.add(escape(file))
        if cause.stages[1:]:
            leaf.add(f"[dim]also read by {escape(', '.join(cause.stages[1:]))}[/]")
    if difference.followed:
        tree.add(f"and therefore, with nothing of their own: {escape(', '.join(difference.followed))}")
    if not difference.causes and difference.is_same:
        tree.add("nothing that is recorded differs")
    return tree


def _side(side: Side) -> str:
    at = f"@{side.commit[:SHORT]}" if side.commit else ""
    return f"[bold]{escape(side.path)}{at}[/] {short(side.md5)}"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"[{' '.join(_value(part) for part in value)}]" if isinstance(value, list) else str(value)


def short(md5: str) -> str:
    """The beginning of a hash, in grey."""
    return f"[dim]md5 {md5[:SHORT]}[/]"


def _grow(parent: Tree, traced: TracedStep, steps: Mapping[str, TracedStep], drawn: set[str]) -> None:
    stage = traced.step.stage
    if stage in drawn:
        parent.add(f"[bold]{escape(stage)}[/] [dim](drawn above)[/]")
        return
    drawn.add(stage)
    branch = parent.add(f"[bold]{escape(stage)}[/]{_standing(traced)}")
    branch.add(f"[dim]{escape(traced.step.command)}[/]")
    for output in traced.step.outputs:
        branch.add(f"made {_artifact(output)}")
    settings = ", ".join(f"{name}={value}" for name, value in flat(traced.step.settings))
    if settings:
        branch.add(f"settings {escape(settings)}")
    branch.add(f"code {escape(code_line(traced))}")
    for consent in traced.consents:
        branch.add(_consent(consent))
    _add_figures(branch, traced.metrics)
    for item in traced.inputs:
        if item.kind not in ("code", "consent"):
            _add_input(branch, item, steps, drawn)


def _add_input(branch: Tree, item: Input, steps: Mapping[str, TracedStep], drawn: set[str]) -> None:
    words = {"clip": "clip ", "pack": "networks ", "made": "from ", "file": "from "}[item.kind]
    remade = any(
        output.path == item.artifact.path and output.md5 != item.artifact.md5
        for maker in item.made_by
        if maker in steps
        for output in steps[maker].step.outputs
    )
    since = "  [yellow]made anew since[/]" if remade else ""
    below = branch.add(f"{words}{_artifact(item.artifact)}{since}")
    for maker in item.made_by:
        if maker in steps:
            _grow(below, steps[maker], steps, drawn)


def _artifact(artifact: Artifact) -> str:
    files = f", {artifact.files} files" if artifact.files is not None else ""
    return f"{escape(artifact.path)}  {short(artifact.md5)}  [dim]{size_of(artifact.size)}{files}[/]"


def _standing(traced: TracedStep) -> str:
    return f"  [yellow]stale: {escape('; '.join(traced.stale))}[/]" if traced.stale else "  [green]up to date[/]"


def code_line(traced: TracedStep) -> str:
    """What is known of a step's code, in a line."""
    code = traced.code
    if code.revision is None:
        known = "no git revision"
    elif code.is_revision:
        known = f"as in {code.revision[:SHORT]}"
    elif code.changed:
        known = f"changed since: {', '.join(code.changed)}"
    else:
        known = f"not committed: {', '.join(code.uncommitted)}"
    recorded = f"; result recorded in {code.recorded[:SHORT]}" if code.recorded else "; result not committed yet"
    return f"{', '.join(code.paths)}: {known}{recorded}" if code.paths else f"{known}{recorded}"


def _consent(consent: ConsentSummary) -> str:
    colour = "green" if consent.standing == "active" else "red"
    changed = "  [yellow]changed since[/]" if consent.changed else ""
    return f"{escape(_whose(consent))}  [{colour}]{escape(consent.standing)}[/]{changed}"


def consent_line(consent: ConsentSummary) -> str:
    """A record and its standing, in a line."""
    return f"{_whose(consent)}: {consent.standing}{', changed since' if consent.changed else ''}"


def _whose(consent: ConsentSummary) -> str:
    facts = [fact for fact in (consent.role, consent.kind, consent.id) if fact]
    return f"consent of {consent.identity} ({', '.join(facts)})"


def _add_figures(branch: Tree, metrics: Mapping[str, Any] | None) -> None:
    if metrics:
        figures = ", ".join(f"{name}={value:.4g}" for name, value in flat(metrics) if isinstance(value, (int, float)))
        branch.add(f"figures {escape(figures)}")


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as (dotted name, value); the name of a parameters file itself is left out."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, "" if name.endswith(".yaml") else f"{before}{name}.")
        elif value != {}:
            yield f"{before}{name}", value
