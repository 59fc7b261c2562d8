"""How each converted face is brought to the colours, the light and the sharpness of the target, steadily over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.compositing import colour, focus, motion, relighting, sharpness, veil
from stages.compositing.faces import motion_of, transform_of, weights_over_time
from stages.compositing.inputs import Inputs
from stages.compositing.match import Match
from stages.compositing.measuring import Measured, MeasureFaces, spans_of_faces
from stages.compositing.recolouring import UNCHANGED, Recolouring, recolouring
from stages.compositing.settings import CompositingSettings
from stages.compositing.steadiness import Alike, Believed, runs, smoothed
from stages.compositing.tint import Tint, tint_of
from stages.compositing.veil import Veil
from stages.compositing.whites import cast_of, gain_of
from stages.execution.engines import HERE, Engine
from stages.progress import bar

Floats = NDArray[np.float32]

QUICK: Final = 0.06
"""Of the logarithm of the target's luma: what changes by more from one frame to the next is light, and no noise."""

USUAL: Final = 0.05
"""How much the colour that a shot's light has in the mean counts beside that which eyes tell about a frame."""

_KEPT: Final = 1024
"""Faces whose maps of colours are remembered while those near them ask for them."""


def matches(
    inputs: Inputs,
    settings: CompositingSettings,
    what: str,
    engine: Engine = HERE,
) -> Sequence[Match]:
    """Measure all faces and their targets, smooth what was measured within shots, and say what to do to each.

    Statistics are taken in the crop, under the mask of both, so that hair, hands and background do not count.

    Args:
        what: the work in a few words, for the bar.
        engine: who measures.
    """
    frames, faces, converted = inputs.frames, inputs.faces, inputs.converted
    if len(faces) == 0 or not needs_measuring(settings):
        return [Match(UNCHANGED, 1.0)] * len(faces)
    work = MeasureFaces(frames.folder, converted.folder, settings)
    with bar(total=len(faces), what=f"{what}: measuring", unit="face") as shown:

        def parts() -> Iterator[Measured]:
            for part in engine.map(work, spans_of_faces(inputs)):
                yield part
                shown.update(len(part.statistics))

        found = Measured.joined(parts(), len(faces))
    return Matches(found, faces, sampled(faces), frames, settings)


def needs_measuring(settings: CompositingSettings) -> bool:
    """Whether anything is matched at all."""
    asked = any(share != 0.0 for share in (settings.sharpness, settings.motion_blur, settings.focus))
    return asked or settings.colour.method != "none" or settings.light.method != "none"


@dataclass(frozen=True)
class Samples:
    """Which faces of a table stand for their shots, (n,) bool each.

    Attributes:
        light: whose mean light is the shot's.
        motion: by which its shutter is told.
        depth: that stand for the whole clip, by which a veil is told.
    """

    light: NDArray[np.bool_]
    motion: NDArray[np.bool_]
    depth: NDArray[np.bool_]

    def of(self, rows: Sequence[int]) -> Samples:
        """Of the table that these rows make."""
        return Samples(self.light[list(rows)], self.motion[list(rows)], self.depth[list(rows)])


def sampled(faces: pd.DataFrame) -> Samples:
    """Which faces of a whole clip stand for their shots."""
    result = Samples(*(np.zeros(len(faces), dtype=bool) for _ in range(3)))
    result.depth[relighting.samples_of(np.arange(len(faces)))] = True
    moved = faces[["motion_x", "motion_y"]].to_numpy(np.float64)
    for run in runs(faces):
        result.light[relighting.samples_of(run)] = True
        result.motion[motion.samples_of(run, moved)] = True
    return result


class Matches(Sequence[Match]):
    """What to do to each face, told when it is asked for: maps and gains of an hour of faces would fill the memory.

    Args:
        found: what was measured of each.
        faces: the table of those faces, with all that count for them over time and all that stand for their shots.
        samples: which of them stand for their shots (see :func:`sampled`).
        frames: that they are in.
        settings: of the stage.
    """

    def __init__(
        self, found: Measured, faces: pd.DataFrame, samples: Samples, frames: Frames, settings: CompositingSettings
    ) -> None:
        self._found, self._settings = found, settings
        near_in_time = Alike(weights_over_time(faces, frames, settings.colour.steady), found.levels, QUICK)
        # a face that is covered for a while must not lend its neighbours what covers it
        self._weights = Believed(near_in_time, found.seen)
        statistics, focused, self._smears = _smears(found, faces, samples, settings)
        self._focus = smoothed(focused, weights_over_time(faces, frames, focus.STEADY))
        self._statistics = smoothed(statistics, self._weights)
        self._whites = smoothed(found.whites, near_in_time)  # sums, which weigh themselves
        self._tints = smoothed(found.tints, near_in_time)
        self._contrasts = np.ones(len(faces))
        if settings.colour.veil and settings.colour.method != "none":
            told = veil.relations(found.depths)
            left = veil.contrasts(told, veil.own_relation(told[samples.depth]))
            self._contrasts -= settings.colour.veil * (1.0 - smoothed(left, self._weights))
        self._casts = self._casts_over_time(near_in_time, [run[samples.light[run]] for run in runs(faces)], runs(faces))
        self._map = lru_cache(_KEPT)(self._map_of)
        self._gains: relighting.Gains | None = None
        if settings.light.method != "none":
            near = Alike(weights_over_time(faces, frames, settings.light.steady), found.levels, QUICK)
            parts = [relighting.Run(run, run[samples.light[run]]) for run in runs(faces)]
            yaw = faces["yaw"].to_numpy(np.float64)
            self._gains = relighting.Gains(self._brighter, yaw, parts, near, settings.light)

    def __len__(self) -> int:
        return len(self._statistics)

    @overload
    def __getitem__(self, row: int) -> Match: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Match]: ...

    def __getitem__(self, row: int | slice) -> Match | Sequence[Match]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        if not 0 <= row < len(self):
            raise IndexError(row)
        made, (source, target) = self._map(row), self._statistics[row, :, 12]
        # The map of colours is also one of contrast: that part of the way is already gone.
        blur = focus.blur_for(self._focus[row], made.contrast, self._settings.focus)
        # what a blur has softened is not to be lifted again, nor softened twice; slowly, so that neither flickers
        left = self._settings.sharpness * max(0.0, 1.0 - focus.SIDE * blur)
        detail = sharpness.gain(source * made.contrast, target, left)
        # albedo, which a shot's light is told by, is as pale under a veil as all else
        light = np.float32(self._contrasts[row]) * self._gains.of(row) if self._gains else None
        whites = gain_of(self._whites[row, 0], self._whites[row, 1], self._settings.colour.whites)
        return Match(made, detail, light, self._smears[row], whites, self._tint_of(row), self._veil_of(row), blur)

    def _map_of(self, row: int) -> Recolouring:
        source, target = (colour.Statistics(part[:3], part[3:12].reshape(3, 3)) for part in self._statistics[row])
        return recolouring(
            (source, target), self._found.colours, self._weights[row], self._settings.colour, self._casts[row]
        )

    def _casts_over_time(
        self,
        near: Mapping[int, Sequence[tuple[int, float]]],
        samples: Sequence[NDArray[np.intp]],
        parts: Sequence[NDArray[np.intp]],
    ) -> NDArray[np.float64]:
        """The colour of the light on each face, (n, 3).

        Eyes that are shut or turned away do not tell of it: there, that of the ``samples`` of its run counts.
        """
        casts, told = np.zeros((len(self._whites), 3)), np.zeros((len(self._whites), 1))
        for row, (mine, his) in enumerate(self._whites if self._settings.colour.cast else ()):
            cast = cast_of(gain_of(mine, his, 1.0))
            if cast is not None:
                casts[row], told[row] = self._settings.colour.cast * cast, 1.0
        usual, some = np.zeros_like(casts), np.zeros_like(told)
        for rows, chosen in zip(parts, samples, strict=True):
            if (sure := chosen[told[chosen, 0] > 0.0]).size:
                usual[rows], some[rows] = casts[sure].mean(axis=0), USUAL
        total = smoothed(told, near) + some
        return np.asarray((smoothed(casts, near) + some * usual) / np.where(total > 0.0, total, 1.0), np.float64)

    def _brighter(self, row: int) -> Floats:
        """By how much the target is brighter than the face in its new colours."""
        one = self._found.shading[row]
        moved = self._map(row).applied(one[..., :3].astype(np.float32))
        for drawn in (self._tint_of(row), self._veil_of(row)):
            moved = moved if drawn is None else drawn.applied(moved)
        return relighting.brighter(one, moved)

    def _veil_of(self, row: int) -> Veil | None:
        left = float(self._contrasts[row])
        if left >= 1.0:
            return None
        method = self._settings.colour.method
        space: colour.Method = "mean-deviation" if method == "mean-deviation" else "covariance"
        skin = colour.from_space(self._statistics[row, 1, None, None, :3].astype(np.float32), space)[0, 0]
        return Veil(left, skin)

    def _tint_of(self, row: int) -> Tint | None:
        return tint_of(self._tints[row, 0], self._tints[row, 1], self._settings.colour.tint)


def _smears(
    found: Measured, faces: pd.DataFrame, samples: Samples, settings: CompositingSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64] | None]]:
    """The statistics of the faces once they are smeared, their focus, and how far each is, in shares of its crop."""
    if settings.motion_blur == 0.0:
        return found.statistics, found.focus, [None] * len(faces)
    ways = [motion.in_crop(motion_of(faces, row), transform_of(faces, row), 1) for row in range(len(faces))]
    statistics, focused, result = found.statistics.copy(), found.focus.copy(), list[NDArray[np.float64] | None](ways)
    lengths, parts = np.hypot(*np.array(ways).T), runs(faces)
    told = motion.shutters(found.smears, lengths, [run[samples.motion[run]] for run in parts])
    for run, shutter in zip(parts, told, strict=True):
        share = settings.motion_blur * shutter
        for row in run.tolist():
            result[row] = share * ways[row] if share else None
            # what smearing takes of the detail is gone before it is brought to the target's
            left = motion.detail_left(found.smears[row], share)
            if left is not None:
                statistics[row, 0, 12] *= left
                focused[row, :-1] *= left
            elif share and motion.too_far(lengths[row]):
                focused[row] = 0.0  # smeared by more than can be measured: its detail tells no focus
    return statistics, focused, result
