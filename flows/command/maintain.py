"""``likeness maintain``: garbage, corrupt objects, consents that end."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.command.running import run_flow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Objects(StrEnum):
    """Which stores are read."""

    nothing = "nothing"
    cache = "cache"
    everywhere = "cache and remotes"


class Purge(StrEnum):
    """Of whom everything is removed."""

    nothing = "nothing"
    due = "due"
    expired = "expired"


@app.command()
def main(
    collect: Annotated[bool, typer.Option("--collect", help="remove what nothing needs from DVC's cache")] = False,
    keep_days: Annotated[int, typer.Option(min=0, help="what a commit of the last so many days names is needed")] = 30,
    shared_with: Annotated[
        list[str] | None, typer.Option(help="another project that uses the same cache (may be repeated)")
    ] = None,
    verify: Annotated[Objects, typer.Option(help="which stores to read whole, to find corrupt objects")] = (
        Objects.cache
    ),
    remove_corrupt: Annotated[
        bool, typer.Option("--remove-corrupt", help="remove corrupt objects that are made or fetched again")
    ] = False,
    within: Annotated[int, typer.Option(min=0, help="tell consents that end in so many days")] = 30,
    purge: Annotated[
        Purge,
        typer.Option(
            help="of whom to remove all: due: who withdrew, or whose retention is over; expired: whose term is, too"
        ),
    ] = Purge.nothing,
    key: Annotated[str | None, typer.Option(help="name of your key, which signs what a purge has to sign")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines: all that was found")] = False,
) -> None:
    """Look after cache, remotes and consents. Nothing is removed unless an option says so."""

    def call(root: Path) -> Any:
        from flows.maintain import maintain

        return maintain(
            collect_garbage=collect,
            keep_days=keep_days,
            shared_with=shared_with,
            verify_objects=verify.value,
            remove_corrupt=remove_corrupt,
            expire_within_days=within,
            purge=purge.value,
            key=key,
            repository=str(root),
            return_state=True,
        )

    run_flow(call, as_json=as_json)


if __name__ == "__main__":
    app(prog_name="python -m flows.command.maintain")
