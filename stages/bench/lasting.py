"""What only frames in a row tell of a finished scene: flicker, and whether the lips are late; and whether edges show.

Each is measured as the stage `evaluation` measures it of a swap (:mod:`stages.evaluation.catalogue`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from stages import geometry
from stages.bench.answers import Mask, measured_face
from stages.bench.playing import Picture, Swapped
from stages.evaluation.flow import Motion, face_box
from stages.evaluation.seam import seam_energy
from stages.evaluation.statistics import FARTHEST_LAG, Lag, Mean, RootRatio, Statistic
from stages.expression import mouth_open
from stages.fidelity import hull
from stages.packs import Landmarker

FIGURES: Final[dict[str, Statistic]] = {
    "flicker": RootRatio("flow_error", "flow_error_clip"),
    "seam": Mean("seam"),
    "lag": Lag("mouth", "mouth_clip"),
    "answer_lag": Lag("mouth_answer", "mouth_clip"),
}
"""Those of ``answer_lag`` are the right answer's lips: what the instrument itself says of lips that are not late."""

LEAST_MOVED: Final = 0.02
"""Standard deviation of the lips' opening, in parts of the eyes' distance, below which they hardly move: whether they
are late is not to be told then."""


@dataclass(frozen=True)
class _Moment:
    """A frame with a face: its number, shot, transform to the unit crop, and where its face is measured."""

    number: int
    shot: int
    transform: geometry.Floats
    mask: Mask


def lasting(made: Swapped, landmarker: Landmarker) -> dict[str, float]:
    """How steady a finished scene is.

    Args:
        made: the scene.
        landmarker: tells what lips do.

    Returns:
        ``flicker``: flow-warped error over the clip's own. ``seam``: energy of the edge over its surroundings', the
        clip's being 1. ``lag``: frames by which lips are late; NaN where they hardly move in every shot with enough
        faces to tell.
    """
    rows = []
    before: _Moment | None = None
    faces = made.faces.sort_values("frame")
    columns = (faces[name].tolist() for name in ("frame", "shot", "transform", "landmarks"))
    for number, shot, transform, points in zip(*columns, strict=True):
        landmarks = np.asarray(points, np.float32).reshape(-1, 3)
        mask = measured_face(made, number, landmarks[:, :2])
        now = _Moment(number, shot, geometry.as_matrix(transform), mask)
        clip, finished = made.clip[number], made.finished[number]
        # of the whole face, as the stage has it: what is before it must not narrow where its edge is looked for
        size = float(np.sqrt(max(hull(landmarks[:, :2], clip.shape[1], clip.shape[0]).sum(), 1)))
        figures: dict[str, float] = {"frame": number, "stretch": now.shot}
        figures["seam"] = seam_energy(finished, clip, (finished != clip).any(axis=2), size)
        for name, picture in (("mouth", finished), ("mouth_clip", clip), ("mouth_answer", made.takes[number].truth)):
            found, _ = landmarker.refine(picture, landmarks[None])
            figures[name] = mouth_open(found[0])
        if before is not None and (before.number, before.shot) == (number - 1, now.shot):
            figures |= _flow_errors(made, before, now)
        rows.append(figures)
        before = now
    table = pd.DataFrame(rows)
    told = {name: float(each.value(each.terms(table).sum(axis=0))) for name, each in FIGURES.items()}
    moving = _moves(table, "mouth_clip")
    if not moving:
        told |= dict.fromkeys(("lag", "answer_lag"), float("nan"))
    both = moving and _moves(table, "mouth_answer")
    told["opens"] = float(np.polyfit(table["mouth_answer"], table["mouth"], 1)[0]) if both else float("nan")
    return told


def _moves(table: pd.DataFrame, lips: str) -> bool:
    """Whether lips move in any shot with enough faces to tell."""
    moved = table.groupby("stretch")[lips].agg(["std", "size"])
    return bool(((moved["std"] > LEAST_MOVED) & (moved["size"] > 2 * FARTHEST_LAG)).any())


def _flow_errors(made: Swapped, before: _Moment, now: _Moment) -> dict[str, float]:
    def of(pictures: list[Picture]) -> tuple[Picture, Picture]:
        return pictures[before.number], pictures[now.number]

    height, width = now.mask.shape
    box = face_box([before.transform, now.transform], width, height)
    motion = Motion.between(*of(made.clip), box)
    return {
        "flow_error": motion.error(*of(made.finished), now.mask),
        "flow_error_clip": motion.error(*of(made.clip), now.mask),
    }
