"""``python -m stages.bench.grades``: whether a face goes with the grade of its footage.

A swap that is made of graded footage should look as if the finished swap had been graded. So the clip is graded, faces
are put into it as into the clip itself, and the result is held against the graded result, by PSNR over what the face
changes; with and without what tells coloured light, missing colours and veils.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import av
import numpy as np
import typer
from numpy.typing import NDArray

from stages.artifacts.frames import Frames, FrameWriter
from stages.bench.program import main
from stages.channels import channels
from stages.compositing.inputs import Inputs
from stages.compositing.preview import Preview
from stages.compositing.settings import CompositingSettings
from stages.progress import progress
from stages.settings import load_params
from stages.video import VideoFacts

Floats = NDArray[np.float32]

LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
SEPIA: Final = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)

FRAMES: Final = 12
"""Evenly over the clip, which are compared."""

CHANGED: Final = 0.01
"""Difference, of 0..1, from which on a pixel is part of the face."""


@dataclass(frozen=True)
class Grade:
    """What is done to a frame's colours: of (h, w, 3) float32 0..1 and of the time, 0..1 of the clip."""

    name: str
    applied: Callable[[Floats, float], Floats]


def faded(rgb: Floats, saturation: float) -> Floats:
    """Colours (h, w, 3) of which a share is left."""
    grey = (rgb @ LUMA)[..., None]
    return np.asarray(grey + np.float32(saturation) * (rgb - grey), np.float32)


def lit(red: float, green: float, blue: float) -> Callable[[Floats, float], Floats]:
    """Light of a colour: gains of code values, which are gains of light."""
    gains = np.array([red, green, blue], np.float32)
    return lambda rgb, _: rgb * gains


def whitened(rgb: Floats, time: float) -> Floats:
    """A fade to white over the second half, nine tenths of the way."""
    return rgb + np.float32(0.9 * max(0.0, 2.0 * time - 1.0)) * (np.float32(1.0) - rgb)


GRADES: Final = (
    Grade("none", lambda rgb, _: rgb),
    Grade("blue light", lit(0.6, 0.8, 1.4)),
    Grade("orange light", lit(1.3, 0.9, 0.55)),
    Grade("green light", lit(0.8, 1.15, 0.8)),
    Grade("a fifth of its colours", lambda rgb, _: faded(rgb, 0.2)),
    Grade("black and white", lambda rgb, _: faded(rgb, 0.0)),
    Grade("sepia", lambda rgb, _: rgb @ SEPIA.T),
    Grade("fade to white", whitened),
)


def painted(rgb: Floats, facts: VideoFacts) -> av.VideoFrame:
    """A picture (h, w, 3) float32 in a clip's own pixel format."""
    picture = av.VideoFrame(facts.width, facts.height, facts.pixel_format)
    for channel in channels(picture, facts):
        values = channel.values_of(rgb)
        channel.write((0, 0, facts.width, facts.height), values, np.ones(values.shape, dtype=bool))
    return picture


def graded(frames: Frames, grade: Grade, folder: Path) -> Frames:
    """A clip's frames, graded, in a new folder."""
    folder.mkdir()
    shots = frames.index["shot"].tolist()
    with FrameWriter(folder, frames.facts) as writer:
        for frame in progress(frames, total=len(frames), what=grade.name):
            rgb = grade.applied(_floats(frame.rgb()), frame.number / len(frames))
            picture = painted(np.clip(rgb, 0.0, 1.0), frames.facts)
            writer.add(picture, pts=frame.pts, duration=frame.duration, shot=shots[frame.number])
        writer.close()
    return Frames.read(folder)


def likeness(inputs: Inputs, frames: Frames, grade: Grade, numbers: list[int], settings: CompositingSettings) -> float:
    """PSNR in dB of a swap of graded frames to the graded swap, over what the face changes."""
    plain, made = Preview(inputs, numbers), Preview(replace(inputs, frames=frames), numbers)
    target, before, after = plain.target(), plain.finished(CompositingSettings()), made.finished(settings)
    errors = []
    for number in numbers:
        face = np.abs(_floats(before[number]) - _floats(target[number])).max(axis=2) > CHANGED
        wanted = np.clip(grade.applied(_floats(before[number]), number / len(frames)), 0.0, 1.0)
        errors.append(((wanted - _floats(after[number])) ** 2)[face])
    return float(-10.0 * np.log10(max(float(np.concatenate(errors).mean()), 1e-10)))


def lines(inputs: Inputs) -> Iterator[str]:
    """The table, a line as it comes."""
    known = inputs.faces["frame"].unique()
    numbers = np.unique(known[np.linspace(0, len(known) - 1, FRAMES).astype(int)]).tolist()
    default = CompositingSettings()
    without = default.model_copy(
        update={"colour": default.colour.model_copy(update={"cast": 0.0, "tint": 0.0, "veil": 0.0})}
    )
    yield "| grade | without | default |"
    yield "|---|---:|---:|"
    with tempfile.TemporaryDirectory() as folder:
        for number, grade in enumerate(GRADES):
            frames = graded(inputs.frames, grade, Path(folder) / str(number))
            told = [f"{likeness(inputs, frames, grade, numbers, each):.1f} dB" for each in (without, default)]
            yield f"| {grade.name} | {' | '.join(told)} |"


def command(
    swap: Annotated[str, typer.Option(help="whose clip and faces are taken")] = "ada-on-ben",
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print how well faces go with the grade of their footage; two minutes, after `dvc repro`."""
    for line in lines(Inputs.read(swap, load_params(params))):
        print(line, flush=True)


def _floats(rgb: NDArray[np.uint8]) -> Floats:
    return rgb.astype(np.float32) / np.float32(255.0)


if __name__ == "__main__":
    main("grades", command)
