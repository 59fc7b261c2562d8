"""``python -m stages.showcase SWAP...``: one picture of source, target, swap and truth, side by side, for a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.face_set import HELD_OUT, FaceSet
from stages.artifacts.frames import Frames
from stages.artifacts.truth import Truth
from stages.consent import require_swap_consent
from stages.geometry import as_matrix, region
from stages.picture_bytes import jpeg
from stages.problems import Problem
from stages.program import tell
from stages.settings import Params, Swap, load_params
from stages.video import NativeFrame, decode

Picture = NDArray[np.uint8]

_BAND = 28
"""Height in pixels of the line of captions."""


def row(swap: str, params: Params, side: int, at: float) -> dict[str, Picture]:
    """A held-out frame of one swap in every version, each (side, side, 3) uint8 RGB about the face.

    Args:
        swap: a swap of the settings, made.
        params: the settings.
        side: of the pictures in pixels.
        at: which of the held-out frames, 0 the first, 1 the last.

    Raises:
        Problem: no such swap, no consent, or it is not made yet.
    """
    chosen = params.swap(swap)
    require_swap_consent(swap, params, "showcase")
    held_out = _held_out(chosen)
    number = held_out[round(at * (len(held_out) - 1))]
    source_clip = next(name for name, clip in params.clips.items() if clip.identity == chosen.source)
    target = Frames.read(Path("data/extraction") / chosen.clip)
    source = Frames.read(Path("data/extraction") / source_clip)
    shown = {
        "source": (next(source.pick([number % len(source)])).rgb(), source_clip, number % len(source)),
        "target": (next(target.pick([number])).rgb(), chosen.clip, number),
        "swap": (_picked(Deliverable.read(Path("data/encoding") / swap).frames(), number), chosen.clip, number),
    }
    truth = Truth.read(Path("data/truth") / chosen.truth)
    if truth is not None:
        shown["right answer"] = (_picked(decode(truth.clip), number), chosen.clip, number)
    return {caption: _about_face(*what, side=side) for caption, what in shown.items()}


def _held_out(swap: Swap) -> list[int]:
    faces = FaceSet.read(Path("data/dataset") / swap.target / swap.clip)
    return sorted(faces.part(HELD_OUT)["frame"].astype(int).tolist())


def _picked(frames: Iterator[NativeFrame], number: int) -> Picture:
    return next(frame for frame in frames if frame.number == number).rgb()


def _about_face(frame: Picture, clip: str, number: int, *, side: int) -> Picture:
    """The frame's surroundings of the face, by the clip's own alignment; all of it where no face was found."""
    table = Alignments.read(Path("data/alignment") / clip).table
    found = table[table["frame"] == number]
    height, width = frame.shape[:2]
    box = (0, 0, width, height)
    if len(found):
        box = region(as_matrix(found["transform"].iloc[0]), width, height, margin=0.12)
    x0, y0, x1, y1 = box
    return np.asarray(cv2.resize(frame[y0:y1, x0:x1], (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def sheet(rows: list[dict[str, Picture]]) -> Picture:
    """The rows below one another under their captions."""
    pictures = np.concatenate([np.concatenate(list(each.values()), axis=1) for each in rows], axis=0)
    band = np.full((_BAND, pictures.shape[1], 3), 255, np.uint8)
    side = pictures.shape[1] // len(rows[0])
    for place, caption in enumerate(rows[0]):
        at = (place * side + 8, _BAND - 9)
        cv2.putText(band, caption, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate([band, pictures], axis=0)


def main(
    swaps: Annotated[list[str], typer.Argument(help="swaps of params.yaml that are made")],
    out: Annotated[Path, typer.Option(help="the JPEG to write")] = Path("docs/pictures/demo.jpg"),
    side: Annotated[int, typer.Option(min=64, help="of each picture, in pixels")] = 256,
    each: Annotated[int, typer.Option(min=1, help="held-out frames of each swap")] = 2,
) -> None:
    """Write one picture of source, target, swap and right answer."""
    try:
        params = load_params()
        rows = [row(swap, params, side, (place + 0.5) / each) for swap in swaps for place in range(each)]
        coded = jpeg(sheet(rows), out, quality=88)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(coded)
    print(out, file=sys.stderr)


if __name__ == "__main__":
    typer.run(main)
