"""``python -m flows.lineage PATH``: where an artifact came from, what was made from it, or the way of one frame."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.tree import Tree

from flows.environment import find_root
from flows.lineage.document import steps_document, trace_document, way_document
from flows.lineage.frame import follow
from flows.lineage.records import Records
from flows.lineage.trace import trace
from flows.lineage.tree import as_list, as_tree, as_way
from stages.problems import Problem
from stages.program import tell

WIDTH_WITHOUT_TERMINAL = 160

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    path: Annotated[Path, typer.Argument(help="a deliverable, or any other result or a file in it")],
    frame: Annotated[int | None, typer.Option(min=0, help="follow this one frame")] = None,
    what_uses: Annotated[bool, typer.Option("--what-uses", help="the other way: what was made from PATH")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Print the tree from an artifact to its clips: hashes, settings, code, consent and figures of every step."""
    try:
        root = find_root()
        name = within(root, path)
        if what_uses:
            steps = Records.read(root).downstream(name)
            _show(steps_document(name, steps), as_list(name, steps), as_json)
        elif frame is not None:
            way = follow(root, name, frame)
            _show(way_document(way), as_way(way), as_json)
        else:
            found = trace(root, name)
            _show(trace_document(found), as_tree(found), as_json)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def within(root: Path, path: Path) -> str:
    """The path from the repository's folder.

    Raises:
        Problem: it lies outside.
    """
    # The path itself is not resolved: DVC may have put a link to its cache in its place.
    whole = Path(os.path.normpath(Path.cwd() / path))
    if whole.is_relative_to(root):
        return whole.relative_to(root).as_posix()
    raise Problem("it lies outside the repository", where=path, mend=f"name something in {root}")


def _show(document: dict[str, Any], tree: Tree, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    console = Console(soft_wrap=True) if Console().is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(tree)


if __name__ == "__main__":
    app(prog_name="python -m flows.lineage")
