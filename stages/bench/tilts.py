"""``python -m stages.bench.tilts CLIP...``: of how many heads the faces are found, however they are tilted.

Frames of clips in which heads are upright are turned about their middles. A face is found if its five points lie where
those of the upright frame go: within a fifth of the distance of the eyes in the mean. What else is found near it, which
is no face or one the other way up, is told as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from stages.bench.program import main
from stages.detection.looking import Looking, looking_of
from stages.detection.settings import DetectionSettings
from stages.geometry import Floats, apply
from stages.packs import open_pack
from stages.problems import Problem
from stages.progress import progress
from stages.video import decode

STEP: Final = 15
"""Degrees between two tilts of either side."""

FRAMES: Final = 8
"""Of a clip, evenly over it."""

NEAR: Final = 0.2
"""Mean distance of the five points from where they should be, in eye distances, up to which a face is found."""

AROUND: Final = 2.0
"""Eye distances from a face within which what is found and is not it is wrong."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Upright:
    """A frame (h, w, 3) uint8 RGB whose one face is upright, and its five points (5, 2)."""

    picture: Picture
    points: NDArray[np.float32]

    def turned(self, degrees: float) -> tuple[Picture, Floats]:
        """The frame turned about its middle against the clock, with its last pixels around it, and the points there."""
        height, width = self.picture.shape[:2]
        side = int(np.ceil(np.hypot(width, height)))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        matrix[:, 2] += [(side - width) / 2, (side - height) / 2]
        moved = cv2.warpAffine(self.picture, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8), apply(np.asarray(matrix, np.float64), self.points.astype(np.float64))


@dataclass
class Count:
    """Of looks at turned frames: how many, those that found the face, those with a wrong one, and their seconds."""

    looks: int = 0
    found: int = 0
    wrong: int = 0
    seconds: float = 0.0

    def look(self, looking: Looking, picture: Picture, points: Floats, *, tilted: bool) -> None:
        """Look once more."""
        begun = perf_counter()
        faces, _ = looking.at(picture, tilted=tilted)
        self.seconds += perf_counter() - begun
        eyes = float(np.linalg.norm(points[1] - points[0]))
        away = np.linalg.norm(faces.points - points, axis=2).mean(axis=1) / eyes
        middles = np.linalg.norm((faces.points - points).mean(axis=1), axis=1) / eyes
        self.looks += 1
        self.found += bool((away <= NEAR).any())
        self.wrong += bool(((away > NEAR) & (middles <= AROUND)).any())


def upright(clip: Path, looking: Looking) -> list[Upright]:
    """Frames of a clip that show one face.

    Raises:
        Problem: the clip can not be read, or none of the frames shows one.
    """
    pictures = [frame.rgb() for frame in decode(clip)]
    chosen = [pictures[number] for number in np.unique(np.linspace(0, len(pictures) - 1, FRAMES).astype(int)).tolist()]
    found = [(picture, looking.at(picture)[0]) for picture in chosen]
    result = [Upright(picture, faces.points[0]) for picture, faces in found if len(faces) == 1]
    if not result:
        raise Problem("no frame of it shows one upright face", where=clip, mend="give a clip of one person")
    return result


def lines(frames: Sequence[Upright], looking: Looking, step: int = STEP) -> Iterator[str]:
    """The table, a line as it comes: left and right of a tilt are one row."""
    yield "| tilt | found upright | wrong | found by looks for tilted heads | wrong | time |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for degrees in progress(range(0, 181, step), total=180 // step + 1, what="tilts", unit="tilt"):
        counts = {False: Count(), True: Count()}
        for frame in frames:
            for side in sorted({degrees, -degrees % 360}):
                picture, points = frame.turned(side)
                for tilted, count in counts.items():
                    count.look(looking, picture, points, tilted=tilted)
        cells = [
            f"{each.found / each.looks:.0%} | {each.wrong / each.looks:.0%}" for each in (counts[False], counts[True])
        ]
        yield f"| {degrees}° | {' | '.join(cells)} | {counts[True].seconds / counts[False].seconds:.1f} |"


def command(
    clips: Annotated[
        list[Path] | None, typer.Argument(help="clips of one person each, upright; the samples if none is given")
    ] = None,
) -> None:
    """Print how many faces are found at every tilt; a minute for each clip."""
    looking = looking_of(open_pack(), DetectionSettings(device="cpu"))
    given = clips or [Path(f"data/performances/{name}/clip.mp4") for name in ("ada", "ben")]
    frames = [frame for clip in given for frame in upright(clip, looking)]
    for line in lines(frames, looking):
        print(line, flush=True)


if __name__ == "__main__":
    main("tilts", command)
