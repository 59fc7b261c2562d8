"""What ``python -m stages.<stage> NAME`` does: read the settings, run the stage, tell problems as help."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from stages.journal import noted
from stages.problems import Problem
from stages.settings import Params, load_params
from stages.untouched import untouched


def tell(problem: Problem) -> int:
    """Print the problem as one message on stderr and give the exit status that goes with it."""
    print(f"error: {problem}", file=sys.stderr)
    return problem.status


def main(stage: str, run: Callable[[str, Params], object], about: str) -> None:
    """Run one stage by hand or from DVC, on one NAME of params.yaml.

    Args:
        stage: the stage's name.
        run: takes the item's name and the settings.
        about: what NAME is, for the help text.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command(help=(run.__doc__ or stage).split("\n\n")[0])
    def command(
        name: Annotated[str, typer.Argument(help=about, metavar="NAME")],
        params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
    ) -> None:
        logging.basicConfig(level=logging.INFO, format=f"{stage} %(message)s", stream=sys.stderr)
        try:
            with noted(stage, name), untouched():
                run(name, load_params(params))
        except Problem as problem:
            raise typer.Exit(tell(problem)) from None

    app(prog_name=f"python -m stages.{stage}")
