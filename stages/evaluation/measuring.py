"""A row of figures per measured frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.evaluation import controls
from stages.evaluation.in_crop import crop_figures
from stages.evaluation.in_frame import Known, Version, frame_figures, versions
from stages.evaluation.instruments import Converts, Instruments, Row
from stages.evaluation.likeness import Embedding
from stages.evaluation.over_time import OverTime
from stages.evaluation.performance import Performance
from stages.evaluation.untouched import changed, changed_outside
from stages.evaluation.views import View
from stages.fidelity import hull

CONTROLS_EVERY: Final = 5
"""Controls in the frame are measured at every n-th frame that is measured in full: that is enough to rank them."""


@dataclass(frozen=True)
class Measured:
    """A view, its figures, and whom its versions look like, by the suffix of their columns."""

    view: View
    row: Row
    faces: dict[str, Embedding] = field(default_factory=dict)


def measured(
    seen: Iterator[View],
    converts: Converts,
    transforms: dict[int, list[NDArray[np.float64]]],
    instruments: Instruments,
    over_time: OverTime,
) -> Iterator[Measured]:
    """Every view with its figures.

    Args:
        seen: views in order.
        converts: the converted crop and mask of every view that is measured in full.
        transforms: by frame, those of all faces that were replaced in it.
        instruments: what is measured with.
        over_time: gets the views of stretches.
    """
    position = 0
    for view in seen:
        row: Row = {"frame": view.number, "seconds": round(view.seconds, 6), "shot": view.shot, "split": view.split}
        row["stretch"] = view.stretch
        target = instruments.performance(view, view.untouched)
        faces: dict[str, Embedding] = {}
        if view.full:
            figures, faces, swap = _in_full(view, target, position, converts, instruments)
            row |= figures
            position += 1
        else:
            swap = instruments.performance(view, view.delivered)
            row |= swap.signals
        row |= {f"{name}_{controls.COPIED}": value for name, value in target.signals.items()}
        if view.stretch >= 0:
            row |= over_time.add(view, view.face_mask(), swap, target)
        row["changed_outside"] = changed_outside(view.target, view.finished, transforms[view.number])
        yield Measured(view, row, faces)


def _in_full(
    view: View, target: Performance, position: int, converts: Converts, instruments: Instruments
) -> tuple[Row, dict[str, Embedding], Performance]:
    """All that one frame alone tells, with what the delivered face does."""
    row: Row = {}
    truth = None
    if view.truth is not None:
        row |= crop_figures(view, view.truth, position, converts, instruments)
        truth = instruments.performance(view, view.truth)
    height, width = view.delivered.shape[:2]
    face = hull(view.landmarks[:, :2], width, height)
    known = Known(target, truth, view.face_mask(), float(np.sqrt(face.sum())))
    swap = Version(view.delivered, changed(view.target, view.finished))
    figures, done, vector = frame_figures(view, swap, "", known, instruments)
    row |= figures
    faces = {"": vector}
    if position % CONTROLS_EVERY == 0:
        for name, version in versions(view, position, converts, instruments, face).items():
            same = target if name == controls.COPIED else None
            figures, _, vector = frame_figures(view, version, f"_{name}", known, instruments, same)
            row |= figures
            faces[f"_{name}"] = vector
    return row, faces, done
