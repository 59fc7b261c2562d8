"""What is told and settled before the first iteration."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stages.artifacts.swap_model import SwapModel
from stages.problems import Problem
from stages.training import forecast, plan
from stages.training.checkpoint import CheckpointFolder
from stages.training.faces import Faces, read_faces
from stages.training.forecast import Trial, checkpoint_bytes, require_disk, result_bytes, snapshot_bytes, try_out
from stages.training.plan import iterations_within, settle
from stages.training.settings import TrainingSettings
from stages.training.stage import Task, train_pair
from stages.training.state import State, learning_rate
from stages.training.step import Step
from tests.training.faces import smoke_preset, smoke_settings

CONSENT = {"ada": "ada-1", "ben": "ben-1"}


@pytest.fixture
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, 64).train for name, folder in face_sets.items()}


@pytest.fixture
def state() -> State:
    return State(["ada", "ben"], smoke_preset(), 0, torch.device("cpu"))


def two_seconds_each(*given: object, **named: object) -> Trial:
    return Trial(seconds=2.0, memory=0)


def with_budget(minutes: float, **changes: object) -> TrainingSettings:
    return smoke_settings(**changes).model_copy(update={"budget_minutes": minutes})


def test_trying_out_leaves_no_trace(state: State, faces: dict[str, Faces]) -> None:
    before = state.snapshot()
    trial = try_out(state, faces, smoke_preset(), 0)
    assert trial.seconds > 0
    after = state.snapshot()
    assert after.facts == before.facts
    assert all(torch.equal(after.tensors[name], tensor) for name, tensor in before.tensors.items())


CRITIC = {"weight": 0.05, "start": 0.5, "channels": 8}


def test_what_joins_later_is_tried_out_too_and_leaves_no_trace(faces: dict[str, Faces]) -> None:
    preset = smoke_preset(adversary=CRITIC, back_translation={"share": 0.5})
    state = State(["ada", "ben"], preset, 0, torch.device("cpu"))
    before = state.snapshot()
    trial = try_out(state, faces, preset, 0)
    assert set(trial.more) == {"back_translation", "adversary"}
    assert trial.more["adversary"] >= 0
    after = state.snapshot()
    assert after.facts == before.facts
    assert all(torch.equal(after.tensors[name], tensor) for name, tensor in before.tensors.items())


@pytest.mark.parametrize("adversary", [{"weight": 0.0}, CRITIC | {"start": 1.0}], ids=["no weight", "never joins"])
def test_a_critic_that_never_joins_is_not_tried_out(faces: dict[str, Faces], adversary: dict[str, float]) -> None:
    preset = smoke_preset(adversary=adversary)
    state = State(["ada", "ben"], preset, 0, torch.device("cpu"))
    assert not try_out(state, faces, preset, 0).more


def test_parts_that_join_one_after_another_are_added_up() -> None:
    preset = smoke_preset(adversary=CRITIC, back_translation={"share": 0.5, "start": 0.25})
    trial = Trial(seconds=1.0, memory=0, more={"back_translation": 0.5, "adversary": 2.0})
    assert trial.seconds_of(0, 20, preset) == 20 + 15 * 0.5 + 10 * 2


@pytest.mark.parametrize(
    ("first", "last", "seconds"), [(0, 20, 10 * 1 + 10 * 3), (0, 8, 8), (6, 16, 4 + 6 * 3), (12, 20, 8 * 3)]
)
def test_iterations_after_the_critic_joins_take_as_long_as_they_do(first: int, last: int, seconds: float) -> None:
    trial = Trial(seconds=1.0, memory=0, more={"adversary": 2.0})
    assert trial.seconds_of(first, last, smoke_preset(adversary=CRITIC)) == seconds


def test_time_and_budget_count_the_critic(
    faces: dict[str, Faces], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(plan, "try_out", lambda *given, **named: Trial(2.0, 0, more={"adversary": 2.0}))
    settings = with_budget(0.5, adversary=CRITIC)
    state = State(["ada", "ben"], settings.chosen, 0, torch.device("cpu"))
    with caplog.at_level(logging.INFO):
        settled = settle(state, faces, settings, tmp_path)
    assert settled.iterations == 10, "five of two seconds, then five of four"
    assert "10 iterations of about 3.00 s: about 0.5 min" in caplog.text


def test_the_needs_are_told(
    state: State, faces: dict[str, Faces], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        settle(state, faces, smoke_settings(), tmp_path)
    assert "ada 24, ben 24" in caplog.text
    assert "MB for a batch of 4 and " in caplog.text
    assert "MB for copies of the state, of " in caplog.text
    assert "MB of disk; 20 iterations of about " in caplog.text


def test_a_run_that_goes_on_is_told_what_is_left(
    state: State,
    faces: dict[str, Faces],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    checkpoints = CheckpointFolder(tmp_path, "run")
    assert checkpoints.iteration() == 0
    state.progress.iteration = 5
    checkpoints.write(state.snapshot())
    state.progress.iteration = 0
    with caplog.at_level(logging.INFO):
        settle(state, faces, smoke_settings(), tmp_path, done=checkpoints.iteration(), mapped=64 << 20)
    assert "15 iterations of about 2.00 s: about 0.5 min" in caplog.text
    disk = (checkpoint_bytes(state) + result_bytes(state)) >> 20
    assert f"{disk + 64} MB of disk" in caplog.text, "mapped faces lie there too"


def test_the_stage_tells_a_run_that_goes_on_what_is_left(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    settings = smoke_settings().model_copy(update={"checkpoint_seconds": 0.0})
    task = Task("ada-ben", face_sets, CONSENT, settings, tmp_path / "model", tmp_path / "scratch")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="the power fails"):
        patch.setattr("stages.training.stage.write_bundle", power_fails)
        train_pair(task)
    with caplog.at_level(logging.INFO):
        train_pair(task)
    assert "MB of disk; 0 iterations of about" in caplog.text


def power_fails(*given: object, **named: object) -> None:
    raise OSError("the power fails")


@pytest.mark.parametrize(("spare", "warned"), [(0, False), (-1, True)])
def test_memory_that_does_not_hold_batch_and_copies_of_the_state_is_warned_of(
    state: State,
    faces: dict[str, Faces],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    spare: int,
    warned: bool,
) -> None:
    monkeypatch.setattr(plan, "try_out", lambda *given, **named: Trial(seconds=2.0, memory=1000))
    assert snapshot_bytes(state) == 3 * state.size_in_bytes()
    monkeypatch.setattr(forecast, "free_memory", lambda device: 1000 + snapshot_bytes(state) + spare)
    settle(state, faces, smoke_settings(), tmp_path)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    told = [record for record in warnings if record.name.startswith("stages.training")]
    assert [record.getMessage().startswith("training needs about 1 MB of memory more") for record in told] == (
        [True] if warned else []
    )


def test_an_open_batch_leaves_room_for_the_copies_of_the_state(
    state: State, faces: dict[str, Faces], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []

    def largest(attempt: object, device: torch.device, kept: int) -> int:
        left.append(kept)
        return 4

    monkeypatch.setattr(plan, "largest_batch", largest)
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    settle(state, faces, smoke_settings(batch="auto"), tmp_path)
    assert left == [snapshot_bytes(state)]


@pytest.mark.parametrize(("minutes", "each", "done"), [(None, 2.0, 100), (1, 2.0, 30), (60, 2.0, 100), (0.001, 9.0, 1)])
def test_iterations_are_those_that_the_budget_has_time_for(minutes: float | None, each: float, done: int) -> None:
    assert iterations_within(minutes, each, 100) == done


def test_the_learning_rate_ends_with_the_budget(
    state: State, faces: dict[str, Faces], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    settled = settle(state, faces, with_budget(0.5, iterations=1000, optimiser={"warm_up": 0}), tmp_path)
    assert settled.iterations == 15
    step = Step(faces, settled, 0)
    rates = []
    for _ in range(15):
        step(state)
        rates.append(state.optimiser.param_groups[0]["lr"])
    assert rates == [learning_rate(done, 15, settled.optimiser) for done in range(15)]
    assert rates[-1] < 0.02 * rates[0]


def test_a_resumed_run_keeps_the_numbers_that_the_first_one_settled(
    state: State, faces: dict[str, Faces], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    first = settle(state, faces, with_budget(0.2), tmp_path)
    monkeypatch.setattr(plan, "try_out", lambda *given, **named: Trial(seconds=1.0, memory=0))
    monkeypatch.setattr(plan, "largest_batch", lambda *given: 16)
    assert settle(state, faces, with_budget(0.2), tmp_path) == first
    assert json.loads((tmp_path / "plan.json").read_text()) == {"batch": 4, "iterations": 6}


def test_a_batch_that_is_left_open_is_found_and_written_down(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.training.memory.LARGEST_ON_CPU", 8)
    settings = smoke_settings(batch="auto", iterations=5)
    train_pair(Task("ada-ben", face_sets, CONSENT, settings, tmp_path / "model", tmp_path / "scratch"))
    facts = SwapModel.read(tmp_path / "model").facts
    assert (facts["settings"]["batch"], facts["batch"]) == ("auto", 8)


def test_an_open_batch_is_settled_before_the_first_iteration(faces: dict[str, Faces]) -> None:
    with pytest.raises(ValueError, match="must be settled"):
        Step(faces, smoke_preset(batch="auto"), 0)


@pytest.mark.parametrize(
    ("settings", "reason", "iteration"),
    [
        (smoke_settings(iterations=10), "iterations", 10),
        (with_budget(0.2), "budget", 6),
        (smoke_settings(iterations=60, stop={"patience": 1, "improvement": 0.9}), "plateau", 20),
    ],
    ids=["iterations", "budget", "plateau"],
)
def test_the_model_says_why_training_ended(
    settings: TrainingSettings,
    reason: str,
    iteration: int,
    face_sets: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(plan, "try_out", two_seconds_each)
    with caplog.at_level(logging.INFO):
        train_pair(Task("ada-ben", face_sets, CONSENT, settings, tmp_path / "model", tmp_path / "scratch"))
    facts = SwapModel.read(tmp_path / "model").facts
    assert facts["ended"] == {"reason": reason, "iteration": iteration}
    assert facts["iterations"] == iteration
    assert f"ended at iteration {iteration}: {reason}" in caplog.text


def test_the_disk_that_will_be_needed_is_what_is_then_written(
    state: State, face_sets: dict[str, Path], tmp_path: Path
) -> None:
    settings = smoke_settings().model_copy(update={"checkpoint_seconds": 0.0})
    train_pair(Task("ada-ben", face_sets, CONSENT, settings, tmp_path / "model", tmp_path / "scratch"))
    networks = [path for path in (tmp_path / "model").iterdir() if path.suffix in (".onnx", ".safetensors")]
    written = sum(path.stat().st_size for path in networks)
    # graphs and headers are a large part of so small a network
    assert 0.8 * result_bytes(state) < written < 2 * result_bytes(state)
    assert checkpoint_bytes(state) == 2 * sum(
        tensor.numel() * tensor.element_size() for tensor in state.snapshot().tensors.values()
    )


def test_a_disk_that_is_too_small_is_told_before_the_start(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast.shutil, "disk_usage", lambda place: SimpleNamespace(free=1 << 20))
    with pytest.raises(Problem, match=r"will write about \d+ MB, 1 MB are free"):
        train_pair(Task("ada-ben", face_sets, CONSENT, smoke_settings(), tmp_path / "model", tmp_path / "scratch"))
    assert list(tmp_path.iterdir()) == []


def test_folders_on_one_disk_must_fit_together(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    each = int(0.6 * free)
    require_disk({tmp_path / "not/yet/there": each})
    with pytest.raises(Problem, match="are free"):
        require_disk({tmp_path / "not/yet/there": each, tmp_path: each})
