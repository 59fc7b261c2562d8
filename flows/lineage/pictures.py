"""A small picture for a node: a contact sheet or preview that the step has made, else a frame of its video."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from flows.lineage.records import Artifact
from stages.picture_bytes import jpeg
from stages.problems import Problem

PICTURES: Final = (".png", ".jpg", ".jpeg")
VIDEOS: Final = (".mp4", ".mov", ".mkv")
FIRST: Final = ("contact-sheet.png", "preview.png", "tracks.png")
WIDTH: Final = 480
"""Twice what a node shows of it, for screens of high density and for the panel beside the graph."""

QUALITY: Final = 82


def picture_of(root: Path, outputs: Sequence[Artifact]) -> str | None:
    """The first picture that can be read, as a data URL of a JPEG; None without any."""
    for file in _candidates(root, outputs):
        with suppress(Problem, OSError, ValueError, cv2.error, av.FFmpegError):
            picture = _frame(file) if file.suffix in VIDEOS else _picture(file)
            if picture is not None:
                coded = base64.b64encode(jpeg(_small(picture), file, quality=QUALITY)).decode()
                return f"data:image/jpeg;base64,{coded}"
    return None


def _candidates(root: Path, outputs: Sequence[Artifact]) -> Iterator[Path]:
    files: list[Path] = []
    for output in outputs:
        place = root / output.path
        files += sorted(place.iterdir()) if place.is_dir() else [place]
    named = [file for name in FIRST for file in files if file.name == name]
    yield from named
    yield from (file for file in files if file.suffix.lower() in PICTURES and file not in named)
    yield from (file for file in files if file.suffix.lower() in VIDEOS)


def _picture(file: Path) -> NDArray[np.uint8] | None:
    """(h, w, 3) RGB."""
    coded = np.frombuffer(file.read_bytes(), np.uint8)
    decoded: Any = cv2.imdecode(coded, cv2.IMREAD_COLOR) if coded.size else None
    return None if decoded is None else np.asarray(decoded[..., ::-1], np.uint8)


def _frame(file: Path) -> NDArray[np.uint8] | None:
    """The key frame at or before a video's middle, (h, w, 3) RGB."""
    with av.open(str(file)) as container:
        if not container.streams.video:
            return None
        if container.duration:
            container.seek(container.duration // 2)
        for frame in container.decode(container.streams.video[0]):
            return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    return None


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At most WIDTH wide, and not taller than that; of a long sheet the top."""
    height, width = picture.shape[:2]
    picture = picture[: max(1, min(height, width * 3 // 4))]
    if width <= WIDTH:
        return picture
    size = (WIDTH, max(1, round(picture.shape[0] * WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
