"""Options by which a command is told which results are wanted; a shell completes their names."""

from __future__ import annotations

from typing import Annotated

import typer

from stages.names import names_in

Swaps = Annotated[
    list[str] | None,
    typer.Option("--swap", help="a swap of params.yaml (may be repeated)", autocompletion=names_in("swaps")),
]
Timeouts = Annotated[
    list[str] | None,
    typer.Option("--timeout", help="STAGE=HOURS: a stage of this kind that takes longer is ended (may be repeated)"),
]
Remote = Annotated[
    str | None,
    typer.Option("--remote", help="a DVC remote: workers of the pool likeness-stages make the stages (docs/flows.md)"),
]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", help="a pair of params.yaml, up to its swap model", autocompletion=names_in("pairs")),
]
Clips = Annotated[
    list[str] | None,
    typer.Option("--clip", help="a clip of params.yaml, up to its face set", autocompletion=names_in("clips")),
]
