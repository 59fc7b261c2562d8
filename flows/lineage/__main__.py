"""``likeness lineage``, or ``python -m flows.lineage``: where an artifact came from, what uses it, how two differ."""

from __future__ import annotations

import json
import re
import sys
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.tree import Tree
from typer.core import TyperGroup

from flows.environment import find_root
from flows.lineage.document import steps_document, trace_document, way_document
from flows.lineage.rebuild_command import rebuild
from flows.lineage.records import LOCK, Records
from flows.lineage.snapshot import Snapshot, named
from flows.lineage.trace import trace
from flows.lineage.tree import as_difference, as_list, as_tree, as_way
from stages.atomic import whole_file
from stages.problems import Problem
from stages.program import tell

if TYPE_CHECKING:
    from flows.lineage.graph import Graph

WIDTH_WITHOUT_TERMINAL = 160
DEFAULT = "of"
"""The command that is meant where none is named."""


class _WithDefault(TyperGroup):
    """``lineage PATH`` is short for ``lineage of PATH``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the command that goes without saying."""
        if args and args[0] not in (*self.commands, "--help", "-h"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


@dataclass(frozen=True)
class _Drawn:
    """The drawings that are wanted."""

    mermaid: bool
    dot: bool
    html: Path | None

    @property
    def is_wanted(self) -> bool:
        return self.mermaid or self.dot or self.html is not None


app = typer.Typer(cls=_WithDefault, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


def _recorded(incomplete: str) -> list[str]:
    """What a shell completes: the paths in dvc.lock."""
    try:
        text = (find_root() / LOCK).read_text(encoding="utf-8")
    except (Problem, OSError):
        return []
    return sorted({path for path in re.findall(r"^    - path: (.+)$", text, re.M) if path.startswith(incomplete)})


Named = Annotated[
    str,
    typer.Argument(
        metavar="PATH[@REVISION]",
        help="a result or a file in it; with a revision in git, as it was there",
        autocompletion=_recorded,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="for machines")]


@app.callback()
def _main() -> None:
    """Where a result came from, what uses a file, how two results differ. `lineage PATH` is `lineage of PATH`."""


@app.command(DEFAULT)
def of(
    path: Named,
    frame: Annotated[int | None, typer.Option(min=0, help="follow this one frame")] = None,
    what_uses: Annotated[
        bool, typer.Option("--what-uses", help="the other way: what was made from PATH, be it clip, code or consent")
    ] = False,
    as_json: Json = False,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="a flowchart in Mermaid")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="a graph for Graphviz")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="write a page to look at, with pictures")] = None,
) -> None:
    """Print the tree from an artifact to its clips: hashes, settings, code, consent and figures of every step."""
    try:
        root = find_root()
        name, snapshot = named(root, path)
        drawn = _Drawn(mermaid, dot, html.absolute() if html is not None else None)
        with chdir(root):  # DVC names what has changed from where it is
            if frame is not None:
                _show_way(root, name, snapshot, frame, as_json)
            elif what_uses:
                _show_uses(root, name, snapshot, as_json, drawn)
            else:
                _show_trace(root, name, snapshot, as_json, drawn)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


@app.command()
def diff(one: Named, other: Named, as_json: Json = False) -> None:
    """What differs between two results, or one at two revisions: inputs, settings, code or consent, root causes first.

    1 at the end if they are not the same bytes.
    """
    from flows.lineage.difference import difference

    try:
        root = find_root()
        found = difference(named(root, one), named(root, other))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    _show(asdict(found) | {"same": found.is_same}, as_difference(found), as_json)
    raise typer.Exit(0 if found.is_same else 1)


@app.command()
def export(
    path: Named,
    form: Annotated[
        Literal["openlineage", "prov"], typer.Option("--form", help="OpenLineage events, or W3C PROV as JSON")
    ] = "openlineage",
    output: Annotated[Path | None, typer.Option(help="the file to write; without it, to the screen")] = None,
    url: Annotated[str | None, typer.Option(help="send OpenLineage events there, http://localhost:5000")] = None,
    namespace: Annotated[
        str | None, typer.Option(help="of OpenLineage's jobs and datasets; without it, by the project's folder")
    ] = None,
) -> None:
    """The lineage of a result for other tools. docs/lineage.md tells how to look at it in Marquez."""
    try:
        root = find_root()
        name, snapshot = named(root, path)
        output = output.absolute() if output is not None else None
        with chdir(root):
            found = trace(root, name, snapshot)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    if form == "prov":
        from flows.lineage.provenance import prov_json

        _write(prov_json(found), output)
        return
    from flows.lineage.events import events, lines, send_events

    told = list(events(found, namespace or f"dvc://{root.name}"))
    try:
        if url is None:
            _write(lines(told), output)
        else:
            typer.echo(f"{send_events(url, told)} events sent to {url}")
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


app.command("rebuild")(rebuild)


def _show_way(root: Path, name: str, snapshot: Snapshot, frame: int, as_json: bool) -> None:
    """The way of a frame, whose tables lie in the working tree only."""
    from flows.lineage.frame import follow

    if snapshot.commit is not None and Records.of(snapshot).output(name) != Records.read(root).output(name):
        raise Problem(
            "the frames of that revision do not lie here",
            where=name,
            mend=f"`git checkout {snapshot.commit:.10}`, then `dvc checkout`, and ask again without a revision",
        )
    way = follow(root, name, frame)
    _show(way_document(way), as_way(way), as_json)


def _show_uses(root: Path, name: str, snapshot: Snapshot, as_json: bool, drawn: _Drawn) -> None:
    records = Records.of(snapshot)
    steps = records.downstream(name)
    if drawn.is_wanted:
        from flows.lineage.graph import graph_of_uses

        _draw(graph_of_uses(name, steps, records), root, snapshot, drawn)
    else:
        _show(steps_document(name, steps), as_list(name, steps), as_json)


def _show_trace(root: Path, name: str, snapshot: Snapshot, as_json: bool, drawn: _Drawn) -> None:
    found = trace(root, name, snapshot)
    if drawn.is_wanted:
        from flows.lineage.graph import graph_of

        _draw(graph_of(found), root, snapshot, drawn)
    elif as_json:
        typer.echo(json.dumps(trace_document(found), indent=2))
    else:
        _print(as_tree(found))


def _draw(graph: Graph, root: Path, snapshot: Snapshot, drawn: _Drawn) -> None:
    # Not before it is needed: pictures and layouts bring much along.
    from flows.lineage import drawing

    if drawn.mermaid:
        typer.echo(drawing.mermaid(graph), nl=False)
    if drawn.dot:
        typer.echo(drawing.dot(graph), nl=False)
    if drawn.html is not None:
        from flows.lineage.page import page

        _write(page(graph, root, {"at": snapshot.commit} if snapshot.commit else {}), drawn.html)


def _write(text: str, file: Path | None) -> None:
    if file is None:
        typer.echo(text, nl=False)
        return
    with whole_file(file) as scratch:
        scratch.write_text(text, encoding="utf-8")
    print(f"{file}: written", file=sys.stderr)


def _show(document: dict[str, Any], tree: Tree, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(tree)


def _print(tree: Tree) -> None:
    console = Console(soft_wrap=True) if Console().is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(tree)


if __name__ == "__main__":
    app(prog_name="python -m flows.lineage")
