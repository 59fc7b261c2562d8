"""The report: one HTML page with everything in it, readable offline and on a phone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stages.artifacts.face_set import HELD_OUT
from stages.evaluation.curves import drawn
from stages.evaluation.explained import CONTROLS, HEADLINES, METRICS, PLOTS, Explained, written
from stages.evaluation.stills import Still
from stages.evaluation.summary import Metrics


@dataclass(frozen=True)
class Report:
    """What the page shows.

    Attributes:
        about: ``swap``, ``source``, ``target``, ``clip``, ``truth``, ``settings``.
        metrics: of the swap.
        frames: the table by frame.
        stills: frames to look at, in order.
        deliverable: its facts: consent, hash, disclosure.
        lineage: names and hashes of what it was made from.
    """

    about: dict[str, Any]
    metrics: Metrics
    frames: pd.DataFrame
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
        return environment.get_template("report.html.j2").render(
            about=self.about,
            headlines=[self._told(each) for each in self._known() if each.key in HEADLINES],
            metrics=[self._told(each) for each in self._known()],
            controls=self._controls(),
            plots=self._plots(),
            stills=self.stills,
            has_truth="psnr" in self.frames,
            consent=self.deliverable.get("consent", {}),
            disclosure=self.deliverable.get("disclosure", ""),
            lineage=self.lineage,
            settings=json.dumps(self.about.get("settings", {}), indent=2, sort_keys=True),
        )

    def _known(self) -> list[Explained]:
        return [each for each in METRICS if each.key in self.metrics]

    def _told(self, metric: Explained) -> dict[str, str]:
        value = written(self.metrics[metric.key], metric.kind)
        return {"key": metric.key, "name": metric.name, "value": value, "says": metric.says}

    def _controls(self) -> list[dict[str, str | bool]]:
        """A row per control; one that does better than the swap is marked, since the figure is then worth nothing."""
        rows: list[dict[str, str | bool]] = []
        for suffix, name, says in CONTROLS:
            if f"psnr{suffix}" not in self.metrics:
                continue
            values = [float(self.metrics[f"{measure}{suffix}"]) for measure in ("psnr", "ssim")]
            beaten = bool(suffix) and any(
                value >= float(self.metrics[measure]) for value, measure in zip(values, ("psnr", "ssim"), strict=True)
            )
            rows.append(
                {
                    "name": name,
                    "says": says,
                    "psnr": f"{values[0]:.2f} dB",
                    "ssim": f"{values[1]:.3f}",
                    "beaten": beaten,
                }
            )
        return rows

    def _plots(self) -> list[dict[str, Any]]:
        plots = []
        for plot in PLOTS:
            curves = [curve for curve in plot.curves if curve.column in self.frames]
            if curves:
                figure = Markup(drawn(self.frames, curves, HELD_OUT))  # made of numbers and our own words only
                plots.append({"title": plot.title, "says": plot.says, "curves": curves, "figure": figure})
        return plots
