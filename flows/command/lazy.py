"""A group of commands that imports one only when it is called, so that help and completion come at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

from stages.problems import nearest

PLACES: dict[str, str] = {}
"""Command -> the module whose ``app`` it is."""


def _unloaded() -> None:
    """Stands in for a command that was not imported yet."""


def mount(group: typer.Typer, name: str, module: str, says: str) -> None:
    """Put a Typer app into a group that was made with ``cls=LazyGroup``.

    Args:
        group: the group.
        name: the command's.
        module: holds the app as ``app``; imported when the command is called.
        says: what it does, for the group's help.
    """
    PLACES[name] = module
    group.command(name, help=says, add_help_option=False)(_unloaded)


class LazyGroup(TyperGroup):
    """Knows names and first lines of its commands; the commands themselves it fetches."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments begin with, imported, and the rest of them."""
        name = args[0]
        if name not in self.commands and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"there is no command '{name}'; {nearest(name, list(self.commands))}")
        if name not in PLACES:
            return super().resolve_command(ctx, args)
        command = typer.main.get_command(import_module(PLACES[name]).app)
        command.name = name
        return name, command, args[1:]
