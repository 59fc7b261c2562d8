"""What only frames in a row tell: flicker, trembling, and VMAF, which knows motion."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import numpy as np

from stages.evaluation import controls, vmaf
from stages.evaluation.flow import Motion
from stages.evaluation.instruments import Converts, Instruments, Row
from stages.evaluation.performance import Performance, second_difference
from stages.evaluation.views import Mask, Picture, View

Box = tuple[int, int, int, int]

_REEL: Final = ("", f"_{controls.COPIED}", f"_{controls.ORACLE}")
"""Versions of which VMAF is taken."""


@dataclass(frozen=True)
class Moment:
    """A frame of a stretch: its versions by the suffix of their columns, and what their faces do, if looked at."""

    view: View
    pictures: dict[str, Picture]
    performances: dict[str, Performance]


class OverTime:
    """Looks at the frames of each stretch one after the other; memory holds the last two.

    Args:
        boxes: of frame pixels, that hold the face all through each stretch.
        converts: all converted crops that are measured.
        instruments: what is measured with.
    """

    def __init__(self, boxes: Mapping[int, Box], converts: Converts, instruments: Instruments) -> None:
        self._boxes, self._converts, self._instruments = boxes, converts, instruments
        self._order = np.random.default_rng(0).permutation(len(converts.crops))
        self._first = min(boxes, default=-1)
        self._past: list[Moment] = []
        self._seen = 0
        self._open = ExitStack()
        self._reel: vmaf.Reel | None = None
        self.scores: dict[int, Row] = {}
        """VMAF by frame, of all stretches that are over."""

    def add(self, view: View, mask: Mask, swap: Performance, target: Performance) -> Row:
        """The next frame of a stretch; frames of one stretch come in a row.

        Args:
            view: of the frame.
            mask: (h, w), where its face is measured.
            swap, target: what the delivered and the target's face do.

        Returns:
            figures of this frame against the one before (``flow_error``), and of the one before, which are the mean
            square of its landmarks' acceleration, told with this frame (``second_difference``).
        """
        if self._past and self._past[-1].view.stretch != view.stretch:
            self._end()
        moment = self._moment(view, mask, swap, target)
        row: Row = {}
        if self._past:
            before = self._past[-1]
            motion = Motion.between(before.view.untouched, view.untouched, self._boxes[view.stretch])
            for name, picture in moment.pictures.items():
                row[f"flow_error{name}"] = motion.error(before.pictures[name], picture, mask)
        if len(self._past) == 2:
            first, second = (each.performances for each in self._past)
            for name, now in moment.performances.items():
                triple = (first[name].landmarks, second[name].landmarks, now.landmarks)
                row[f"second_difference{name}"] = second_difference(*triple)
        self._film(moment, mask)
        self._past = [*self._past[-1:], moment]
        return row

    def _moment(self, view: View, mask: Mask, swap: Performance, target: Performance) -> Moment:
        crop = self._converts.crops[self._order[self._seen % len(self._order)]]
        self._seen += 1
        shuffled = controls.pasted(view.untouched, crop, view.transform, mask)
        pictures = {
            "": view.delivered,
            f"_{controls.COPIED}": view.untouched,
            f"_{controls.SHUFFLED}": shuffled,
        }
        performances = {"": swap, f"_{controls.COPIED}": target}
        if view.stretch == self._first:  # looking for landmarks is dear: this control is looked at in one stretch
            performances[f"_{controls.SHUFFLED}"] = self._instruments.performance(view, shuffled)
        if view.truth is not None:
            right = view.crop_of(view.truth, crop.shape[0])
            pictures[f"_{controls.ORACLE}"] = controls.at_resolution(view.truth, right, view.transform)
        return Moment(view, pictures, performances)

    def _film(self, moment: Moment, mask: Mask) -> None:
        view = moment.view
        if view.truth is None or vmaf.program() is None:
            return
        if self._reel is None:
            self._reel = self._open.enter_context(vmaf.Reel.begun(self._boxes[view.stretch], _REEL))
        self._reel.add(view.number, view.truth, {name: moment.pictures[name] for name in _REEL}, mask)

    def _end(self) -> None:
        """Of a stretch: nothing is compared across it."""
        if self._reel is not None:
            for name in _REEL:
                scores = self._reel.scores(name, self._instruments.threads)
                for number, score in zip(self._reel.numbers, scores, strict=True):
                    self.scores.setdefault(number, {})[f"vmaf{name}"] = score
        self._open.close()
        self._reel, self._past = None, []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._end()
        self._open.close()
