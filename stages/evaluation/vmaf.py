"""VMAF of the face against the right answer, by the libvmaf that an ffmpeg program brings.

VMAF (Li et al. 2016, model vmaf_v0.6.1) joins several measures of detail and of motion into what viewers said of
compressed video, 0..100. It knows no mask: everything that is not measured is taken from the right answer in both.
"""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final, Self

import cv2
import ffmpeg
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from stages.problems import Problem
from stages.video import ffmpeg_program

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LONGEST: Final = 576
"""Longest side of the pictures that are compared, pixels; larger faces are made smaller first."""

SHORTEST: Final = 64
"""libvmaf's measures halve a picture four times; smaller faces are made larger first."""

_TRUTH: Final = "-of-the-truth"

log = logging.getLogger(__name__)


@cache
def program() -> str | None:
    """An ffmpeg program with libvmaf: the one that the pipeline runs, else the wheel's; None if neither has it."""
    for candidate in (ffmpeg_program(), imageio_ffmpeg.get_ffmpeg_exe()):
        told = subprocess.run([candidate, "-hide_banner", "-filters"], capture_output=True, text=True, check=False)
        if " libvmaf " in told.stdout:
            return candidate
    log.warning("no ffmpeg program here has libvmaf, so there is no VMAF")
    return None


class Reel:
    """Pictures of one stretch, the right answer and those that are compared with it, in files beside each other."""

    def __init__(self, folder: Path, box: tuple[int, int, int, int], names: Sequence[str]) -> None:
        x0, y0, x1, y1 = box
        sides = np.array([x1 - x0, y1 - y0], np.float64)
        sides *= min(1.0, LONGEST / sides.max())
        sides *= max(1.0, SHORTEST / sides.min())
        self._box = box
        self.width, self.height = (2 * round(side / 2) for side in sides)
        self.folder, self.numbers = folder, list[int]()
        self._files: dict[str, IO[bytes]] = {name: self._path(name).open("wb") for name in (_TRUTH, *names)}

    @classmethod
    @contextmanager
    def begun(cls, box: tuple[int, int, int, int], names: Sequence[str]) -> Iterator[Self]:
        """A reel whose files go when the block ends."""
        with tempfile.TemporaryDirectory(prefix="vmaf-") as folder:
            reel = cls(Path(folder), box, names)
            try:
                yield reel
            finally:
                reel.close()

    def add(self, number: int, truth: Picture, pictures: dict[str, Picture], mask: Mask) -> None:
        """Append a frame: the right answer and all pictures by name, (h, w, 3) uint8 RGB, measured inside the mask."""
        x0, y0, x1, y1 = self._box
        right, counts = truth[y0:y1, x0:x1], mask[y0:y1, x0:x1, None]
        self._write(_TRUTH, right)
        for name, picture in pictures.items():
            self._write(name, np.where(counts, picture[y0:y1, x0:x1], right))
        self.numbers.append(number)

    def _path(self, name: str) -> Path:
        return self.folder / f"pictures{name}.yuv"

    def _write(self, name: str, picture: Picture) -> None:
        resized = cv2.resize(picture, (self.width, self.height), interpolation=cv2.INTER_AREA)
        self._files[name].write(cv2.cvtColor(resized, cv2.COLOR_RGB2YUV_I420).tobytes())

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def scores(self, name: str, threads: int) -> list[float]:
        """VMAF of every frame added, in order, 0..100.

        Raises:
            Problem: the program failed.
        """
        for file in self._files.values():
            file.flush()
        said = run(command(self._path(name), self._path(_TRUTH), self.width, self.height, threads))
        frames = json.loads(_log(self._path(name)).read_text(encoding="utf-8"))["frames"]
        if len(frames) != len(self.numbers):
            raise Problem(f"libvmaf told of {len(frames)} frames: {said}", where=self.folder, mend="run it again")
        return [float(frame["metrics"]["vmaf"]) for frame in frames]


def _log(shown: Path) -> Path:
    return shown.with_suffix(".json")


def command(shown: Path, right: Path, width: int, height: int, threads: int) -> list[str]:
    """The arguments that compare two files of raw I420 pictures and write what libvmaf says beside the first."""
    raw = {"format": "rawvideo", "pix_fmt": "yuv420p", "video_size": (width, height), "framerate": 25}
    inputs = [ffmpeg.input(str(path), **raw) for path in (shown, right)]
    compared = ffmpeg.filter(inputs, "libvmaf", log_fmt="json", log_path=str(_log(shown)), n_threads=threads)
    return [str(word) for word in ffmpeg.output(compared, "-", format="null").global_args("-v", "error").get_args()]


def run(arguments: list[str]) -> str:
    """Run the program; what it said.

    Raises:
        Problem: it failed, or there is none.
    """
    found = program()
    if found is None:
        raise Problem("no ffmpeg program here has libvmaf", where="ffmpeg", mend="install imageio-ffmpeg's wheel")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        words = " / ".join(done.stderr.strip().splitlines()[:3])
        raise Problem(
            f"VMAF could not be computed: {words or f'status {done.returncode}'}",
            where=found,
            mend="run it again; else report this",
        )
    return done.stderr
