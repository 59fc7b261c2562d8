"""Trying settings on a few frames: what the sheet shows, and that it leaves every artifact as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from stages.artifacts.frames import Frames
from stages.compositing.commands import commands
from stages.compositing.inputs import Inputs
from stages.compositing.preview import Preview, frames_to_show
from stages.compositing.settings import CompositingSettings
from stages.compositing.stage import composite, run
from stages.compositing.variants import variant
from stages.problems import Problem
from stages.settings import load_params


def hashes(folder: Path) -> dict[str, str]:
    """Of all artifacts; the audit log, which notes every look at a person, is none."""
    files = (path for path in folder.rglob("*") if path.is_file() and folder / "audit" not in path.parents)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_sheet_of_settings_against_frames_changes_no_artifact(
    workplace: Path, make_pipeline: Callable[..., Any]
) -> None:
    make_pipeline(frames=4)
    run("ada-on-ben", load_params())
    before = hashes(workplace / "data")
    asked = ["--frames", "0,3", "--set", "blend.method=alpha", "--set", "faint: blend.opacity=0.1, sharpness=0"]
    result = CliRunner().invoke(commands, ["preview", "ada-on-ben", *asked, "--side", "100"])
    assert result.exit_code == 0, result.output
    sheet = cv2.imread(str(workplace / ".scratch/preview/ada-on-ben.png"))
    assert sheet.shape[1] == 4 * 100  # the clip, params.yaml, two variants
    assert hashes(workplace / "data") == before


@pytest.mark.parametrize("steady", [0.0, 0.1])
def test_what_it_shows_is_what_compositing_makes(make_scene: Callable[..., Any], tmp_path: Path, steady: float) -> None:
    scene = make_scene(frames=20, flicker=0.1, without=(4,), cut=8, white=lambda number: 0.7 * (number > 15))
    colour = CompositingSettings().colour.model_copy(update={"steady": steady})
    settings = CompositingSettings(colour=colour, grain=1.0)
    (tmp_path / "done").mkdir()
    composite(scene.frames, scene.alignments, scene.converted, tmp_path / "done", settings)
    shown = Preview(Inputs.of(scene.frames, scene.alignments, scene.converted), [3, 4, 12, 17]).finished(settings)
    for frame in Frames.read(tmp_path / "done").pick([3, 4, 12, 17]):
        np.testing.assert_array_equal(shown[frame.number], frame.rgb())


def test_frames_are_chosen_from_those_with_a_face(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(frames=9, without=(0, 1, 2))
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    assert frames_to_show(inputs, []) == [4, 6, 8]
    with pytest.raises(Problem, match=r"no frame 9\n.*from 0 to 8"):
        frames_to_show(inputs, [9])


def test_a_variant_changes_what_it_names_and_nothing_else() -> None:
    base = CompositingSettings(sharpness=0.25)
    name, changed = variant("compositing.blend={method: alpha, opacity: 0.5}, mask.feather=0.2", base)
    assert name == "compositing.blend={method: alpha, opacity: 0.5}, mask.feather=0.2"
    assert (changed.blend.method, changed.blend.opacity, changed.blend.bands) == ("alpha", 0.5, 3)
    assert (changed.mask.feather, changed.sharpness, changed.colour) == (0.2, 0.25, base.colour)
    assert variant("soft edge: mask.feather=0.2", base)[0] == "soft edge"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("blend.methd=alpha", "did you mean 'method'"),
        ("blnd.method=alpha", "did you mean 'blend'"),
        ("blend.method=alhpa", "blend.method"),
        ("mask.feather=3", "less than or equal to 0.5"),
        ("feather", "no KEY=VALUE"),
        ("mask.feather=[", "can not be read"),
    ],
)
def test_what_is_not_a_setting_is_told_with_the_nearest(text: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        variant(text, CompositingSettings())


@pytest.mark.parametrize("arguments", [["--frames", "1,x"], ["--set", "a: sharpness=0", "--set", "a: sharpness=1"]])
def test_a_bad_command_ends_with_help(workplace: Path, make_pipeline: Callable[..., Any], arguments: list[str]) -> None:
    make_pipeline(frames=1)
    result = CliRunner().invoke(commands, ["preview", "ada-on-ben", *arguments])
    assert result.exit_code == 2
    assert "mend:" in result.stderr
    assert not (workplace / ".scratch").exists()
