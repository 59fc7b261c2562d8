"""Figures by frame become a few figures for the swap, with intervals and controls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from stages.artifacts.face_set import HELD_OUT
from stages.evaluation.bootstrap import blocks_of, draws, interval
from stages.evaluation.catalogue import METRICS
from stages.evaluation.controls import ALTERNATING, COPIED, DELAY, DELAYED, SHUFFLED, WRONG
from stages.evaluation.likeness import Embedding, spreads
from stages.evaluation.ordering import misranked, not_beaten, ranked
from stages.evaluation.statistics import Floats, Statistic
from stages.evaluation.wording import CONTROLS

Metrics = dict[str, float | int]

BESIDE: Final = {"psnr": (COPIED, WRONG, SHUFFLED), "ssim": (COPIED, WRONG, SHUFFLED)}
"""Figures whose controls stand in ``metrics.json``, too; those of all figures are in ``figures.csv``."""


def with_likeness(frames: pd.DataFrame, faces: Mapping[int, Mapping[str, Embedding]]) -> pd.DataFrame:
    """The table with how far each version's likeness lies from its mean, and that of a likeness that alternates.

    Args:
        frames: by frame.
        faces: embeddings by frame and by the suffix of the version's columns.
    """
    columns: dict[str, dict[int, float]] = {}
    versions = {name for each in faces.values() for name in each}
    for name in sorted(versions):
        known = {frame: each[name] for frame, each in faces.items() if name in each}
        columns[f"identity_spread{name}"] = _spread(known)
    both = {frame: each for frame, each in faces.items() if f"_{COPIED}" in each}
    mixed = {frame: each["" if turn % 2 else f"_{COPIED}"] for turn, (frame, each) in enumerate(both.items())}
    columns[f"identity_spread_{ALTERNATING}"] = _spread(mixed)
    return frames.assign(**{name: frames["frame"].map(values) for name, values in columns.items()})


def _spread(faces: Mapping[int, Embedding]) -> dict[int, float]:
    return dict(zip(faces, spreads(np.stack(list(faces.values()))).tolist(), strict=True)) if faces else {}


def with_derived(frames: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns of the delayed target added: its mouth two frames before, in the same stretch."""
    if "stretch" not in frames or "mouth_copied_target" not in frames:
        return frames
    within = frames[frames["stretch"] >= 0].groupby("stretch")["mouth_copied_target"]
    return frames.assign(**{f"mouth_{DELAYED}": within.shift(DELAY).reindex(frames.index)})


def figures_of(frames: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Every figure that the frames tell, with its interval and its controls.

    Args:
        frames: the table of :func:`stages.evaluation.measuring.measured`.
        seed: of the drawings.

    Returns:
        a row a figure: ``metric``, ``value``, ``low``, ``high`` (95 %), a column for each control (NaN if it has none),
        ``ranks`` ("right", "wrong", or "unknown" where no two controls could be compared), ``misranked`` (pairs) and
        ``not_beaten`` (controls that are no worse than the swap).
    """
    frames = with_derived(frames)
    blocks = blocks_of(frames)
    weights = draws(int(blocks.max()) + 1, seed)
    rows = []
    for metric in METRICS:
        value = value_of(metric.statistic, frames)
        if not math.isfinite(value):
            continue
        low, high = interval(metric.statistic, frames, blocks, weights)
        named = {name: value_of(metric.statistic.of_control(name), frames) for name in metric.controls}
        wrong = misranked(metric, named)
        ranks = "wrong" if wrong else "right" if ranked(metric, named) else "unknown"
        row: dict[str, float | str] = {"metric": metric.key, "value": value, "low": low, "high": high, **named}
        row["ranks"] = ranks
        row["misranked"] = "; ".join(f"{better} before {worse}" for better, worse in wrong)
        beaten_by = [
            name
            for name, level in named.items()
            if not_beaten(metric, _alongside(metric.statistic, name, frames, value), {name: level})
        ]
        row["not_beaten"] = "; ".join(beaten_by)
        rows.append(row)
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high", *CONTROLS, "ranks", "misranked", "not_beaten"])


def _alongside(statistic: Statistic, control: str, frames: pd.DataFrame, value: float) -> float:
    """The swap's figure over the frames in which a control was measured, for others are easier or harder; ``value``,
    that over all, where those do not tell it."""
    rows = (statistic.of_control(control).terms(frames) != 0).any(axis=1)
    own = float(statistic.value(statistic.terms(frames)[rows].sum(axis=0)))
    return own if math.isfinite(own) else value


def value_of(statistic: Statistic, frames: pd.DataFrame) -> float:
    """A figure over all rows of the table; NaN if they do not tell it."""
    sums: Floats = statistic.terms(frames).sum(axis=0)
    return float(statistic.value(sums))


def summarised(
    frames: pd.DataFrame, figures: pd.DataFrame, *, passed_exactly: bool, likeness_was_taught: bool = False
) -> Metrics:
    """The metrics of a swap, flat, rounded to what they can tell.

    Where the face set has no held-out frames, the figures for them are left out rather than taken from others.

    Args:
        frames: the table of :func:`stages.evaluation.measuring.measured`.
        figures: of :func:`figures_of`.
        passed_exactly: whether frames without a face are the clip's own, bit for bit.
        likeness_was_taught: whether the model learnt from the recogniser that measured the similarities; told only if
            it did.
    """
    full = frames[frames["similarity_source"].notna()]
    held_out = full[full["split"] == HELD_OUT]
    metrics: Metrics = {"frames": len(full), "frames_held_out": len(held_out)}
    for row in figures.to_dict("records"):
        _add(metrics, str(row["metric"]), row["value"])
        for control in BESIDE.get(str(row["metric"]), ()):
            _add(metrics, f"{row['metric']}_{control}", row[control])
        if row["ranks"] == "wrong":
            metrics[f"untrusted_{row['metric']}"] = 1
    if "psnr" in metrics:
        metrics["psnr_gain"] = round(metrics["psnr"] - metrics["psnr_copied_target"], 3)
        metrics["psnr_worst"] = round(float(held_out["psnr"].min()), 3)
    if likeness_was_taught:
        metrics["likeness_was_taught"] = 1
    metrics["untouched_exact"] = int(passed_exactly and bool((frames["changed_outside"] == 0).all()))
    return metrics


def of_swap(frames: pd.DataFrame) -> pd.DataFrame:
    """The table without the columns of controls, but for those that are drawn beside the swap's."""
    kept = {f"{name}_{control}" for name, some in BESIDE.items() for control in some}
    kept |= {f"{signal}_{COPIED}" for signal in ("mouth", "flow_error")}
    ends = tuple(f"_{name}" for name in CONTROLS)
    return frames[[name for name in frames.columns if not name.endswith(ends) or name in kept]]


def _add(metrics: Metrics, name: str, value: float) -> None:
    if np.isfinite(value):  # the mean of nothing is no number
        metrics[name] = round(float(value), 4 if abs(value) < 2 else 3)
