"""Figures by frame become a few figures for the swap, which ``dvc metrics`` shows and compares."""

from __future__ import annotations

from typing import Final

import pandas as pd

from stages.artifacts.face_set import HELD_OUT

Metrics = dict[str, float | int]

HELD_OUT_MEANS: Final = (
    "psnr", "ssim", "psnr_frame", "ssim_frame",
    "psnr_copied_target", "ssim_copied_target", "psnr_wrong_decoder", "ssim_wrong_decoder",
    "psnr_shuffled_frames", "ssim_shuffled_frames",
    "psnr_frame_copied_target", "ssim_frame_copied_target", "psnr_frame_ceiling", "ssim_frame_ceiling",
)  # fmt: skip
"""Columns whose mean over held-out frames is a metric."""

ALL_MEANS: Final = ("psnr", "ssim", "psnr_frame", "ssim_frame")
"""Those whose mean over all measured frames is told too, as ``..._all``: a gap between the two is overfitting."""

MEANS: Final = (
    "similarity_source", "similarity_target", "similarity_source_untouched", "similarity_target_untouched",
    "similarity_source_truth", "similarity_target_truth",
    "landmark_error", "landmark_error_truth", "landmark_error_copied_target",
)  # fmt: skip
"""Columns whose mean over all measured frames is a metric."""


def summarised(frames: pd.DataFrame, *, passed_exactly: bool, likeness_was_taught: bool = False) -> Metrics:
    """The metrics of a swap, flat, rounded to what they can tell.

    Where the face set has no held-out frames, the figures for them are left out rather than taken from others.

    Args:
        frames: the table of :func:`stages.evaluation.measuring.measured`.
        passed_exactly: whether frames without a face are the clip's own, bit for bit.
        likeness_was_taught: whether the model learnt from the recogniser that measured the similarities; told only if
            it did.
    """
    held_out = frames[frames["split"] == HELD_OUT]
    metrics: Metrics = {"frames": len(frames), "frames_held_out": len(held_out)}
    for column in HELD_OUT_MEANS:
        if column in frames:
            _add(metrics, column, held_out[column])
    for column in ALL_MEANS:
        if column in frames:
            _add(metrics, f"{column}_all", frames[column])
    if "psnr" in metrics:
        metrics["psnr_gain"] = round(metrics["psnr"] - metrics["psnr_copied_target"], 3)
        metrics["psnr_worst"] = round(float(held_out["psnr"].min()), 3)
    for column in MEANS:
        if column in frames:
            _add(metrics, column, frames[column])
    nearer = frames["similarity_source"] > frames["similarity_target"]
    metrics["nearer_to_source"] = round(float(nearer.mean()), 4)
    if likeness_was_taught:
        metrics["likeness_was_taught"] = 1
    metrics["untouched_exact"] = int(passed_exactly and bool((frames["changed_outside"] == 0).all()))
    return metrics


def _add(metrics: Metrics, name: str, column: pd.Series[float]) -> None:
    mean = float(column.mean())
    if mean == mean:  # the mean of nothing is no number
        metrics[name] = round(mean, 4 if abs(mean) < 2 else 3)
