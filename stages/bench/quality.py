"""``python -m stages.bench.quality``: how good finished frames are in the named scenes, against their right answer.

Each scene (:mod:`stages.bench.scenes`) is played by a swap's target and goes through detection, alignment, conversion
and compositing as the settings file says, with the swap's own model. Nothing of it was in training.

- *PSNR, SSIM*: of the finished frame inside the face, against the right answer. A finished face follows the target's
  colours and not the source's, so the right answer is given them, too: its colours in the face are moved to those of
  the target's face by the compositing's own map, but those of the eyes, which are no skin.
  The face is the landmarks' hull less whatever is no face in truth, and less what lies within two pixels of hair:
  strands are thinner than pixels, so there both show, and whose hair it is a swap does not change.
- *mouth, eyes*: the SSIM where either picture shows lips or what is between them, and eyeballs or lashes.
- *same skin*: PSNR against another right answer, which no map of compositing has touched: the source rendered with the
  pigments of the target's skin.
- Controls, whose PSNR is measured as the swap's. *copied*: the untouched target; what does not beat it is worth
  nothing. *shuffled*: the finished face of another moment. *oracle*: the right answer as the model's resolution can
  show it.
- *kept*: intersection over union of the pixels that the settings leave to what is before the face, and those that truly
  show it, among the pixels that would be replaced without the network; *things*: the same without what lies within two
  pixels of hair; *lost*: share of the face's pixels that are not replaced because of the network. A pixel is replaced
  where the masks hide more than half of the target (:func:`stages.bench.playing.hidden`).
- *spilled*: share of the changed pixels in which the target shows no face: background, hair, neck, things. What makes a
  mask larger gains in PSNR, which looks at faces alone, and pays here.
- *fine*: strength of the finest structure of the face, pores and noise, over the right answer's: below 1 a face is
  smoother than the film around it.
- *replaced*: share of the frames in which a face was replaced.
- *flicker*, *seam*, *lips late*, *lips open*: see :mod:`stages.bench.lasting`. *answer late*: how late the right
  answer's lips are told to be, which are not: a control of the instrument.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from stages.atomic import whole_file
from stages.bench.answers import figures
from stages.bench.lasting import lasting
from stages.bench.playing import Picture, Swapped, swapped
from stages.bench.program import main
from stages.bench.scenes import SCENES, NamedScene
from stages.packs import Landmarker, open_pack
from stages.picture_bytes import png
from stages.problems import Problem, nearest
from stages.settings import load_params

ANSWERS: Final[dict[str, tuple[str, str]]] = {
    "PSNR": ("psnr", ".2f"),
    "worst frame": ("worst", ".2f"),
    "SSIM": ("ssim", ".3f"),
    "mouth": ("mouth", ".3f"),
    "eyes": ("eyes", ".3f"),
    "same skin": ("same_skin", ".2f"),
    "copied": ("copied", ".2f"),
    "shuffled": ("shuffled", ".2f"),
    "oracle": ("oracle", ".2f"),
}
"""Columns of the table of what is held against the right answer, by their headings: figure and format; PSNR in dB."""

FINISH: Final[dict[str, tuple[str, str]]] = {
    "kept": ("kept", ".3f"),
    "things": ("things", ".3f"),
    "lost": ("lost", ".2%"),
    "spilled": ("spilled", ".2%"),
    "replaced": ("replaced", ".0%"),
    "fine": ("fine", ".2f"),
    "flicker": ("flicker", ".2f"),
    "seam": ("seam", ".2f"),
    "lips late": ("lag", "+.2f"),
    "answer late": ("answer_lag", "+.2f"),
    "lips open": ("opens", ".2f"),
}
"""Those of the finish: fine structure over the right answer's, flicker and seam over the target's own, how late lips
are, and the right answer's, in frames, and how far they open where the right answer's open by one."""


def table_of(rows: Sequence[dict[str, float | str]], columns: dict[str, tuple[str, str]]) -> str:
    """The rows and their means as Markdown; what is not known is left empty, and does not count."""
    lines = ["| scene | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    figures = {name: np.array([float(row[name]) for row in rows]) for name, _ in columns.values()}
    known = {name: values[np.isfinite(values)] for name, values in figures.items()}
    means = {name: float(values.mean()) if len(values) else float("nan") for name, values in known.items()}
    mean: dict[str, float | str] = {"scene": "mean", **means}
    for row in [*rows, mean]:
        cells = [(float(row[name]), form) for name, form in columns.values()]
        told = " | ".join(format(value, form) if np.isfinite(value) else "" for value, form in cells)
        lines.append(f"| {row['scene']} | {told} |")
    return "\n".join(lines)


def strip(made: Swapped) -> Picture:
    """The middle frame with a face: clip, finished, finished without the network, right answer, side by side."""
    numbers = made.faces["frame"].tolist()
    at = int(numbers[len(numbers) // 2])
    return np.concatenate([made.clip[at], made.finished[at], made.painted[at], made.takes[at].truth], axis=1)


def chosen(names: str) -> Iterable[NamedScene]:
    """The scenes with these names, all if there are none.

    Raises:
        Problem: there is no such scene, or none is named.
    """
    known = {scene.name: scene for scene in SCENES}
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if names and not asked:
        raise Problem("it names no scene", where="--scenes", mend=nearest("", list(known)))
    for name in asked:
        if name not in known:
            raise Problem(f"there is no scene '{name}'", where="--scenes", mend=nearest(name, list(known)))
    return [scene for name, scene in known.items() if not names or name in asked]


def command(
    scenes: Annotated[str, typer.Option(help="names with commas between; all if not given")] = "",
    swap: Annotated[str, typer.Option(help="whose model, source and target; both must be performers")] = "ada-on-ben",
    pictures: Annotated[Path | None, typer.Option(help="a folder for a picture of each scene")] = None,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print how good finished frames are in the named scenes; `dvc repro` must have trained the swap's model."""
    settings = load_params(params)
    pack = open_pack()
    landmarker = Landmarker(pack, device=settings.alignment.device, threads=settings.alignment.threads)
    rows: list[dict[str, float | str]] = []
    for scene in chosen(scenes):
        with tempfile.TemporaryDirectory() as folder:
            made = swapped(scene, swap, settings, Path(folder))
        rows.append({**figures(scene, made, settings.compositing.colour), **lasting(made, landmarker)})
        if pictures is not None:
            place = pictures / f"{scene.name}.png"
            with whole_file(place) as scratch:
                scratch.write_bytes(png(strip(made), place))
    for columns in (ANSWERS, FINISH):
        print(table_of(rows, columns), end="\n\n")


if __name__ == "__main__":
    main("quality", command)
