"""``likeness lineage rebuild``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stages.problems import Problem
from stages.program import tell


def rebuild(
    document: Annotated[
        Path, typer.Argument(metavar="JSON", help="what `lineage PATH --json` wrote; - is standard input")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="to clone into; it must not be there yet")],
    footage: Annotated[list[Path] | None, typer.Option(help="search here for what neither git nor DVC has")] = None,
    origin: Annotated[str | None, typer.Option("--from", help="where to clone from, if not from where it says")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Make a result again in an empty clone, from what its lineage says alone; it runs the code of that clone.

    1 at the end if other bytes came out.
    """
    # Not before it is needed: the other commands do without.
    from flows.lineage.rebuilding import rebuild_in
    from flows.lineage.told import read_document

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        found = rebuild_in(read_document(document), folder, footage or [], origin, say)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    if as_json:
        print(json.dumps(asdict(found) | {"same": found.is_same}, indent=2))
    elif found.is_same:
        print(f"{found.path}: the same bytes, {found.made}")
    else:
        print(f"{found.path}: other bytes, {found.made} instead of {found.expected}")
    if found.differ and not as_json:
        print(f"otherwise than told: {', '.join(found.differ)}")
    raise typer.Exit(0 if found.is_same else 1)
