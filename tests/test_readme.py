"""The README's figures are those of the results that the repository locks."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.parametrize("swap", ["ada-on-ben", "ben-on-ada"])
def test_the_figures_are_those_of_the_locked_metrics(swap: str) -> None:
    row = next(line for line in (REPOSITORY / "README.md").read_text().splitlines() if line.startswith(f"| {swap} |"))
    metrics = json.loads((REPOSITORY / f"data/evaluation/{swap}/metrics.json").read_text())
    wanted = []
    for control in ("", "_copied_target", "_wrong_decoder", "_shuffled_frames"):
        wanted += [f"{metrics[f'psnr{control}']:.1f}", f"{metrics[f'ssim{control}']:.3f}"]
    wanted.append(f"{100 * metrics['nearer_to_source']:.0f}")
    assert re.findall(r"\d+(?:\.\d+)?", row) == wanted


@pytest.mark.parametrize("swap", ["ada-on-ben", "ben-on-ada"])
def test_the_locked_results_pass_the_bars_that_the_project_set_itself(swap: str) -> None:
    metrics = json.loads((REPOSITORY / f"data/evaluation/{swap}/metrics.json").read_text())
    assert metrics["psnr"] >= 24.0
    assert metrics["ssim"] >= 0.85
    assert metrics["psnr_gain"] >= 4.0
    assert metrics["psnr_wrong_decoder"] <= metrics["psnr"] - 4.0
    assert metrics["nearer_to_source"] >= 0.95
    assert metrics["untouched_exact"] == 1
    assert metrics["flicker"] <= 1.25
    assert metrics["seam_energy"] <= 1.15
    assert abs(metrics["lip_lag"]) < 0.5
