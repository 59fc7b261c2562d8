"""Commands over the audit log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from stages.audit import log
from stages.problems import Problem
from stages.program import tell

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="for machines")]
Folder = Annotated[Path, typer.Option(help="of the log")]


@app.callback()
def _main() -> None:
    """The log of consent checks, trainings, deliveries and withdrawals."""


@app.command()
def verify(
    folder: Folder = log.FOLDER,
    expect: Annotated[str | None, typer.Option(help="a hash noted elsewhere that must be in the log")] = None,
    as_json: Json = False,
) -> None:
    """Make sure that no line was altered, removed or moved."""
    try:
        end = log.verify(folder, expect)
    except Problem as problem:
        if as_json:
            typer.echo(json.dumps({"whole": False, "what": problem.what, "where": problem.where}))
        raise typer.Exit(tell(problem)) from None
    if as_json:
        typer.echo(json.dumps({"whole": True, "lines": end.lines, "hash": end.hash}))
    else:
        typer.echo(
            f"{end.lines} lines, none altered, removed or moved. Note the last one's hash elsewhere:\n{end.hash}"
        )
