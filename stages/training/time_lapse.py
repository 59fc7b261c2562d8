"""A film of the training: the preview at the looks on held-out faces, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.atomic import whole_file
from stages.exact_h264 import exact_h264
from stages.picture_bytes import jpeg
from stages.problems import Problem
from stages.training.preview import Row, sheet_of, title_bar
from stages.training.state import Progress
from stages.video import running_ffmpeg

MOST: Final = 240
"""Pictures that are kept of a run, spread evenly over its iterations; one or two more at its ends."""
LARGEST_FACE: Final = 128
"""Side of a face in the film, pixels: eight beside each other then fit on any screen."""
_RATE: Final = 10
"""Frames a second."""
_SHORTEST: Final = 40
"""Frames; with fewer pictures each is shown longer."""
_JPEG_QUALITY: Final = 95
_CRF: Final = 20


class TimeLapse:
    """Keeps pictures while a run goes on, and makes the film of them at its end.

    Pictures are named by their iteration: a run that goes back, or was killed and does its last looks again, writes
    them over with the same ones. Which looks are kept follows from the curve, so it is the same in a resumed run.

    Args:
        folder: where the pictures lie, beside the run's checkpoint.
        iterations: of the whole run.
    """

    def __init__(self, folder: Path, iterations: int) -> None:
        self._folder, self._iterations = folder, iterations

    def is_due(self, progress: Progress) -> bool:
        """Whether the look at held-out faces that the curve ends with is one to keep."""
        return progress.iteration in self.kept(progress)

    def add(self, progress: Progress, rows: Sequence[Row]) -> NDArray[np.uint8]:
        """Keep a picture of the preview's rows; returns it, (h, w, 3) uint8 RGB with even sides."""
        picture = self._picture(progress.iteration, rows)
        path = self._path(progress.iteration)
        with whole_file(path) as scratch:
            scratch.write_bytes(jpeg(picture, path, quality=_JPEG_QUALITY))
        return picture

    def write(self, path: Path, progress: Progress, rows: Sequence[Row]) -> None:
        """Make the film: H.264 yuv420p, BT.709, ten frames a second, of four seconds at least.

        Args:
            path: of the file.
            progress: at the end.
            rows: of the last preview, which is the film if no picture was kept.

        Raises:
            Problem: ffmpeg could not write it, the disk is full, or a kept picture is damaged.
        """
        kept = [path for path in map(self._path, self.kept(progress)) if path.is_file()]
        last = self._picture(progress.iteration, rows)
        repeated = -(-_SHORTEST // max(len(kept), 1))
        mend = "see that `ffmpeg -encoders` names libx264; if not, take that ffmpeg off the PATH, run again"
        command = exact_h264(path, last.shape[1], last.shape[0], _RATE, _CRF)
        with running_ffmpeg(command, path, mend=mend) as pipe:
            for picture in map(_read, kept) if kept else [last]:
                for _ in range(repeated):
                    pipe.write(picture.tobytes())

    def kept(self, progress: Progress) -> list[int]:
        """The iterations of the looks to keep: the first, the last of the run, and one of each even part of it."""
        looks = [int(row["iteration"]) for row in progress.curve if _has_held_out(row)]
        parts = [look * MOST // self._iterations for look in looks]
        return [
            look
            for number, look in enumerate(looks)
            if number == 0 or parts[number] > parts[number - 1] or look == self._iterations
        ]

    def _picture(self, iteration: int, rows: Sequence[Row]) -> NDArray[np.uint8]:
        sheet = sheet_of(rows, LARGEST_FACE)
        head = title_bar(f"iteration {iteration} of {self._iterations}", sheet.shape[1])
        picture = np.concatenate([head, sheet])
        height, width = picture.shape[:2]
        return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)))

    def _path(self, iteration: int) -> Path:
        return self._folder / f"{iteration:08d}.jpg"


def _has_held_out(row: Mapping[str, float]) -> bool:
    return any(name.startswith("held_out_") for name in row)


def _read(path: Path) -> NDArray[np.uint8]:
    """The picture, (h, w, 3) RGB."""
    picture = cv2.imread(str(path))
    if picture is None:
        raise Problem("the picture is damaged", where=path, mend="remove it and run again: the film does without it")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)
