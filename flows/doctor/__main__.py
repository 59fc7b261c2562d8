"""``likeness doctor``: what this machine and this checkout have, and the mend of what they lack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from flows.doctor import machine, media, project
from flows.doctor.finding import Finding, Verdict, looked_at
from flows.environment import find_root
from stages.problems import Problem
from stages.program import tell
from stages.settings import Params, load_params

COLOURS: Final[dict[Verdict, str]] = {"ok": "green", "warn": "yellow", "fail": "red"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """What this machine and this project have, each ok, warn or fail, with the mend; 1 at the end if anything fails."""
    console = Console(soft_wrap=True)
    found: list[Finding] = []
    try:
        root = find_root()
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    with chdir(root):
        for finding in findings(root):
            found.append(finding)
            if not as_json:
                _print(console, finding)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    raise typer.Exit(1 if any(finding.verdict == "fail" for finding in found) else 0)


def _print(console: Console, finding: Finding) -> None:
    verdict = f"[{COLOURS[finding.verdict]}]{finding.verdict:4}[/]"
    console.print(f"{verdict}  {finding.what:<12}{escape(finding.says)}", highlight=False)
    if finding.mend:
        console.print(f"{'':18}[dim]{escape(finding.mend)}[/]", highlight=False)


def findings(root: Path) -> Iterator[Finding]:
    """Look at one thing after another. The working directory is the project's folder."""
    params = _params()
    yield from looked_at("Python", machine.python)
    yield from looked_at("packages", lambda: machine.packages(root / "requirements.lock"))
    yield from looked_at("processors", lambda: machine.processors(params))
    yield from looked_at("memory", machine.memory)
    yield from looked_at("disk", lambda: machine.disk(root))
    yield from looked_at("GPU", lambda: machine.gpu(params))
    yield from looked_at("onnxruntime", media.networks)
    yield from looked_at("ffmpeg", media.encoders)
    yield from looked_at("hardware", media.hardware)
    yield from looked_at("pack", lambda: project.packs(params))
    yield from looked_at("base", lambda: project.base(root))
    yield from looked_at("DVC remote", lambda: project.remotes(root))
    yield from looked_at("Prefect", lambda: project.prefect(root))
    yield from looked_at("keys", project.keys)
    yield from looked_at("consent", lambda: project.consent(params))
    yield from looked_at("project", project.settings)


def _params() -> Params | None:
    """The settings, None where they are refused, which is among the findings then."""
    try:
        return load_params()
    except Problem:
        return None


if __name__ == "__main__":
    app(prog_name="python -m flows.doctor")
