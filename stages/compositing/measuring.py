"""The first pass of compositing: what is measured of each converted face and of its target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing import focus, grain, motion, relighting, sharpness, tint, veil
from stages.compositing.colour import above_mouth
from stages.compositing.continuing import surely_shown
from stages.compositing.faces import motion_of, outline_of, shown_in, transform_of
from stages.compositing.inputs import Inputs
from stages.compositing.masks import face_size, raw_mask
from stages.compositing.occlusion import kept_free, visible_of
from stages.compositing.recolouring import Samples, measured_colours
from stages.compositing.settings import CompositingSettings, MaskSettings
from stages.compositing.whites import WIDTH, measured_whites
from stages.execution.work import spans_of, tables_of
from stages.geometry import beyond
from stages.progress import progress
from stages.topology import NOSE_BASE, NOSE_BRIDGE

_FOOT = 0.01
"""Added before the logarithm: below, noise is no light."""

_NAMES = ("statistics", "shading", "colours", "smears", "whites", "tints", "focus", "levels", "depths", "seen")


@dataclass(frozen=True)
class Measured:
    """What was measured of some faces.

    Attributes:
        statistics: (n, 2, 13) float64: of the converted face and of the target's, the mean (3) and covariance (9) of
            its colours and its detail (1).
        shading: (n, GRID, GRID, 5) float16, see :data:`stages.compositing.relighting.Shading`; all 0 if the settings
            do not ask for it.
        colours: (n, 2, SAMPLES, 3) float16, colours of both that stand for theirs (see
            :func:`stages.compositing.transport.samples`); (n, 2, 0, 3) if the settings do not ask for them.
        smears: (n, WIDTH) float64, see :func:`stages.compositing.motion.smeared`; all 0 if the settings do not ask for
            them.
        whites: (n, 2, 5) float64, of both as :func:`stages.compositing.whites.measured_whites` has them; all 0 if the
            settings do not ask for them.
        tints: (n, 2, 9) float64, of both as :func:`stages.compositing.tint.measured_tint` has them; all 0 if the
            settings do not ask for them.
        focus: (n, WIDTH) float64, see :func:`stages.compositing.focus.told`; all 0 if the settings do not ask for it.
        levels: (n,) float64, the logarithm of the mean luma of the target's face, by which quick light is told; NaN of
            a face that is covered wholly.
        depths: (n, 2) float64, of both, see :func:`stages.compositing.veil.depth_of`.
        seen: (n,) float64, the share of the crop in which all this was measured: 0 of a face that is covered wholly.
    """

    statistics: NDArray[np.float64]
    shading: NDArray[np.float16]
    colours: NDArray[np.float16]
    smears: NDArray[np.float64]
    whites: NDArray[np.float64]
    tints: NDArray[np.float64]
    focus: NDArray[np.float64]
    levels: NDArray[np.float64]
    depths: NDArray[np.float64]
    seen: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Iterable[Self], count: int) -> Self:
        """Of all faces of the parts, of which there are ``count``, at least one; one part is in memory at a time."""
        joined: dict[str, NDArray[Any]] = {}
        done = 0
        for part in parts:
            for name, array in part.arrays().items():
                whole = joined.setdefault(name, np.empty((count, *array.shape[1:]), array.dtype))
                whole[done : done + len(array)] = array
            done += len(part.statistics)
        return cls(**joined)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All by name."""
        return {name: getattr(self, name) for name in _NAMES}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What :meth:`arrays` gave."""
        return cls(*(arrays[name] for name in _NAMES))


def measured(
    frames: Frames, faces: pd.DataFrame, converted: Converted, settings: CompositingSettings, what: str | None = None
) -> Measured:
    """What is measured of every face.

    Of the settings count the colour's method, and whether whites and a tint are looked for, the light's method and
    scale, the mask's occlusion, and whether there is motion blur, a focus and sharpness. Without a
    word for it, there is no bar.
    """
    numbers = faces["frame"].drop_duplicates().tolist()
    rows_of = faces.groupby("frame").groups
    crops, shown = converted.each(faces), shown_in(converted, faces)
    statistics = np.zeros((len(faces), 2, 13))
    shading = np.zeros((len(faces), relighting.GRID, relighting.GRID, 5), np.float16)
    smears = np.zeros((len(faces), motion.WIDTH))
    whites = np.zeros((len(faces), 2, WIDTH))
    tints = np.zeros((len(faces), 2, tint.WIDTH))
    focused = np.zeros((len(faces), focus.WIDTH))
    levels, seen = np.full(len(faces), np.nan), np.zeros(len(faces))
    depths = np.full((len(faces), 2), np.nan)
    colours: list[list[Samples]] = [[] for _ in range(len(faces))]
    pictures = frames.pick(numbers)
    for frame in progress(pictures, total=len(numbers), what=f"{what}: measuring") if what else pictures:
        for row in rows_of[frame.number].tolist():
            crop, decoder = next(crops)
            size, outline = crop.shape[0], outline_of(faces, row)
            mask = raw_mask(decoder, outline, size, MaskSettings())
            if settings.mask.occlusion == "network":
                mask = mask * kept_free(visible_of(faces, row), size)
            own = surely_shown(next(shown), face_size(outline))
            if own is not None:  # the source's hair and background will not be placed
                mask = mask * cv2.resize(own, (size, size), interpolation=cv2.INTER_LINEAR)
            transform = transform_of(faces, row)
            # beyond the picture a crop repeats its last pixels, which are nobody's face
            mask = np.where(beyond(transform, size, frames.facts.width, frames.facts.height), np.float32(0.0), mask)
            seen[row] = float(mask.mean())
            pair = [crop, frame.crop(transform, size)]
            views = [each.astype(np.float32) / np.float32(255.0) for each in pair]
            beardless = above_mouth(size * outline[NOSE_BRIDGE], size * outline[NOSE_BASE], size, size)
            lumas = [np.asarray(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), np.float32) for view in views]
            if seen[row]:
                levels[row] = np.log(np.average(lumas[1], weights=mask) + _FOOT)
            depths[row] = [veil.depth_of(luma, mask) for luma in lumas]
            # noise is no detail
            plain = [grain.without(luma, mask > 0.5) for luma in lumas] if settings.sharpness else lumas
            side = focus.side_of(transform, size)
            for which, view in enumerate(views):
                found, samples = measured_colours(view, mask, settings.colour, beardless)
                colours[row].append(samples)
                statistics[row, which] = [
                    *found.mean,
                    *found.covariance.ravel(),
                    sharpness.detail_of_luma(plain[which], mask),
                ]
                if (settings.colour.whites or settings.colour.cast) and settings.colour.method != "none":
                    whites[row, which] = measured_whites(view, mask, outline)
                if settings.colour.tint and settings.colour.method != "none":
                    tints[row, which] = tint.measured_tint(view, mask)
            if settings.focus:
                focused[row] = focus.told(lumas[0], lumas[1], mask, side)
            if settings.motion_blur:
                way = motion.in_crop(motion_of(faces, row), transform, size)
                smears[row] = motion.smeared(lumas[0], lumas[1], mask, way, side)
            if settings.light.method != "none":
                pixels = face_size(outline) * size
                shading[row] = relighting.shading(views[0], views[1], mask, pixels, settings.light.scale)
    return Measured(
        statistics, shading, np.array(colours, np.float16), smears, whites, tints, focused, levels, depths, seen
    )


@dataclass(frozen=True)
class MeasureFaces:
    """The work of a span, the rows of the faces of some frames: what is :func:`measured` of each.

    Attributes:
        frames, converted: folders of the two artifacts.
        settings: of the stage.
    """

    frames: Path
    converted: Path
    settings: CompositingSettings

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        return *tables_of(self.frames), *tables_of(self.converted)

    def begin(self) -> Callable[[pd.DataFrame], Measured]:
        """Open both artifacts.

        Raises:
            Problem: one of them is missing or damaged.
        """
        frames, converted = Frames.read(self.frames), Converted.read(self.converted)
        return lambda faces: measured(frames, faces, converted, self.settings)


def spans_of_faces(inputs: Inputs) -> Iterator[pd.DataFrame]:
    """The faces, which are sorted by frame, cut into spans of frames; with their wide columns."""
    numbers = inputs.faces["frame"].to_numpy()
    for span in spans_of(inputs.frames, np.unique(numbers).tolist()):
        first, last = np.searchsorted(numbers, [span[0], span[-1] + 1])
        yield inputs.some(np.arange(first, last)).faces
