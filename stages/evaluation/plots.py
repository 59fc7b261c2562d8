"""The report's curves over time, and the worst frame of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from stages.evaluation.curves import Curve


@dataclass(frozen=True)
class Plot:
    """A figure with curves.

    Attributes:
        title, says: for people.
        curves: what is drawn; the first is the swap's.
        worst: whether the swap's worst frame is its least or its greatest.
    """

    title: str
    says: str
    curves: tuple[Curve, ...]
    worst: Literal["least", "greatest"]


PLOTS: Final = (
    Plot(
        "Fidelity to the right answer (PSNR, dB)",
        "Inside the face. The swap should stay above every control.",
        (
            Curve("psnr", "converted face", "--swap"),
            Curve("psnr_frame", "deliverable", "--second"),
            Curve("psnr_copied_target", "copied target", "--control"),
            Curve("psnr_wrong_decoder", "wrong decoder", "--third"),
        ),
        "least",
    ),
    Plot(
        "Structure (SSIM)",
        "Inside the face.",
        (
            Curve("ssim", "converted face", "--swap"),
            Curve("ssim_frame", "deliverable", "--second"),
            Curve("ssim_copied_target", "copied target", "--control"),
        ),
        "least",
    ),
    Plot(
        "Colour difference to the right answer (CIEDE2000)",
        "Inside the face; lower is better.",
        (
            Curve("colour_error", "converted face", "--swap"),
            Curve("colour_error_frame", "deliverable", "--second"),
        ),
        "greatest",
    ),
    Plot(
        "Whom the face looks like (cosine similarity)",
        "The delivered face should be nearer to the source in every frame.",
        (
            Curve("similarity_source", "to the source", "--swap"),
            Curve("similarity_target", "to the target", "--control"),
        ),
        "least",
    ),
    Plot(
        "Whether the performance was kept (landmark error)",
        "In parts of the distance between the eyes; peaks are frames to look at.",
        (
            Curve("landmark_error", "against the target", "--swap"),
            Curve("landmark_error_truth", "against the right answer", "--second"),
        ),
        "greatest",
    ),
    Plot(
        "Mouth",
        "How far it is open, in parts of the distance between the eyes: the two should move together.",
        (
            Curve("mouth", "swap", "--swap"),
            Curve("mouth_copied_target", "target", "--control"),
        ),
        "greatest",
    ),
    Plot(
        "Gaze (error against the target)",
        "In parts of an eye's width.",
        (Curve("gaze_error", "swap", "--swap"),),
        "greatest",
    ),
    Plot(
        "Seam",
        "1 is no seam: brightness changes across the face's edge as its surroundings let expect.",
        (Curve("seam_energy", "swap", "--swap"),),
        "greatest",
    ),
    Plot(
        "Flicker (squared warping error, within stretches of frames in a row)",
        "What changes beyond what moves; the swap should not lie above the target.",
        (
            Curve("flow_error", "swap", "--swap", within="stretch"),
            Curve("flow_error_copied_target", "target", "--control", within="stretch"),
        ),
        "greatest",
    ),
)

_WITHOUT_WORST: Final = ("mouth", "flow_error")
"""Columns whose extremes are no faults, or whose frames the report may not show."""


def worst_frames(full: pd.DataFrame) -> dict[str, int]:
    """The worst frame by the first curve of each plot.

    Args:
        full: by frame, those that are measured in full.

    Returns:
        numbers of frames by column; columns without a figure are left out.
    """
    result = {}
    for plot in PLOTS:
        name = plot.curves[0].column
        if name in _WITHOUT_WORST or name not in full or not full[name].notna().any():
            continue
        known = full[full[name].notna()]
        values = known[name].to_numpy(float)
        place = values.argmin() if plot.worst == "least" else values.argmax()
        result[name] = int(known["frame"].iloc[int(place)])
    return result
