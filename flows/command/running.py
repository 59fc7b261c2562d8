"""Runs a flow from the command line on Prefect's embedded server, and tells its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from pydantic import TypeAdapter

from flows.environment import find_root, prepare
from flows.reproduce import FAILED, INTERRUPTED
from flows.server import start_server
from stages.problems import Problem
from stages.program import tell


def run_flow(call: Callable[[Path], Any], *, look: Callable[[Path], object] | None = None, as_json: bool) -> None:
    """Run a flow and end the program as it ended.

    Args:
        call: runs it in the repository's folder and gives its final state; it imports the flow, for Prefect reads its
            settings when it is imported.
        look: raises a Problem for what is plain before a server is started.
        as_json: print what the flow gives, for machines, in place of its message.

    Raises:
        typer.Exit: always; 0 where the flow completed.
    """
    try:
        root = find_root()
        prepare(root)
        if look is not None:
            look(root)
        start_server()
        state = call(root)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    except KeyboardInterrupt:
        print("error: interrupted; what was finished is kept, run again to go on", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    given = state.result(raise_on_failure=False) if as_json else None
    if as_json and not isinstance(given, BaseException):  # what kept it from giving anything is its message
        print(TypeAdapter(Any).dump_json(given, indent=2).decode())
    elif state.is_completed():
        print(state.message)
    if not state.is_completed():
        print(f"error: {state.message}", file=sys.stderr)
        raise typer.Exit(FAILED)
    raise typer.Exit(0)


def seen_from_here(inbox: str) -> str:
    """The address of an inbox, whose path may be one from the working directory, for a flow that runs elsewhere."""
    return inbox if "://" in inbox else str(Path.cwd() / inbox)
