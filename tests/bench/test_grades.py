"""The bench of grades: what is graded is the clip's own, and a face that goes with it scores more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.bench.grades import GRADES, Grade, graded, lines
from stages.compositing.inputs import Inputs
from tests.compositing.conftest import make_scene

__all__ = ["make_scene"]


def test_a_graded_clip_is_the_clip_with_other_colours(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=6, pixel_format="yuv444p", cut=3)
    halved = graded(scene.frames, Grade("half", lambda rgb, _: np.float32(0.5) * rgb), tmp_path / "half")
    assert halved.index[["frame", "pts", "duration", "shot"]].equals(
        scene.frames.index[["frame", "pts", "duration", "shot"]]
    )
    for before, after in zip(scene.frames, halved, strict=True):
        np.testing.assert_allclose(after.rgb(), before.rgb() / 2, atol=3)


def test_a_face_goes_with_its_footage(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(frames=24, pixel_format="yuv444p", lips=True, colour=(200, 150, 120))
    head, _, *rows = lines(Inputs.of(scene.frames, scene.alignments, scene.converted))
    assert head == "| grade | without | default |"
    told = {cells[1].strip(): [float(cell.split()[0]) for cell in cells[2:4]] for cells in (r.split("|") for r in rows)}
    assert list(told) == [grade.name for grade in GRADES]
    assert told["none"][0] == pytest.approx(told["none"][1], abs=0.1)
    assert told["black and white"][1] > told["black and white"][0] + 1.0
