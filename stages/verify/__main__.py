"""``python -m stages.verify FILE``: the free detector. It needs no project around it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.credentials.registry import FOLDER as REGISTRY
from stages.credentials.trust import FOLDER as ANCHORS
from stages.credentials.trust import read_anchors
from stages.problems import Problem
from stages.program import tell
from stages.verify.findings import look
from stages.verify.telling import as_document, as_text
from stages.watermark import key_in

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    path: Annotated[Path, typer.Argument(help="a file of any kind, or a folder that was delivered", metavar="FILE")],
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    anchors: Annotated[Path, typer.Option(help="folder of the authorities to trust, as PEM files")] = ANCHORS,
    registry: Annotated[Path, typer.Option(help="folder that tells what a mark's number stands for")] = REGISTRY,
    credential_only: Annotated[
        bool, typer.Option("--credential-only", help="do not look for the mark, which takes a while")
    ] = False,
    watermark_key: Annotated[Path | None, typer.Option(help="file with the mark's key, if not the public one")] = None,
) -> None:
    """Say whether FILE carries a credential, our mark, both or neither; the exit status says it, too."""
    try:
        _require_folders({anchors: ANCHORS, registry: REGISTRY})
        findings = look(path, read_anchors(anchors), registry, None if credential_only else key_in(watermark_key))
    except Problem as problem:
        if as_json:
            typer.echo(json.dumps({"file": str(path), "error": problem.what, "mend": problem.mend}))
        raise typer.Exit(tell(problem)) from None
    typer.echo(json.dumps(as_document(findings), indent=2) if as_json else as_text(findings))
    raise typer.Exit(findings.status)


def _require_folders(asked: dict[Path, Path]) -> None:
    """A project need not have these folders; one that was named and is not there is a slip, and would trust nobody."""
    for folder, usual in asked.items():
        if folder != usual and not folder.is_dir():
            raise Problem("there is no such folder", where=folder, mend="name the folder itself, as it is there")


if __name__ == "__main__":
    sys.exit(app(prog_name="python -m stages.verify"))
