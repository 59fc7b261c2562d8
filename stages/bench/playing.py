"""A named scene put through detection, alignment, conversion and compositing, as the settings file says."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from stages.bench.reel import as_filmed, facts_of, reel
from stages.bench.scenes import RATE, NamedScene, Take, shoot
from stages.compositing.blending import hidden as share_hidden
from stages.compositing.inputs import Inputs
from stages.compositing.match import Match
from stages.compositing.placing import covered, warped
from stages.compositing.recolouring import UNCHANGED
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite
from stages.conversion.stage import convert
from stages.detection.stage import detect
from stages.exact_h264 import exact_h264
from stages.progress import progress
from stages.rendering.scene import read_performer
from stages.settings import Params
from stages.video import decode, running_ffmpeg

Picture = NDArray[np.uint8]

_HALF: Final = 0.5
"""Of what a pixel shows: of more it is said that it is replaced."""


@dataclass(frozen=True)
class Swapped:
    """A scene gone the whole way.

    Attributes:
        takes: what was rendered.
        clip: the clip's frames as they were coded.
        faces: the aligned faces.
        finished: the finished frames.
        painted: the same, but made without the network that sees what is before a face.
        hidden: (n, 2, h, w), of each frame where the target would be hidden without that network, and where it is.
        size: side of what the model draws, pixels.
    """

    takes: list[Take]
    clip: list[Picture]
    faces: pd.DataFrame
    finished: list[Picture]
    painted: list[Picture]
    hidden: NDArray[np.bool_]
    size: int = 128


@dataclass(frozen=True)
class Filmed:
    """A scene gone as far as conversion: its takes, what compositing reads, and the side of what the model draws."""

    takes: list[Take]
    frames: Frames
    alignments: Alignments
    converted: Converted
    size: int

    def gone(self, finished: list[Picture], painted: list[Picture], hidden: NDArray[np.bool_]) -> Swapped:
        """The scene gone the whole way, with what came out."""
        clip = [frame.rgb() for frame in self.frames]
        return Swapped(self.takes, clip, self.alignments.whole(), finished, painted, hidden, self.size)


def swapped(scene: NamedScene, swap: str, params: Params, folder: Path) -> Swapped:
    """Play a scene and put it through the stages, in an existing empty folder.

    Raises:
        Problem: no face is found in it; the swap's model is not there.
    """
    film = filmed(scene, swap, params, folder)
    return finished(film, folder, params.compositing)


def finished(film: Filmed, folder: Path, settings: CompositingSettings) -> Swapped:
    """Composite a scene with the network and without, in an existing folder without ``finished`` and ``painted``."""
    pictures = []
    for name, asked in (("finished", settings), ("painted", without_network(settings))):
        (folder / name).mkdir()
        composite(film.frames, film.alignments, film.converted, folder / name, asked)
        pictures.append([frame.rgb() for frame in Frames.read(folder / name)])
    return film.gone(pictures[0], pictures[1], hidden(film, settings))


def hidden(film: Filmed, settings: CompositingSettings) -> NDArray[np.bool_]:
    """Where the masks hide more than half of the target without what passes before it, and with, (n, 2, h, w)."""
    inputs = Inputs.of(film.frames, film.alignments, film.converted)
    inputs = inputs.some(range(len(inputs.faces)))
    facts = film.frames.facts
    result = np.zeros((len(film.frames), 2, facts.height, facts.width), bool)
    layers = inputs.layers([Match(UNCHANGED, 1.0)] * len(inputs.faces), settings)
    for number, layer in zip(inputs.faces["frame"].tolist(), layers, strict=True):
        box = covered(layer, facts.width, facts.height)
        if box is None:
            continue
        x0, y0, x1, y1 = box
        share = share_hidden(warped(layer, box)[1], settings.blend)
        free = np.ones_like(share) if layer.free is None else warped(replace(layer, mask=layer.free), box)[1]
        for picture, part in zip(result[number], (share, share * free), strict=True):
            picture[y0:y1, x0:x1] |= part > _HALF
    return result


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
    facts = facts_of(width, height, RATE)
    for name in ("frames", "converted"):
        (folder / name).mkdir()
    if scene.crf is not None:
        takes = coded_takes(takes, folder, scene.crf)
    frames = reel(folder / "frames", (take.target for take in takes), facts)
    # no swap can show more than the clip's pixel format: noise that 4:2:0 has lost is no part of a right answer
    takes = [
        replace(take, truth=as_filmed(take.truth, facts), same_skin=as_filmed(take.same_skin, facts)) for take in takes
    ]
    found = detect(frames, params.detection, [], clip=scene.name, identity=asked.target)
    alignments = align(frames, found.faces, params.alignment, clip=scene.name)
    model = SwapModel.read(Path("data/training") / asked.pair)
    convert(frames, alignments, model, asked.source, folder / "converted", params.conversion)
    return Filmed(takes, frames, alignments, Converted.read(folder / "converted"), model.output_size)


def coded_takes(takes: list[Take], folder: Path, crf: int) -> list[Take]:
    """The takes as they are once target and answers each have been an H.264 clip, a file in this folder."""

    def coded(name: str) -> list[Picture]:
        pictures = [getattr(take, name) for take in takes]
        height, width = pictures[0].shape[:2]
        clip = folder / f"{name}.mp4"
        mend = "see that `ffmpeg -encoders` names libx264; if not, take that ffmpeg off the PATH, run again"
        with running_ffmpeg(exact_h264(clip, width, height, RATE, crf), clip, mend=mend) as pipe:
            for picture in pictures:
                pipe.write(np.ascontiguousarray(picture).tobytes())
        return [frame.rgb() for frame in decode(clip)]

    ways = zip(takes, *(coded(name) for name in ("target", "truth", "same_skin")), strict=True)
    return [replace(take, target=one, truth=two, same_skin=three) for take, one, two, three in ways]


def without_network(settings: CompositingSettings) -> CompositingSettings:
    """The same, but that whatever is before a face is painted over."""
    return settings.model_copy(update={"mask": settings.mask.model_copy(update={"occlusion": "none"})})
