"""``python -m stages.alignment.chart CLIP FRAME``: where the landmarks of a face lie, with their numbers.

For decisions by hand: the picture's axes are in pixels of the frame, as a decisions file takes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.decisions import at
from stages.artifacts.frames import Frames
from stages.consent import require_clip_consent
from stages.pixel_shape import SQUARE, PixelShape
from stages.problems import Problem
from stages.program import tell
from stages.settings import load_params

SCRATCH: Final = Path(".scratch/landmarks")
"""A picture a clip: by its name a purge knows whose face it shows."""

SIDE: Final = 16.0
"""Of the picture, in inches of 100 pixels."""

MARGIN: Final = 0.1
CLOSE: Final = 0.15
"""Share of the face that is seen to each side of one landmark."""


def draw(
    picture: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    title: str,
    around: int | None = None,
    shape: PixelShape = SQUARE,
) -> Figure:
    """The chart.

    Args:
        picture: the frame, (h, w, 3) uint8 RGB.
        landmarks: (478, 2) in frame pixels.
        title: above it.
        around: a landmark to look at closely; None is the whole face.
        shape: of the frame's pixels: the picture is drawn as a screen shows it, the axes count its own.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    middle, reach = (low + high) / 2, float((high - low).max()) * (0.5 + MARGIN)
    if around is not None:
        middle, reach = landmarks[around], float((high - low).max()) * CLOSE
    figure = Figure(figsize=(SIDE, SIDE), dpi=100, layout="constrained")
    axes: Any = figure.add_subplot(title=title, xlabel="x in pixels of the frame", ylabel="y, downwards")
    # a picture W wide covers x from 0 to W (docs/architecture.md, "Conventions"), so its axes are the decisions' own
    axes.imshow(picture, extent=(0, picture.shape[1], picture.shape[0], 0), interpolation="nearest")
    across = reach / shape.widening
    axes.set(xlim=(middle[0] - across, middle[0] + across), ylim=(middle[1] + reach, middle[1] - reach))
    axes.set_aspect(1.0 / shape.widening)
    axes.plot(*landmarks.T, ".", color="yellow", markersize=3)
    for number, (x, y) in enumerate(landmarks):
        axes.annotate(str(number), (x, y), (2, 2), textcoords="offset points", color="white", clip_on=True, fontsize=7)
    axes.grid(alpha=0.25)
    return figure


def chart(clip: str, number: int, face: int = 0, around: int | None = None) -> Figure:
    """The chart of a face as alignment left it: found by the network or corrected by hand, then steadied.

    Raises:
        Problem: there is no such face of the person.
    """
    alignments = Alignments.read(Path("data/alignment") / clip)
    table = alignments.table
    rows = table[(table["frame"] == number) & (table["face"] == face)]
    if rows.empty:
        here = table[table["frame"] == number]["face"].tolist()
        raise Problem(
            f"frame {number} has no face {face} of the person",
            where=f"data/alignment/{clip}",
            mend=f"name face {here[0]}" if here else "name a frame of the contact sheet",
        )
    frames = Frames.read(Path("data/extraction") / clip)
    landmarks = alignments.landmarks(rows.index[:1])[0, :, :2]
    about = f"{clip}; footage {frames.fingerprint}; frame {number}, face {face}"
    title = f"{about}: {{number: [x, y]}}, for {at(clip, 'landmarks')}"
    picture = next(iter(frames.pick([number]))).rgb()
    return draw(picture, landmarks, title, around, PixelShape.of(frames.facts))


def main(
    clip: Annotated[str, typer.Argument(help="a clip of params.yaml")],
    frame: Annotated[int, typer.Argument(help="a frame's number")],
    face: Annotated[int, typer.Option(help="its number in the frame")] = 0,
    around: Annotated[int | None, typer.Option(help="a landmark to look at closely", min=0, max=477)] = None,
    out: Annotated[Path | None, typer.Option(help="the picture; .scratch/landmarks/CLIP.png if not given")] = None,
) -> None:
    """Draw the landmarks of a face with their numbers."""
    try:
        require_clip_consent(clip, load_params(), "chart")
        figure = chart(clip, frame, face, around)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    place = out or SCRATCH / f"{clip}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(place)
    typer.echo(place)


if __name__ == "__main__":
    typer.run(main)
