"""How each converted face is brought to the colours, the light and the sharpness of the target, steadily over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.compositing import colour, motion, relighting, sharpness
from stages.compositing.faces import motion_of, transform_of, weights_over_time
from stages.compositing.inputs import Inputs
from stages.compositing.match import Match
from stages.compositing.measuring import Measured, MeasureFaces, spans_of_faces
from stages.compositing.recolouring import UNCHANGED, Recolouring, recolouring
from stages.compositing.settings import CompositingSettings
from stages.compositing.steadiness import runs, smoothed
from stages.execution.engines import HERE, Engine
from stages.progress import bar

Floats = NDArray[np.float32]


def matches(
    inputs: Inputs,
    settings: CompositingSettings,
    what: str,
    engine: Engine = HERE,
) -> list[Match]:
    """Measure all faces and their targets, smooth what was measured within shots, and say what to do to each.

    Statistics are taken in the crop, under the mask of both, so that hair, hands and background do not count.

    Args:
        what: the work in a few words, for the bar.
        engine: who measures.
    """
    frames, faces, converted = inputs.frames, inputs.faces, inputs.converted
    if len(faces) == 0 or not needs_measuring(settings):
        return [Match(UNCHANGED, 1.0)] * len(faces)
    work, found = MeasureFaces(frames.folder, converted.folder, settings), []
    with bar(total=len(faces), what=f"{what}: measuring", unit="face") as shown:
        for part in engine.map(work, spans_of_faces(inputs)):
            found.append(part)
            shown.update(len(part.statistics))
    return matches_of(Measured.joined(found), faces, sampled(faces), frames, settings)


def needs_measuring(settings: CompositingSettings) -> bool:
    """Whether anything is matched at all."""
    asked = settings.sharpness != 0.0 or settings.motion_blur != 0.0
    return asked or settings.colour.method != "none" or settings.light.method != "none"


@dataclass(frozen=True)
class Samples:
    """Which faces of a table stand for their shots, (n,) bool each.

    Attributes:
        light: whose mean light is the shot's.
        motion: by which its shutter is told.
    """

    light: NDArray[np.bool_]
    motion: NDArray[np.bool_]

    def of(self, rows: Sequence[int]) -> Samples:
        """Of the table that these rows make."""
        return Samples(self.light[list(rows)], self.motion[list(rows)])


def sampled(faces: pd.DataFrame) -> Samples:
    """Which faces of a whole clip stand for their shots."""
    result = Samples(np.zeros(len(faces), dtype=bool), np.zeros(len(faces), dtype=bool))
    moved = faces[["motion_x", "motion_y"]].to_numpy(np.float64)
    for run in runs(faces):
        result.light[relighting.samples_of(run)] = True
        result.motion[motion.samples_of(run, moved)] = True
    return result


def matches_of(
    found: Measured, faces: pd.DataFrame, samples: Samples, frames: Frames, settings: CompositingSettings
) -> list[Match]:
    """What to do to each face.

    Args:
        found: what was measured of each.
        faces: the table of those faces, with all that count for them over time and all that stand for their shots.
        samples: which of them stand for their shots (see :func:`sampled`).
        frames: that they are in.
        settings: of the stage.
    """
    maps: list[Recolouring] = []
    details: list[float] = []
    weights = weights_over_time(faces, frames, settings.colour.steady)
    statistics, smears = _smears(found, faces, samples, settings)
    for number, row in enumerate(smoothed(statistics, weights)):
        source, target = (colour.Statistics(part[:3], part[3:12].reshape(3, 3)) for part in row)
        made = recolouring((source, target), found.colours, weights[number], settings.colour)
        maps.append(made)
        # The map of colours is also one of contrast: that part of the way is already gone.
        details.append(sharpness.gain(row[0, 12] * made.contrast, row[1, 12], settings.sharpness))
    light: Iterable[Floats | None] = repeat(None, len(maps))
    if settings.light.method != "none":
        light = _light(found, maps, faces, samples, frames, settings)
    return [Match(*parts) for parts in zip(maps, details, light, smears, strict=True)]


def _smears(
    found: Measured, faces: pd.DataFrame, samples: Samples, settings: CompositingSettings
) -> tuple[NDArray[np.float64], list[NDArray[np.float64] | None]]:
    """The statistics of the faces once they are smeared, and how far each is, in shares of its crop."""
    if settings.motion_blur == 0.0:
        return found.statistics, [None] * len(faces)
    ways = [motion.in_crop(motion_of(faces, row), transform_of(faces, row), 1) for row in range(len(faces))]
    statistics, result = found.statistics.copy(), list[NDArray[np.float64] | None](ways)
    lengths, parts = np.hypot(*np.array(ways).T), runs(faces)
    told = motion.shutters(found.smears, lengths, [run[samples.motion[run]] for run in parts])
    for run, shutter in zip(parts, told, strict=True):
        share = settings.motion_blur * shutter
        for row in run.tolist():
            result[row] = share * ways[row] if share else None
            # what smearing takes of the detail is gone before it is brought to the target's
            detail = motion.detail_at(found.smears[row], share)
            statistics[row, 0, 12] = statistics[row, 0, 12] if detail is None else detail
    return statistics, result


def _light(
    found: Measured,
    maps: list[Recolouring],
    faces: pd.DataFrame,
    samples: Samples,
    frames: Frames,
    settings: CompositingSettings,
) -> Floats:
    """The gains of each face's light, (n, GRID, GRID)."""
    difference = np.stack(
        [
            relighting.brighter(one, colours.applied(one[..., :3].astype(np.float32)))
            for one, colours in zip(found.shading, maps, strict=True)
        ]
    )
    weights = weights_over_time(faces, frames, settings.light.steady)
    parts = [relighting.Run(run, run[samples.light[run]]) for run in runs(faces)]
    return relighting.gains(difference, faces["yaw"].to_numpy(np.float64), parts, weights, settings.light)
