"""Rows, the exams they sit, and that a stopped ablation goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.visibility import ALL_SEEN
from stages.problems import Problem
from stages.settings import Params, Swap, load_params
from stages.training import ablation
from stages.training.ablation import ROWS, Length, Questions, Result, ablate, page, preset_of
from stages.training.exam import Exam, marks, reconstruction, swap_with_truth
from stages.training.faces import read_faces
from stages.training.networks import Answer, Network
from stages.training.settings import TrainingSettings
from stages.video import decode
from tests.conftest import REPOSITORY, write_clip
from tests.training.faces import smoke_preset


@pytest.fixture
def params() -> Params:
    """The shipped settings with the smallest preset."""
    training = TrainingSettings(preset="smoke", threads=1, presets={"smoke": smoke_preset()})
    return load_params(REPOSITORY / "params.yaml").model_copy(update={"training": training})


class Echo(Network):
    """Gives back what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def swap(self, crops: Tensor, identity: str) -> Answer:
        return Answer(self.gain * crops, crops[:, :1])


def test_each_row_changes_the_shipped_preset_in_what_it_is_named_for() -> None:
    shipped = load_params(REPOSITORY / "params.yaml")
    presets = {row: preset_of(row, shipped) for row in ROWS}
    assert presets["default"] == shipped.training.chosen
    assert presets["original"] == shipped.training.presets["original"]
    assert all(preset != presets["default"] for row, preset in presets.items() if row != "default")
    assert presets["no-ssim"].losses == presets["default"].losses.model_copy(update={"ssim": 0.0})
    assert presets["identity"].losses == presets["default"].losses.model_copy(update={"identity": 0.2})
    assert presets["rare-poses"] == presets["default"].model_copy(update={"pose_balance": 0.5})
    assert presets["rare-expressions"] == presets["default"].model_copy(update={"expression_balance": 0.5})
    assert presets["original-our-recipe"].losses == presets["default"].losses
    assert presets["default"].base is not None
    for row in ("no-texture", "side-outputs"):
        assert presets[row].network.family == "likeness"
        assert presets[row].base == presets["default"].base
    assert {presets[row].base for row in ("no-base", "original-our-recipe", "df", "liae")} == {None}
    assert {presets[row].network.family for row in ("original-our-recipe", "df", "liae")} == {"original", "df", "liae"}


def test_a_network_that_changes_nothing_is_told_by_the_right_answers_alone(face_sets: dict[str, Path]) -> None:
    held_out = read_faces(face_sets["ada"], 64).held_out
    exam = reconstruction("ada", held_out, 32, 4)
    assert len(exam.crops) == len(exam.right) == len(exam.masks) == 4
    psnr, ssim = marks(Echo(), exam, smoke_preset())
    assert psnr > 55, "nothing but the rounding of halves"
    assert ssim == pytest.approx(1.0, abs=1e-3)
    darker = Exam("ada", exam.crops, [np.asarray(one * 0.8, np.uint8) for one in exam.right], exam.masks)
    assert marks(Echo(), darker, smoke_preset())[0] < 30


def test_answers_of_another_size_are_brought_to_the_exams(face_sets: dict[str, Path]) -> None:
    exam = reconstruction("ada", read_faces(face_sets["ada"], 64).held_out, 64, 2)
    psnr, _ = marks(Echo(), exam, smoke_preset())
    assert 15 < psnr < 60, "the answer has 32 pixels"


def test_a_swap_is_judged_on_the_truth_in_the_targets_transform(tmp_path: Path) -> None:
    """The truth is the target's clip itself: an echo is then right, on the frames that were chosen."""
    write_clip(tmp_path / "clip.mp4", frames=12, width=96, height=80)
    pictures = list(decode(tmp_path / "clip.mp4"))
    (tmp_path / "extraction" / "ben").mkdir(parents=True)
    with FrameWriter(tmp_path / "extraction" / "ben", pictures[0].facts) as writer:
        for frame in pictures:
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=0)
        writer.close()
    corner = np.array([[20, 16, 0], [76, 16, 0], [76, 64, 0], [20, 64, 0]], np.float32)
    landmarks = np.resize(corner, (478, 3)).ravel()
    rows = [
        {"frame": number, "face": 0, "track": 0, "shot": 0, "landmarks": landmarks, "seen": ALL_SEEN}
        | {"transform": [1 / 64, 0.0, -16 / 64, 0.0, 1 / 64, -8 / 64]}
        | dict.fromkeys(POSE_AND_QUALITY, 0.0)
        for number in range(12)
    ]
    (tmp_path / "alignment" / "ben").mkdir(parents=True)
    Alignments.of(pd.DataFrame(rows), {}).write(tmp_path / "alignment" / "ben")
    truth = SimpleNamespace(facts={}, frames=lambda: iter(Frames.read(tmp_path / "extraction" / "ben")))
    swap = Swap(pair="ada-ben", source="ada", target="ben", clip="ben", truth="t")

    exam = swap_with_truth(swap, truth, 64, 64, 5, tmp_path)
    assert (exam.identity, len(exam.crops)) == ("ada", 5)
    for crop, right, mask in zip(exam.crops, exam.right, exam.masks, strict=True):
        np.testing.assert_array_equal(crop, right)
        assert mask[10:50, 8:56].all()
        assert not mask[:6].any()
    assert len({crop.tobytes() for crop in exam.crops}) == 5


SECONDS = 3.0
"""Of a row: several iterations of the small network even where the machine is busy."""


def test_rows_are_trained_for_the_time_and_not_measured_again(
    face_sets: dict[str, Path], tmp_path: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    exams = [reconstruction(name, read_faces(folder, 64).held_out, 32, 4) for name, folder in face_sets.items()]
    given = (face_sets, Questions(exams, exams[:1]), params, tmp_path)
    results = ablate(["default", "no-ssim"], 2, Length(SECONDS), *given)
    assert [one.row for one in results] == ["default", "no-ssim"] * 2
    assert [one.seed for one in results] == [0, 0, 1, 1]
    assert all(one.iterations > 1 and one.seconds > 0 and one.held_out_psnr > 5 for one in results)

    monkeypatch.setattr(ablation, "measure", lambda *_: pytest.fail("it was measured before"))
    assert ablate(["default", "no-ssim"], 2, Length(SECONDS), *given) == results
    written = page(results, "the command", Length(SECONDS), params, "ada-ben")
    assert "Printed by `the command`" in written
    assert written.count("\n| no-ssim | 0.3 M |") == 1
    with pytest.raises(pytest.fail.Exception, match="measured before"):
        ablate(["default"], 1, Length(2 * SECONDS), *given)


def test_rows_are_trained_for_the_same_iterations_if_that_is_asked(
    face_sets: dict[str, Path], tmp_path: Path, params: Params
) -> None:
    exams = [reconstruction(name, read_faces(folder, 64).held_out, 32, 4) for name, folder in face_sets.items()]
    length = Length(SECONDS, iterations=3)
    results = ablate(["default", "no-ssim"], 1, length, face_sets, Questions(exams, exams[:1]), params, tmp_path)
    assert [one.iterations for one in results] == [3, 3]
    assert "for the same iterations" in page(results, "the command", length, params, "ada-ben")


@pytest.mark.parametrize(("compile", "times"), [(False, 0), (True, 2)])
def test_passes_are_compiled_where_the_settings_say_so(
    compile: bool, times: int, face_sets: dict[str, Path], params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def noted(passes: Callable[..., object]) -> Callable[..., object]:
        asked.append(passes)
        return passes

    monkeypatch.setattr("stages.training.state.compiled", noted)
    monkeypatch.setattr("stages.training.stage.require_compiler", lambda device: None)
    chosen = params.model_copy(update={"training": params.training.model_copy(update={"compile": compile})})
    exams = [reconstruction(name, read_faces(folder, 64).held_out, 32, 4) for name, folder in face_sets.items()]
    ablation.measure("default", 0, Length(0.1), face_sets, Questions(exams, []), chosen)
    assert len(asked) == times, "once to find the rate, once to train"


@pytest.mark.parametrize("preset", list(load_params(REPOSITORY / "params.yaml").training.presets))
def test_a_row_that_a_preset_can_not_have_is_told(preset: str) -> None:
    shipped = load_params(REPOSITORY / "params.yaml")
    chosen = shipped.model_copy(update={"training": shipped.training.model_copy(update={"preset": preset})})
    for row in ROWS:
        with contextlib.suppress(Problem):
            preset_of(row, chosen)


def test_figures_of_another_base_are_not_taken_for_this_ones(
    face_sets: dict[str, Path], tmp_path: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = load_params(REPOSITORY / "params.yaml")
    base, asked = tmp_path / "base", []
    training = shipped.training.model_dump()
    training["presets"]["demo"]["base"]["path"] = base
    with_base = shipped.model_copy(update={"training": TrainingSettings.model_validate(training)})
    monkeypatch.setattr(ablation, "measure", lambda row, *_: asked.append(row) or Result(row, 0, 1, 1, 1.0, *[0.0] * 4))
    for weights in (b"one", b"other", b"one"):
        base.mkdir(exist_ok=True)
        (base / "facts.json").write_text("{}")
        (base / "weights.safetensors").write_bytes(weights)
        ablate(["default", "no-base"], 1, Length(1.0), face_sets, Questions([], []), with_base, tmp_path / "kept")
    assert asked == ["default", "no-base", "default"]


def test_a_row_that_is_not_there_is_told(params: Params) -> None:
    with pytest.raises(Problem, match="choose of default, original"):
        preset_of("no-sim", params)
