"""What ``python -m stages.bench.<name>`` does around a bench's own command."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from stages.problems import Problem
from stages.program import tell

Options = ParamSpec("Options")


def main(name: str, command: Callable[Options, None], *, level: int = logging.WARNING) -> None:
    """Run a bench from the shell: its options are the command's parameters, and a problem is told as help.

    Args:
        name: of the bench.
        command: prints what is measured.
        level: of what is logged, on stderr.
    """

    @wraps(command)
    def told(*args: Options.args, **options: Options.kwargs) -> None:
        logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
        try:
            command(*args, **options)
        except Problem as problem:
            raise typer.Exit(tell(problem)) from None

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(told)
    app(prog_name=f"python -m stages.bench.{name}")
