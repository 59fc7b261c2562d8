"""The report: one HTML page with everything in it, readable offline, on a phone and by keyboard."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stages.artifacts.face_set import HELD_OUT
from stages.evaluation.catalogue import METRICS, Metric
from stages.evaluation.curves import drawn, x_on
from stages.evaluation.plots import PLOTS, worst_frames
from stages.evaluation.stills import GAIN, Still
from stages.evaluation.summary import Metrics
from stages.evaluation.thresholds import Bar
from stages.evaluation.wording import CONTROLS, COUNTED, written

HEADLINES = (
    "psnr",
    "psnr_gain",
    "nearer_to_source",
    "mouth_correlation",
    "lip_lag",
    "flicker",
    "seam_energy",
    "untouched_exact",
)
"""The figures at the top, as far as the swap has them."""


@dataclass(frozen=True)
class Report:
    """What the page shows.

    Attributes:
        about: ``swap``, ``source``, ``target``, ``clip``, ``truth``, ``settings``.
        metrics: of the swap.
        figures: with intervals and controls, see :func:`stages.evaluation.summary.figures_of`.
        frames: the table by frame.
        bars: what was asked of the swap.
        stills: frames to look at, in order.
        deliverable: its facts: consent, hash, disclosure.
        lineage: names and hashes of what it was made from.
    """

    about: dict[str, Any]
    metrics: Metrics
    figures: pd.DataFrame
    frames: pd.DataFrame
    bars: list[Bar]
    stills: list[Still]
    deliverable: dict[str, Any]
    lineage: dict[str, str]

    def html(self) -> str:
        """The page. It names no resource outside itself, and the same content gives the same bytes."""
        environment = Environment(
            loader=PackageLoader("stages.evaluation", "."),
            autoescape=select_autoescape(["html", "j2"], default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        known = {name: (name, *CONTROLS[name]) for name in CONTROLS if self.figures[name].notna().any()}
        return environment.get_template("report.html.j2").render(
            about=self.about,
            headlines=[self._headline(key) for key in HEADLINES if key in self.metrics],
            groups=list(self._groups()),
            counted=[
                {"key": key, "name": name, "value": written(self.metrics[key], kind), "says": says}
                for key, (name, kind, says) in COUNTED.items()
                if key in self.metrics
            ],
            controls=[{"name": name, "says": says} for _, name, says in known.values()],
            untrusted=[row["name"] for group in self._groups() for row in group["rows"] if row["misranked"]],
            bars=self.bars,
            failed=any(not bar.reached for bar in self.bars),
            unmeasured=any(bar.value is None for bar in self.bars),
            plots=self._plots(),
            stills=[
                {"still": still, "x": f"{x_on(self.frames, float(still.row['seconds'])):.1f}"} for still in self.stills
            ],
            worst=self._worst(),
            gain=GAIN,
            has_truth="psnr" in self.frames,
            consent=self.deliverable.get("consent", {}),
            disclosure=self.deliverable.get("disclosure", ""),
            lineage=self.lineage,
            settings=json.dumps(self.about.get("settings", {}), indent=2, sort_keys=True),
        )

    def _headline(self, key: str) -> dict[str, str]:
        named = {metric.key: (metric.name, metric.kind) for metric in METRICS}
        name, kind = named[key] if key in named else COUNTED[key][:2]
        return {"key": key, "name": name, "value": written(self.metrics[key], kind)}

    def _groups(self) -> Iterator[dict[str, Any]]:
        """The figures by group, each with its interval and its controls."""
        by_key = {str(row["metric"]): row for row in self.figures.to_dict("records")}
        for group in dict.fromkeys(metric.group for metric in METRICS):
            rows = [self._row(each, by_key[each.key]) for each in METRICS if each.group == group and each.key in by_key]
            if rows:
                names = [name for name in CONTROLS if any(name in row["controls"] for row in rows)]
                heads = [CONTROLS[name][0] for name in names]
                yield {"name": group, "rows": rows, "columns": names, "heads": heads}

    def _row(self, metric: Metric, found: dict[Any, Any]) -> dict[str, Any]:
        low, high = float(found["low"]), float(found["high"])
        known = math.isfinite(low) and math.isfinite(high)
        return {
            "key": metric.key,
            "name": metric.name,
            "value": written(float(found["value"]), metric.kind),
            "interval": f"{written(low, metric.kind)} to {written(high, metric.kind)}" if known else "",
            "says": metric.says,
            "controls": {
                name: written(float(found[name]), metric.kind) for name in CONTROLS if math.isfinite(float(found[name]))
            },
            "misranked": _named(str(found["misranked"])),
            "not_beaten": _named(str(found["not_beaten"])),
            "better": {"higher": "higher is better", "lower": "lower is better", "zero": "0 is best"}[metric.better],
        }

    def _worst(self) -> list[dict[str, Any]]:
        """The worst frame of each curve, as far as the report shows it."""
        shown = {int(still.row["frame"]) for still in self.stills}
        titles = {plot.curves[0].column: plot.title for plot in PLOTS}
        full = self.frames[self.frames["similarity_source"].notna()]
        return [
            {"frame": frame, "column": column, "title": titles[column]}
            for column, frame in worst_frames(full).items()
            if frame in shown
        ]

    def _plots(self) -> list[dict[str, Any]]:
        plots = []
        for plot in PLOTS:
            curves = [
                each for each in plot.curves if each.column in self.frames and self.frames[each.column].notna().any()
            ]
            if not curves or curves[0] is not plot.curves[0]:
                continue
            worst = next((each for each in self._worst() if each["column"] == curves[0].column), None)
            links = {worst["frame"]: (f"#frame-{worst['frame']}", f"worst: frame {worst['frame']}")} if worst else {}
            figure = Markup(drawn(self.frames, curves, HELD_OUT, links, plot.title))  # numbers and our own words only
            plots.append({"title": plot.title, "says": plot.says, "curves": curves, "figure": figure, "worst": worst})
        return plots


def _named(pairs: str) -> str:
    """Names of controls as people read them."""
    for name, (told, _) in CONTROLS.items():
        pairs = pairs.replace(name, told)
    return pairs
