"""``python -m stages.bench.keeping``: how much of what is before a face is kept, and how much could be at best.

The named scenes in which something comes before the face are composited as in :mod:`stages.bench.playing`, once with
what the network says, and once each with the truth in its place, as pictures of so many pixels a side could hold it.
What such a truth does not keep, no mask of so many pixels can: it is too coarse for rims and hairs, or compositing,
which steadies it over time and draws it soft, is. 128 is what the network sees, 256 what alignment stores of it.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import Alignments
from stages.artifacts.visibility import FINE, SIZE, packed, unpacked
from stages.bench.answers import FACE, figures
from stages.bench.playing import Filmed, filmed, finished
from stages.bench.program import main
from stages.bench.quality import chosen
from stages.problems import Problem
from stages.rendering.mesh import COVERS, Part
from stages.settings import load_params

SIDES: Final = (SIZE, FINE)
"""Pixels of the pictures of the truth."""


def known(film: Filmed, side: int) -> Filmed:
    """A scene with the truth in place of what the network says of it.

    Args:
        film: whose takes tell the truth; beside face and what comes before it, the network's word stays.
        side: pixels as which the truth is seen.
    """
    table = film.alignments.whole()
    rows = zip(table["frame"], table["transform"], table["seen"], strict=True)
    seen = [
        packed(truth_in(film.takes[number].target_parts, geometry.as_matrix(transform), unpacked(said), side))
        for number, transform, said in rows
    ]
    return replace(film, alignments=Alignments.of(table.assign(seen=seen), film.alignments.facts))


def truth_in(
    parts: NDArray[np.uint8], transform: geometry.Floats, said: NDArray[np.float32], side: int
) -> NDArray[np.float32]:
    """How much of each pixel of a crop shows the face and nothing before it, (side, side) float32 in 0..1.

    Args:
        parts: (h, w) of a rendered frame.
        transform: (2, 3), frame pixels to the unit crop.
        said: (s, s) float32, what is said of pixels that show neither face nor anything before it.
        side: pixels.
    """
    to_crop = geometry.compose(transform, geometry.to_pixels(side))
    face, before = (
        geometry.warp(np.isin(parts, labels).astype(np.float32), to_crop, side, side, edge="zero")
        for labels in (FACE, (*COVERS, Part.HAIR))
    )
    there = face + before
    beside = cv2.resize(said, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(np.where(there > 0.5, face / np.maximum(there, 1e-3), beside), np.float32)


def table_of(found: dict[str, dict[str, tuple[float, float, float]]]) -> str:
    """Markdown, a row for each way of knowing; cells have what is kept, of things alone, and what of faces is lost."""
    scenes = list(next(iter(found.values())))
    lines = ["| known from | " + " | ".join((*scenes, "mean")) + " |", "|---|" + "---:|" * (len(scenes) + 1)]
    for way, row in found.items():
        cells = [row[scene] for scene in scenes]
        known = np.ma.masked_invalid(cells).mean(axis=0).filled(np.nan).tolist()
        told = [" / ".join(_cell(*cell)) for cell in (*cells, known)]
        lines.append(f"| {way} | " + " | ".join(told) + " |")
    return "\n".join(lines)


def _cell(kept: float, things: float, lost: float) -> tuple[str, str, str]:
    return f"{kept:.3f}", f"{things:.3f}" if np.isfinite(things) else "-", f"{lost:.1%}"


def command(
    scenes: Annotated[str, typer.Option(help="names with commas between")] = "glasses,hand,microphone,fringe",
    swap: Annotated[str, typer.Option(help="whose model, source and target; both must be performers")] = "ada-on-ben",
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print how much of what is before faces is kept, by the network and by the truth; after `dvc repro`."""
    settings = load_params(params)
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    asked = [scene for scene in chosen(scenes) if scene.before]
    if not asked:
        raise Problem(
            "nothing is before the face in any of these", where="--scenes", mend="name one with hand or glasses"
        )
    for scene in asked:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            film = filmed(scene, swap, settings, folder)
            ways = {"the network": film}
            ways |= {f"the truth, {side} x {side} pixels": known(film, side) for side in SIDES}
            for number, (way, each) in enumerate(ways.items()):
                place = folder / str(number)
                place.mkdir()
                made = finished(each, place, settings.compositing)
                row = figures(scene, made, settings.compositing.colour)
                kept, things, lost = (float(row[measure]) for measure in ("kept", "things", "lost"))
                found.setdefault(way, {})[scene.name] = kept, things, lost
    print(table_of(found))


if __name__ == "__main__":
    main("keeping", command)
