"""Curves over time as plain SVG: no script, no font, no picture from elsewhere, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

WIDTH, HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 28
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Curve:
    """A column of the table, its name for people, and a CSS colour variable.

    ``within`` names a column whose value is the same all along a line: where it changes, the line breaks.
    """

    column: str
    label: str
    colour: str
    within: str | None = None


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers from at or above ``low`` to at or below ``high``, about ``wanted`` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    scale = 10.0 ** np.floor(np.log10(rough))
    step = next(scale * each for each in _STEPS if scale * each >= rough)
    first = np.ceil(low / step)
    return [float(round(n * step, 10)) for n in range(int(first), int(np.floor(high / step + 1e-9)) + 1)]


def drawn(
    frames: pd.DataFrame,
    curves: Sequence[Curve],
    held_out: str,
    links: Mapping[int, tuple[str, str]] | None = None,
    title: str = "",
) -> str:
    """Columns of a table over ``seconds``, as an ``<svg>`` element.

    Args:
        frames: the table, with ``seconds`` and ``split``.
        curves: what is drawn; columns that the table lacks are left out.
        held_out: the split whose frames are marked with a bar at the bottom.
        links: by frame, an address and a name: that frame's point on the first curve becomes a link.
        title: what is drawn, for those who do not see it.

    Returns:
        markup without any text from outside but the curves' own labels.
    """
    present = [curve for curve in curves if curve.column in frames and frames[curve.column].notna().any()]
    values = np.concatenate([frames[curve.column].dropna().to_numpy(float) for curve in present] or [np.zeros(1)])
    times = frames["seconds"].to_numpy(float)
    low, high = float(values.min()), float(values.max())
    pad = (high - low) * 0.06 or 0.5
    low, high = low - pad, high + pad
    start, end = float(times.min()), float(times.max())
    end = end if end > start else start + 1.0

    def x_of(seconds: float) -> float:
        return x_on(frames, seconds)

    def y_of(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    # what is in an image nobody can reach: with links, it is a group
    role = "group" if links else "img"
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="{role}" aria-label="{escape(title or curves[0].label)}">']
    for value in ticks(low, high):
        y = y_of(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in ticks(start, end, 8):
        x = x_of(value)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{value:g} s</text>')
    for seconds in frames.loc[frames["split"] == held_out, "seconds"]:
        parts.append(
            f'<rect class="held" x="{x_of(float(seconds)) - 2:.1f}" y="{HEIGHT - _BOTTOM}" width="4" height="5"/>'
        )
    for curve in present:
        known = frames[frames[curve.column].notna()]
        lines = [known] if curve.within is None else [line for _, line in known.groupby(curve.within)]
        for line in lines:
            places = zip(line["seconds"].to_numpy(float), line[curve.column].to_numpy(float), strict=True)
            points = " ".join(f"{x_of(seconds):.1f},{y_of(value):.1f}" for seconds, value in places)
            parts.append(f'<polyline style="stroke:var({curve.colour})" points="{points}"/>')
    parts.append(f'<line class="now" x1="{_LEFT}" x2="{_LEFT}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>')
    for number, (address, name) in (links or {}).items():
        row = frames[frames["frame"] == number].iloc[0]
        x, y = x_of(float(row["seconds"])), y_of(float(row[present[0].column]))
        parts.append(f'<a href="{address}" aria-label="{name}"><circle cx="{x:.1f}" cy="{y:.1f}" r="6"/></a>')
    return "".join([*parts, "</svg>"])


def x_on(frames: pd.DataFrame, seconds: float) -> float:
    """Where a time lies on the drawing of a table, as an x coordinate of its ``viewBox``."""
    start, end = float(frames["seconds"].min()), float(frames["seconds"].max())
    return _LEFT + (seconds - start) / (end - start if end > start else 1.0) * (WIDTH - _LEFT - _RIGHT)
