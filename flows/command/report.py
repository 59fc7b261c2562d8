"""``likeness report``: where a swap's deliverable and report lie, and its figures."""

from __future__ import annotations

import json
import webbrowser
from contextlib import chdir
from typing import Annotated

import typer

from flows.environment import find_root
from stages.deliverables import deliveries, show, tell_lacking
from stages.names import names_in
from stages.problems import Problem
from stages.program import tell
from stages.settings import load_params

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    swap: Annotated[
        str | None, typer.Argument(help="one swap; without it, all", autocompletion=names_in("swaps"))
    ] = None,
    in_browser: Annotated[bool, typer.Option("--open", help="show the report in the browser")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines: all figures")] = False,
) -> None:
    """Where each swap's deliverable and report lie, and its figures; the exit status says whether any is missing."""
    try:
        root = find_root()
        with chdir(root):
            params = load_params()
            if swap is not None:
                params.swap(swap)
            found, lacking = deliveries([swap] if swap is not None else list(params.swaps))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    if as_json:
        told = {
            each.swap: {"deliverable": str(each.video), "report": str(each.report), "metrics": each.metrics}
            for each in found
        }
        typer.echo(json.dumps({"swaps": told, "lacking": lacking}, indent=2))
    else:
        show(found)
    if in_browser:
        for each in found:
            webbrowser.open((root / each.report).as_uri())
    raise typer.Exit(tell_lacking(lacking))


if __name__ == "__main__":
    app(prog_name="python -m flows.command.report")
