"""Ten-second scenes to mark: performers, photographs under a moving camera, graphics, pictures with little in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from stages.problems import Problem
from stages.video import decode

RATE = 25


@dataclass(frozen=True)
class Scene:
    """A name, and a function of count, width and height that gives the pictures, (height, width, 3) uint8 RGB each."""

    name: str
    pictures: Callable[[int, int, int], Iterator[NDArray[np.uint8]]]


def own_scenes() -> list[Scene]:
    """Scenes that need nothing but the repository."""
    return [
        Scene("performer ada", partial(_film, Path("data/performances/ada/clip.mp4"))),
        Scene("performer ben", partial(_film, Path("data/performances/ben/clip.mp4"))),
        Scene("portrait, zoom", partial(_photograph, "astronaut", 1.5, 1.0, 0.0, 1.0)),
        Scene("coffee, pan, grain", partial(_photograph, "coffee", 1.25, 1.25, 0.3, 2.5)),
        Scene("grass, pan", partial(_photograph, "grass", 1.1, 1.3, 0.5, 0.5)),
        Scene("sky at dusk, still", _dusk),
        Scene("titles and shapes", _graphics),
    ]


def films_in(folder: Path) -> list[Scene]:
    """A scene for each video file of a folder.

    Raises:
        Problem: there is none.
    """
    films = sorted(path for path in folder.glob("*") if path.suffix in (".mp4", ".mov", ".mkv"))
    if not films:
        raise Problem("there are no films", where=folder, mend="name a folder with .mp4, .mov or .mkv files")
    return [Scene(path.stem, partial(_film, path)) for path in films]


def _film(path: Path, count: int, width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """A film's pictures, cropped to the shape and scaled; forth and back again if it is short."""
    kept = []
    for frame in decode(path):
        kept.append(fitted(frame.rgb(), width, height))
        if len(kept) == count:
            break
    there = [*range(len(kept)), *reversed(range(1, len(kept) - 1))]
    for number in range(count):
        yield kept[there[number % len(there)]]


def fitted(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture (h, w, 3) cropped about its middle to the shape of width and height, and scaled to them."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.asarray(large[top : top + height, left : left + width], np.uint8)


def _photograph(
    name: str, first: float, last: float, pan: float, grain: float, count: int, width: int, height: int
) -> Iterator[NDArray[np.uint8]]:
    """A photograph under a camera that zooms from ``first`` to ``last`` and pans, with its sensor's grain (codes)."""
    still = getattr(skimage.data, name)()
    still = np.repeat(still[..., None], 3, 2) if still.ndim == 2 else still[..., :3]
    rng = np.random.default_rng(0)
    tall, wide = still.shape[:2]
    for number in range(count):
        share = number / max(1, count - 1)
        scale = max(width / wide, height / tall) * (first + (last - first) * share)
        room = np.array([wide * scale - width, tall * scale - height])
        at = room * (0.5 + pan * (share - 0.5) * np.array([1.0, 0.5]))
        matrix = np.array([[scale, 0.0, -at[0]], [0.0, scale, -at[1]]])
        seen = cv2.warpAffine(still, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        noise = rng.normal(0, grain, (height, width, 1))
        yield np.clip(seen + noise, 0, 255).astype(np.uint8)


def _dusk(count: int, width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """A sky that slowly darkens, with almost no texture, as a still camera sees it."""
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(1)
    for number in range(count):
        light = 1.0 - 0.2 * number / count
        red, blue = 60 + 150 * (y / height) ** 2, 170 - 60 * y / height + 10 * np.sin(x / 300)
        sky = light * np.stack([red, 90 + 50 * y / height, blue], axis=2)
        yield np.clip(sky + rng.normal(0, 0.7, (height, width, 1)), 0, 255).astype(np.uint8)


def _graphics(count: int, width: int, height: int) -> Iterator[NDArray[np.uint8]]:
    """Flat shapes that move over a flat ground, and lines of text that scroll."""
    for number in range(count):
        frame = np.full((height, width, 3), (52, 60, 84), np.uint8)
        for each in range(6):
            centre = int(160 * each + 3 * number) % (width + 200) - 100, 120 + 60 * (each % 3)
            cv2.circle(frame, centre, 50 + 8 * each, (200 - 25 * each, 70 + 25 * each, 120), -1, cv2.LINE_AA)
        for line in range(8):
            at = 40, (height + 70 * line - 2 * number) % (height + 120)
            text, font = f"line {line}: the credits go on", cv2.FONT_HERSHEY_DUPLEX
            cv2.putText(frame, text, at, font, 1.2, (235, 235, 225), 2, cv2.LINE_AA)
        yield frame
