"""A sheet of settings against frames: what compositing would make of a few frames, without running it.

Measuring and smoothing reach a second or two in time. Only what counts for the chosen frames is read, with the same
weights, so a picture of the sheet is the finished frame's to the bit; but for the light of a track of more than
``relighting.SAMPLES`` faces in a shot, whose mean is taken of faces that are measured without their neighbours here.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.compositing import focus
from stages.compositing.faces import transform_of, weights_over_time
from stages.compositing.inputs import Inputs
from stages.compositing.match import Match
from stages.compositing.matching import Matches, needs_measuring, sampled
from stages.compositing.measuring import Measured, measured
from stages.compositing.placing import put
from stages.compositing.recolouring import UNCHANGED
from stages.compositing.settings import CompositingSettings
from stages.pixel_shape import PixelShape
from stages.problems import Problem

Picture = NDArray[np.uint8]

TARGET: Final = "target"
"""The caption of the column that shows the clip's own frames."""

_MARGIN = 0.12
"""Share of the crop's side that is shown around a face."""

_LINE, _LETTER = 18, 9
"""Height of a line of writing and width of a letter, in pixels."""

_PAPER, _INK = 24, (225, 225, 225)


def frames_to_show(inputs: Inputs, asked: Sequence[int], count: int = 3) -> list[int]:
    """The frames that were asked for, or ``count`` of those with a face, evenly over the clip; ascending.

    Raises:
        Problem: the clip has no such frame, or no face was converted.
    """
    total = len(inputs.frames)
    for number in asked:
        if not 0 <= number < total:
            raise Problem(
                f"the clip has no frame {number}",
                where="--frames",
                mend=f"choose from 0 to {total - 1}",
            )
    if asked:
        return sorted(set(asked))
    known = inputs.faces["frame"].drop_duplicates().tolist()
    if not known:
        raise Problem("no face was converted", where=inputs.converted.folder, mend="name frames with --frames")
    return sorted({int(known[int((place + 0.5) / count * len(known))]) for place in range(count)})


@dataclass
class Preview:
    """Finished frames of a few numbers under any settings.

    Attributes:
        inputs: of the swap.
        numbers: of the frames, ascending.
    """

    inputs: Inputs
    numbers: list[int]
    _measured: dict[str, Measured] = field(default_factory=dict)

    def target(self) -> dict[int, Picture]:
        """The clip's frames by number, (h, w, 3) uint8 RGB."""
        return {frame.number: frame.rgb() for frame in self.inputs.frames.pick(self.numbers)}

    def finished(self, settings: CompositingSettings) -> dict[int, Picture]:
        """The frames as compositing with these settings would make them, by number, (h, w, 3) uint8 RGB."""
        matched = self._matched(settings)
        steady = max(settings.mask.steady, settings.mask.occlusion_steady)
        near = self.inputs.some(self._rows_near(self.inputs.faces, steady))
        chosen = near.faces["frame"].isin(self.numbers)
        nothing = Match(UNCHANGED, 1.0)
        of_row = [matched.get(face, nothing) for face in _faces(near.faces)]
        layers = near.layers(of_row, settings, chosen.tolist())
        result = {}
        for frame in self.inputs.frames.pick(self.numbers):
            for _ in range(int((near.faces["frame"] == frame.number).sum())):
                put(frame.picture, next(layers), frame.facts, settings.blend)
            result[frame.number] = frame.rgb()
        return result

    def around(self, number: int) -> tuple[int, int, int, int]:
        """The box x0, y0, x1, y1 of frame pixels to show: around the faces of a frame, all of it if there are none."""
        frames, faces = self.inputs.frames.facts, self.inputs.faces
        rows = faces.index[faces["frame"] == number]
        boxes = [geometry.region(transform_of(faces, row), frames.width, frames.height, margin=_MARGIN) for row in rows]
        boxes = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
        if not boxes:
            return 0, 0, frames.width, frames.height
        low, high = np.array(boxes)[:, :2].min(axis=0), np.array(boxes)[:, 2:].max(axis=0)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def _rows_near(self, faces: pd.DataFrame, sigma: float) -> list[int]:
        """The faces that count for those of the chosen frames when something is smoothed over ``sigma`` seconds."""
        weights = weights_over_time(faces, self.inputs.frames, sigma)
        chosen = np.flatnonzero(faces["frame"].isin(self.numbers)).tolist()
        return sorted({row for here in chosen for row, _ in weights[here]})

    def _matched(self, settings: CompositingSettings) -> dict[tuple[int, int], Match]:
        """What is done to the faces of the chosen frames, by frame and face; settings that ask for the same share what
        was measured."""
        if not needs_measuring(settings):
            return {}
        inputs, samples = self.inputs, sampled(self.inputs.faces)
        steady = max(settings.colour.steady, settings.light.steady, focus.STEADY)
        rows = self._rows_near(inputs.faces, steady)
        if not rows:
            return {}
        colour, light = settings.colour, settings.light
        lit = light.method != "none" or (colour.method != "none" and colour.cast != 0.0)
        standing = lit & samples.light | (settings.motion_blur != 0.0) & samples.motion
        of_run = inputs.faces.groupby(["shot", "track"]).ngroup().to_numpy()
        standing &= np.isin(of_run, of_run[rows])
        standing |= (colour.method != "none" and colour.veil != 0.0) & samples.depth
        rows = sorted({*rows, *np.flatnonzero(standing).tolist()})
        near = inputs.some(rows).faces
        of_colour = colour.method, colour.whites != 0 or colour.cast != 0, colour.tint != 0
        moved = settings.motion_blur != 0, settings.focus != 0, settings.sharpness != 0
        asked = (*of_colour, light.method, light.scale, settings.mask.occlusion, *moved)
        key = f"{asked} {rows}"
        if key not in self._measured:
            self._measured[key] = measured(inputs.frames, near, inputs.converted, settings, "preview")
        made = Matches(self._measured[key], near, samples.of(rows), inputs.frames, settings)
        return dict(zip(_faces(near), made, strict=True))


def _faces(table: pd.DataFrame) -> list[tuple[int, int]]:
    """The rows of a table by what names them: frame, and face in it."""
    return list(zip(table["frame"].astype(int).tolist(), table["face"].astype(int).tolist(), strict=True))


def sheet(preview: Preview, columns: Mapping[str, CompositingSettings], side: int) -> Picture:
    """Frames as rows, settings as columns, the clip's own frames first, all labelled.

    Args:
        preview: of the chosen frames.
        columns: settings by their caption.
        side: width of each picture in pixels.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    shown = {TARGET: preview.target()} | {name: preview.finished(settings) for name, settings in columns.items()}
    width = max(side // _LETTER, 8)
    captions = [textwrap.wrap(name, width, break_on_hyphens=False) for name in shown]
    lines = [_row([_written(words, side, max(map(len, captions))) for words in captions])]
    base = Fraction(preview.inputs.frames.facts.time_base)
    times = preview.inputs.frames.index["pts"]
    widening = PixelShape.of(preview.inputs.frames.facts).widening
    for number in preview.numbers:
        x0, y0, x1, y1 = preview.around(number)
        size = (side, max(1, round(side * (y1 - y0) / (widening * (x1 - x0)))))
        smaller = side < x1 - x0
        how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        views = [pictures[number][y0:y1, x0:x1] for pictures in shown.values()]
        row = _row(np.asarray(cv2.resize(view, size, interpolation=how)) for view in views)
        label = f"frame {number}, {float(int(times.iloc[number]) * base):.2f} s"
        lines += [row, _written([label], row.shape[1], 1)]
    return np.concatenate(lines, axis=0)


def _row(pictures: Iterable[NDArray[Any]]) -> Picture:
    return np.concatenate([np.asarray(picture, dtype=np.uint8) for picture in pictures], axis=1)


def _written(words: Sequence[str], width: int, lines: int) -> Picture:
    """Lines of writing on a strip that is ``width`` pixels wide and ``lines`` lines high."""
    strip = np.full((lines * _LINE + 8, width, 3), _PAPER, np.uint8)
    for place, line in enumerate(words):
        at = (4, (place + 1) * _LINE)
        cv2.putText(strip, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return strip
