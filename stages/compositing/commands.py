"""Beside the pipeline: try settings on a few frames, and hand over layers. Neither changes an artifact."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stages.atomic import whole_file
from stages.compositing.inputs import Inputs
from stages.compositing.layers import deliver
from stages.compositing.preview import TARGET, Preview, frames_to_show, sheet
from stages.compositing.variants import variant
from stages.journal import noted
from stages.picture_bytes import png
from stages.problems import Problem
from stages.program import tell
from stages.settings import load_params

COMMANDS = ("preview", "layers")

commands = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

SwapName = Annotated[str, typer.Argument(help="a swap of params.yaml", metavar="SWAP")]
SettingsFile = Annotated[Path, typer.Option(help="the settings file")]


@commands.command()
def preview(
    swap: SwapName,
    frames: Annotated[str, typer.Option(help="numbers of frames, such as 20,95; three of the clip if not given")] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="a column: KEY=VALUE[,KEY=VALUE ...] that differ from params.yaml, 'NAME:' before them if you like; "
            "repeat it for more columns",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the PNG; .scratch/preview/SWAP.png if not given")] = None,
    side: Annotated[int, typer.Option(min=64, max=2048, help="width of each picture in pixels")] = 256,
    params: SettingsFile = Path("params.yaml"),
) -> None:
    """A sheet of settings against frames, in seconds: the clip, params.yaml's settings, then each --set."""
    place = out or Path(".scratch/preview") / f"{swap}.png"
    try:
        settings = load_params(params)
        columns = {params.name: settings.compositing}
        for text in changes or []:
            name, changed = variant(text, settings.compositing)
            if name in columns or name == TARGET:
                raise Problem(f"there are two columns '{name}'", where=f"--set {text}", mend="name it otherwise")
            columns[name] = changed
        inputs = Inputs.read(swap, settings)
        shown = Preview(inputs, frames_to_show(inputs, _numbers(frames)))
        picture = sheet(shown, columns, side)
        with whole_file(place) as scratch:
            scratch.write_bytes(png(picture, place))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    print(place, file=sys.stderr)


@commands.command()
def layers(
    swap: SwapName,
    out: Annotated[Path | None, typer.Option(help="the folder; data/layers/SWAP if not given")] = None,
    params: SettingsFile = Path("params.yaml"),
) -> None:
    """A layered delivery: face, matte and transform of each frame, to rebuild the composite elsewhere."""
    place = out or Path("data/layers") / swap
    try:
        with noted("layers", swap):
            deliver(swap, load_params(params), place)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    print(place, file=sys.stderr)


def _numbers(text: str) -> list[int]:
    """Whole numbers with commas between.

    Raises:
        Problem: something else.
    """
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise Problem(f"'{text}' is no list of frames", where="--frames", mend="write for instance 20,95") from None
