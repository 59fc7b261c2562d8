"""A folder of numbered pictures read as a clip: which pictures belong to it, in which order, with which times."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.container
import av.error

from stages.artifacts.files import sha256_of
from stages.problems import Problem
from stages.video import open_clip

ENDINGS: Final = (".bmp", ".dpx", ".exr", ".jpeg", ".jpg", ".jp2", ".png", ".tga", ".tif", ".tiff")
"""Names of pictures end so; other files in a folder are passed over."""


@dataclass(frozen=True)
class PictureSequence:
    """Pictures of one folder, numbered without a gap, shown at a constant rate.

    Attributes:
        files: in order.
        pattern: their names as FFmpeg takes them, the number as ``%04d``.
        first: number of the first.
        rate: pictures a second.
    """

    files: tuple[Path, ...]
    pattern: str
    first: int
    rate: Fraction

    @classmethod
    def find(cls, folder: Path, rate: Fraction | None, names: str | None = None) -> PictureSequence:
        """The pictures of a folder.

        Args:
            folder: that holds them.
            rate: pictures a second, which a folder does not say.
            names: if the folder holds more than one sequence, the names of the wanted one, its number as ``#``:
                ``shot_010.#.png``.

        Raises:
            Problem: the rate is missing; there are no numbered pictures, more than one sequence, or a gap in one.
        """
        found = _sequences(folder)
        if names is not None:
            found = {name: numbers for name, numbers in found.items() if name == names}
        if not found:
            what = f"no picture in it has a name like '{names}'" if names else "there are no numbered pictures in it"
            raise Problem(what, where=folder, mend=f"name them like shot.0001.png; known endings: {', '.join(ENDINGS)}")
        if len(found) > 1:
            raise Problem(
                f"there are {len(found)} sequences in it: {', '.join(sorted(found))}",
                where=folder,
                mend="say which at the clip's `pictures`, for instance `pictures: " + min(found) + "`",
            )
        if rate is None:
            raise Problem(
                "it is a folder of pictures, which says no rate", where=folder, mend="add `rate: 24` to the clip"
            )
        [(name, numbers)] = found.items()
        return cls(*_in_order(folder, name, numbers), rate)

    def open(self) -> av.container.InputContainer:
        """The pictures as one container, whose time base is one picture.

        Raises:
            Problem: the first can not be read.
        """
        options = {"framerate": str(self.rate), "start_number": str(self.first), "pattern_type": "sequence"}
        try:
            return av.open(os.fspath(self.files[0].parent / self.pattern), format="image2", options=options)
        except (av.error.FFmpegError, ValueError) as error:
            raise Problem(f"it can not be read ({error})", where=self.files[0], mend="export it again") from error


def open_footage(path: Path, rate: Fraction | None, names: str | None) -> av.container.InputContainer:
    """A clip's video file, or its folder of pictures, opened for reading.

    Raises:
        Problem: it is missing or unreadable, or a setting does not fit it.
    """
    if path.is_dir():
        return PictureSequence.find(path, rate, names).open()
    if path.is_file() and (rate is not None or names is not None):
        field = "rate" if rate is not None else "pictures"
        raise Problem(
            f"the clip's `{field}` is for a folder of pictures; a video file says it itself",
            where=path,
            mend=f"remove `{field}` from the clip",
        )
    return open_clip(path)


def sha256_of_pictures(files: Iterable[Path]) -> str:
    """One hash, in hexadecimal, of many files: that of a list of their own and their names, a line each."""
    return hashlib.sha256("".join(f"{sha256_of(file)}  {file.name}\n" for file in files).encode()).hexdigest()


def _sequences(folder: Path) -> dict[str, dict[int, list[str]]]:
    """Names with ``#`` for the last number in them -> number -> its digits, as written."""
    found: dict[str, dict[int, list[str]]] = {}
    for path in sorted(folder.iterdir()):
        parts = re.fullmatch(r"(.*?)(\d+)(\D*)", path.stem)
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and parts:
            before, digits, after = parts.groups()
            found.setdefault(f"{before}#{after}{path.suffix}", {}).setdefault(int(digits), []).append(digits)
    return found


def _in_order(folder: Path, name: str, numbers: dict[int, list[str]]) -> tuple[tuple[Path, ...], str, int]:
    """Files, pattern and first number; refused unless each number is there once and written alike."""
    first, last = min(numbers), max(numbers)
    missing = last + 1 - first - len(numbers)  # counted, not listed: numbers may be times of day, far apart
    if missing:
        absent = next(number for number in range(first, last + 1) if number not in numbers)
        raise Problem(
            f"{missing} of the pictures {first} to {last} of '{name}' are missing, the first is {absent}",
            where=folder,
            mend="put them there, or number the pictures without a gap",
        )
    digits = [numbers[number] for number in sorted(numbers)]
    width = len(digits[0][0])
    if any(len(written) > 1 or written[0] != f"{number:0{width}d}" for number, written in zip(
        range(first, last + 1), digits, strict=True
    )):  # fmt: skip
        raise Problem(
            f"the numbers in '{name}' are not written alike",
            where=folder,
            mend="write all with the same number of digits, such as 0001",
        )
    before, after = name.split("#", 1) if name.count("#") == 1 else name.rsplit("#", 1)
    pattern = f"{before.replace('%', '%%')}%0{width}d{after.replace('%', '%%')}"
    return tuple(folder / f"{before}{written[0]}{after}" for written in digits), pattern, first
