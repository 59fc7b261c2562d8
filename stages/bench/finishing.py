"""``python -m stages.bench.finishing``: each method of compositing against the default, in some of the named scenes.

A scene is played and converted once (:mod:`stages.bench.playing`), then composited with the settings of the settings
file and with each change of them. All are held against one right answer, whose colours are moved as the settings file
says, so another method of colour does not bring its own measure; the file's own may still have it easier there, so
*same skin*, whose answer no map of compositing has touched, stands beside. It and *spilled* are the means of what
:mod:`stages.bench.quality` calls so. *CPU* is the time of all threads of this process for one face: measuring, placing,
reading and coding its 640 x 360 frame.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from stages.artifacts.frames import Frames
from stages.bench.answers import figures
from stages.bench.playing import Filmed, Swapped, filmed
from stages.bench.program import main
from stages.bench.quality import chosen
from stages.bench.scenes import NamedScene
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite
from stages.compositing.variants import variant
from stages.settings import Params, load_params

CHANGES: Final = (
    "light.method=none",
    "light.scale=0.2",
    "light.strength=0.7",
    "light.steady=0.2",
    "mask.grow=0",
    "mask.grow=0.06",
    "mask.feather=0.04",
    "mask.feather=0.1",
    "mask.decoder=false",
    "mask.hull=false",
    "mask.steady=0",
    "mask.occlusion=none",
    "mask.occlusion_steady=0",
    "colour.method=none",
    "colour.method=mean-deviation",
    "colour.method=histogram",
    "colour.method=sliced",
    "colour.strength=0.75",
    "colour.steady=0",
    "colour.steady=0.6",
    "colour.whites=0",
    "colour.cast=0",
    "colour.tint=0",
    "colour.veil=0",
    "blend.method=alpha",
    "blend.method=gradient",
    "blend.bands=2",
    "blend.bands=5",
    "motion_blur=0",
    "focus=0",
    "sharpness=0.5",
    "grain=0",
    "texture=0.5",
)
"""Compared if nothing else is asked for."""

Row = dict[str, tuple[float, float, float, float, float]]
"""PSNR, SSIM, PSNR against the answer of the same skin, what spilled and milliseconds a face, by scene."""


def rows(
    scenes: Iterable[NamedScene], variants: dict[str, CompositingSettings], swap: str, params: Params
) -> dict[str, Row]:
    """What each variant comes to in each scene.

    Raises:
        Problem: as :func:`stages.bench.playing.filmed`.
    """
    result: dict[str, Row] = {name: {} for name in variants}
    for scene in scenes:
        with tempfile.TemporaryDirectory() as folder:
            film = filmed(scene, swap, params, Path(folder))
            if not next(iter(result.values())):  # what is done once a process is no row's
                _finished(film, Path(folder) / "first", next(iter(variants.values())))
            for number, (name, settings) in enumerate(variants.items()):
                made, milliseconds = _finished(film, Path(folder) / str(number), settings)
                found = figures(scene, made, params.compositing.colour)
                psnr, ssim, skin, spilled = (float(found[each]) for each in ("psnr", "ssim", "same_skin", "spilled"))
                result[name][scene.name] = psnr, ssim, skin, spilled, milliseconds
    return result


def _finished(film: Filmed, folder: Path, settings: CompositingSettings) -> tuple[Swapped, float]:
    folder.mkdir()
    began = time.process_time()
    composite(film.frames, film.alignments, film.converted, folder, settings)
    spent = time.process_time() - began
    pictures = [frame.rgb() for frame in Frames.read(folder)]
    nothing = np.zeros((len(pictures), 2, *pictures[0].shape[:2]), bool)  # what is kept is not told here
    return film.gone(pictures, pictures, nothing), 1e3 * spent / len(film.alignments.table)


def table_of(found: dict[str, Row]) -> str:
    """The rows as Markdown, PSNR / SSIM, and the means over the scenes."""
    scenes = list(next(iter(found.values())))
    columns = [*scenes, "mean", "same skin", "spilled", "CPU"]
    lines = ["| settings | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in found.items():
        psnr, ssim, skin, spilled, spent = np.nanmean(list(row.values()), axis=0).tolist()
        cells = [f"{row[scene][0]:.2f} / {row[scene][1]:.3f}" for scene in scenes]
        cells += [f"{psnr:.2f} / {ssim:.3f}", f"{skin:.2f}", f"{spilled:.2%}", f"{spent:.0f} ms"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def variants_of(changes: Sequence[str], params: Params) -> dict[str, CompositingSettings]:
    """The settings file's settings, called ``default``, then each change of them.

    Raises:
        Problem: a change does not fit.
    """
    return {"default": params.compositing} | dict(variant(text, params.compositing) for text in changes or CHANGES)


def command(
    scenes: Annotated[str, typer.Option(help="names with commas between")] = "plain,hard-light,low-light,glasses",
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE[,KEY=VALUE ...] to compare; repeat it for more rows")
    ] = None,
    swap: Annotated[str, typer.Option(help="whose model, source and target; both must be performers")] = "ada-on-ben",
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print how good each method of compositing is in some scenes; `dvc repro` must have trained the swap's model."""
    settings = load_params(params)
    print(table_of(rows(chosen(scenes), variants_of(changes or [], settings), swap, settings)))


if __name__ == "__main__":
    main("finishing", command)
