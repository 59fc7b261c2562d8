"""``likeness status``: how clips, pairs and swaps stand, and what a run would do."""

from __future__ import annotations

import json
from contextlib import chdir
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.environment import find_root
from flows.sizes import size_of
from flows.status.forecast import spoken
from flows.status.survey import Item, State, Survey, survey
from stages.problems import Problem
from stages.program import tell
from stages.settings import load_params

COLOURS: Final[dict[State, str]] = {
    "fresh": "green",
    "not made": "yellow",
    "stale": "yellow",
    "failed": "red",
    "running": "cyan",
    "unknown": "magenta",
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    stages: Annotated[bool, typer.Option("--stages", help="list what `dvc repro` would run, too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """A table of clips, pairs and swaps: fresh, stale and why, running, failed, consent until when, sizes.

    Below it, what `dvc repro` would do, and how long that takes by what stages took on this machine before.
    """
    try:
        root = find_root()
        with chdir(root):
            found = survey(root, load_params())
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    if as_json:
        typer.echo(json.dumps(document(found), indent=2))
        return
    console = Console(soft_wrap=not Console().is_terminal)
    console.print(table(found.items))
    console.print(f"\n{found.forecast.sentence} ({found.stages} stages in all)", highlight=False)
    if stages:
        for address, seconds in found.forecast.seconds.items():
            console.print(f"  {address}  {'not timed yet' if seconds is None else spoken(seconds)}", highlight=False)


def document(found: Survey) -> dict[str, Any]:
    """For machines."""
    items: dict[str, dict[str, Any]] = {"clips": {}, "pairs": {}, "swaps": {}}
    for item in found.items:
        told = asdict(item)
        items[told.pop("section")][told.pop("name")] = told
    forecast = found.forecast
    plan = [{"stage": stage, "seconds": seconds} for stage, seconds in forecast.seconds.items()]
    known = forecast.total if not forecast.untimed else None
    return items | {"to_run": plan, "seconds": known, "seconds_at_least": forecast.total}


def table(items: tuple[Item, ...]) -> Table:
    """For people: a row an item."""
    grid = Table("", "", "state", "why", "consent until", "size", box=None, header_style="dim")
    before = ""
    for item in items:
        state = f"[{COLOURS[item.state]}]{item.state}[/]"
        consent = item.consent
        until = f"[red]{escape(consent.refusal)}[/]" if consent.refusal else consent.until or "no set day"
        section = item.section if item.section != before else ""
        grid.add_row(section, escape(item.name), state, escape(item.why), until, size_of(item.size))
        before = item.section
    return grid


if __name__ == "__main__":
    app(prog_name="python -m flows.status")
