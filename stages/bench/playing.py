"""A named scene put through detection, alignment, conversion and compositing, as the settings file says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.alignment.stage import align
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.bench.reel import facts_of, reel
from stages.bench.scenes import NamedScene, Take, shoot
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite
from stages.conversion.stage import convert
from stages.detection.stage import detect
from stages.progress import progress
from stages.rendering.scene import read_performer
from stages.settings import Params

Picture = NDArray[np.uint8]

RATE: Final = 25


@dataclass(frozen=True)
class Swapped:
    """A scene gone the whole way.

    Attributes:
        takes: what was rendered.
        clip: the clip's frames as they were coded.
        faces: the aligned faces.
        finished: the finished frames.
        masked: the same, but that no light is brought over.
        blind: the same as ``masked``, but made without the network that sees what is before a face.
        size: side of what the model draws, pixels.
    """

    takes: list[Take]
    clip: list[Picture]
    faces: pd.DataFrame
    finished: list[Picture]
    masked: list[Picture]
    blind: list[Picture]
    size: int = 128


@dataclass(frozen=True)
class Filmed:
    """A scene gone as far as conversion: its takes, what compositing reads, and the side of what the model draws."""

    takes: list[Take]
    frames: Frames
    alignments: Alignments
    converted: Converted
    size: int

    def gone(self, finished: list[Picture], masked: list[Picture], blind: list[Picture]) -> Swapped:
        """The scene gone the whole way, with what came out."""
        clip = [frame.rgb() for frame in self.frames]
        return Swapped(self.takes, clip, self.alignments.whole(), finished, masked, blind, self.size)


def swapped(scene: NamedScene, swap: str, params: Params, folder: Path) -> Swapped:
    """Play a scene and put it through the stages, in an existing empty folder.

    Raises:
        Problem: no face is found in it; the swap's model is not there.
    """
    film = filmed(scene, swap, params, folder)
    return finished(film, folder, params.compositing)


def finished(film: Filmed, folder: Path, settings: CompositingSettings) -> Swapped:
    """Composite a scene in three ways, in an existing folder without ``finished``, ``masked`` and ``blind``."""
    pictures, masked = [], without_light(settings)
    for name, asked in (("finished", settings), ("masked", masked), ("blind", without_network(masked))):
        (folder / name).mkdir()
        composite(film.frames, film.alignments, film.converted, folder / name, asked)
        pictures.append([frame.rgb() for frame in Frames.read(folder / name)])
    return film.gone(*pictures)


def filmed(scene: NamedScene, swap: str, params: Params, folder: Path) -> Filmed:
    """Play a scene and put it through the stages before compositing, in an existing empty folder.

    Raises:
        Problem: no face is found in it; the swap's model is not there.
    """
    asked = params.swap(swap)
    player, other = (read_performer(who, params.performers[who]) for who in (asked.target, asked.source))
    shots = shoot(scene, player, other)
    takes = list(progress(shots, total=scene.frames, what=f"rendering {scene.name}"))
    height, width = takes[0].target.shape[:2]
    for name in ("frames", "converted"):
        (folder / name).mkdir()
    frames = reel(folder / "frames", (take.target for take in takes), facts_of(width, height, RATE))
    found = detect(frames, params.detection, [], clip=scene.name, identity=asked.target)
    alignments = align(frames, found.faces, params.alignment, clip=scene.name)
    model = SwapModel.read(Path("data/training") / asked.pair)
    convert(frames, alignments, model, asked.source, folder / "converted", params.conversion)
    return Filmed(takes, frames, alignments, Converted.read(folder / "converted"), model.output_size)


def without_light(settings: CompositingSettings) -> CompositingSettings:
    """The same, but that no light is brought over."""
    return settings.model_copy(update={"light": settings.light.model_copy(update={"method": "none"})})


def without_network(settings: CompositingSettings) -> CompositingSettings:
    """The same, but that whatever is before a face is painted over."""
    return settings.model_copy(update={"mask": settings.mask.model_copy(update={"occlusion": "none"})})
