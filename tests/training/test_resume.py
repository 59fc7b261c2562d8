"""The same bytes every time: twice, and however often the run was killed on the way. Real processes, real SIGKILL."""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.process
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stages.artifacts.files import sha256_of
from stages.problems import Problem
from stages.training import checkpoint
from stages.training.faces import read_faces
from stages.training.loop import Training
from stages.training.settings import TrainingSettings
from stages.training.stage import Task, train_pair
from stages.training.state import State
from tests.training.faces import smoke_preset, smoke_settings
from tests.training.faults import DieAfter

ITERATIONS = 60
CRITIC = {"weight": 0.05, "start": 0.5, "warm_up": 2, "channels": 8}
"""Joins at iteration 30."""
# a server that has torch imported already: its children start in a moment
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])

FEW = {"iterations": 8, "batch": 1, "check_every": 2, "judge_every": 4}
"""Iterations through a recogniser take long."""

Fault = Callable[[], None]


def settings(**changes: object) -> TrainingSettings:
    """A checkpoint at every look."""
    return smoke_settings(**{"iterations": ITERATIONS, **changes}).model_copy(update={"checkpoint_seconds": 0.0})


def train(root: Path, face_sets: dict[str, Path], chosen: TrainingSettings, fault: Fault | None = None) -> None:
    """What a child does: the whole training, unless the fault comes between."""
    if fault is not None:
        fault()
    train_pair(Task("ada-ben", face_sets, {"ada": "1", "ben": "2"}, chosen, root / "model", root / "scratch"))


def start(
    root: Path, face_sets: dict[str, Path], fault: Fault | None = None, chosen: TrainingSettings | None = None
) -> multiprocessing.process.BaseProcess:
    child = PROCESSES.Process(target=train, args=(root, face_sets, chosen or settings(), fault))
    child.start()
    return child


def finish(root: Path, face_sets: dict[str, Path], chosen: TrainingSettings | None = None) -> dict[str, bytes]:
    """Run to the end; the bytes of every file of the result."""
    child = start(root, face_sets, chosen=chosen)
    child.join()
    assert child.exitcode == 0
    assert list((root / "scratch").iterdir()) == []
    return {path.name: path.read_bytes() for path in sorted((root / "model").iterdir())}


def different(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


@pytest.fixture(scope="module")
def unbroken(face_sets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], float]:
    """An unbroken run's files, and how many seconds it took."""
    started = time.monotonic()
    return finish(tmp_path_factory.mktemp("unbroken"), face_sets), time.monotonic() - started


@pytest.fixture(scope="module")
def unbroken_with_critic(face_sets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """An unbroken run's files."""
    return finish(tmp_path_factory.mktemp("critic"), face_sets, settings(adversary=CRITIC))


def test_the_same_command_twice_gives_the_same_bytes(
    unbroken: tuple[dict[str, bytes], float], face_sets: dict[str, Path], tmp_path: Path
) -> None:
    again = finish(tmp_path, face_sets)
    assert {
        "model.safetensors",
        "ada.onnx",
        "ben.onnx",
        "ada.fp16.onnx",
        "card.md",
        "model.json",
        "curves.csv",
        "time-lapse.mp4",
    } <= again.keys()
    assert different(unbroken[0], again) == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_it_ends_in_the_same_bytes(
    seed: int, unbroken: tuple[dict[str, bytes], float], face_sets: dict[str, Path], tmp_path: Path
) -> None:
    """Three kills in one run, anywhere between its first breath and the exported networks."""
    wanted, seconds = unbroken
    chance = random.Random(seed)
    for _ in range(3):
        child = start(tmp_path, face_sets)
        child.join(timeout=chance.uniform(0.0, 0.8 * seconds))
        child.kill()
        child.join()
    assert different(wanted, finish(tmp_path, face_sets)) == []


@pytest.mark.parametrize("seen", [1, 4])
def test_killed_between_checkpoints_it_goes_on_to_the_same_bytes(
    seen: int, unbroken: tuple[dict[str, bytes], float], face_sets: dict[str, Path], tmp_path: Path
) -> None:
    """SIGKILL when the checkpoint has been replaced ``seen`` times: soon after the start, and well into the run."""
    child = start(tmp_path, face_sets)
    versions: set[int] = set()
    while len(versions) < seen:
        assert child.is_alive(), "it ended before it could be killed"
        # not by the inode: a file system gives a new file the number of one that was just removed
        versions |= {path.stat().st_mtime_ns for path in tmp_path.glob("scratch/*/checkpoint.safetensors")}
        time.sleep(0.002)
    child.kill()
    child.join()
    assert not (tmp_path / "model").exists()
    assert list(tmp_path.glob("scratch/*/checkpoint.safetensors"))
    assert different(unbroken[0], finish(tmp_path, face_sets)) == []


class DieWriting:
    """A fault: SIGKILL in the middle of a checkpoint's bytes.

    Args:
        nth: which checkpoint, from 1.
        moved: whether the half has already the checkpoint's name, as on a file system that loses a rename's order.
    """

    def __init__(self, nth: int, moved: bool) -> None:
        self.left, self.moved = nth, moved

    def __call__(self) -> None:
        whole = checkpoint.save_tensors

        def dying(tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
            whole(tensors, path, metadata)
            self.left -= metadata is not None  # the result's weights have none
            if self.left == 0:
                os.truncate(path, path.stat().st_size // 2)
                if self.moved:
                    path.replace(path.with_name("checkpoint.safetensors"))
                os.kill(os.getpid(), signal.SIGKILL)

        checkpoint.save_tensors = dying


@pytest.mark.parametrize(("nth", "moved"), [(1, False), (3, False), (3, True)])
def test_killed_while_a_checkpoint_is_written_it_ends_in_the_same_bytes(
    nth: int, moved: bool, unbroken: tuple[dict[str, bytes], float], face_sets: dict[str, Path], tmp_path: Path
) -> None:
    child = start(tmp_path, face_sets, DieWriting(nth, moved))
    child.join()
    assert child.exitcode == -signal.SIGKILL
    halves = list(tmp_path.glob("scratch/*/.*"))
    assert len(halves) == (0 if moved else 1)
    assert len(list(tmp_path.glob("scratch/*/checkpoint.safetensors"))) == (nth > 1)
    assert different(unbroken[0], finish(tmp_path, face_sets)) == []


@pytest.mark.parametrize("iteration", [10, 40], ids=["before it joins", "after"])
def test_killed_with_a_critic_it_ends_in_the_same_bytes(
    iteration: int,
    unbroken: tuple[dict[str, bytes], float],
    unbroken_with_critic: dict[str, bytes],
    face_sets: dict[str, Path],
    tmp_path: Path,
) -> None:
    assert unbroken_with_critic["model.safetensors"] != unbroken[0]["model.safetensors"], "the critic had no say"
    child = start(tmp_path, face_sets, DieAfter(iteration), settings(adversary=CRITIC))
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert different(unbroken_with_critic, finish(tmp_path, face_sets, settings(adversary=CRITIC))) == []


def test_killed_while_it_learns_through_a_recogniser_it_ends_in_the_same_bytes(
    face_sets: dict[str, Path], tmp_path: Path
) -> None:
    with_term, without = settings(losses={"identity": 1.0}, **FEW), settings(**FEW)
    wanted, plain = finish(tmp_path / "a", face_sets, with_term), finish(tmp_path / "b", face_sets, without)
    assert wanted["model.safetensors"] != plain["model.safetensors"], "the recogniser had no say"
    assert json.loads(wanted["model.json"])["recogniser"] == sha256_of(Path("data/packs/open/recognition.onnx"))
    assert json.loads(plain["model.json"])["recogniser"] is None
    child = start(tmp_path / "c", face_sets, DieAfter(4), with_term)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert different(wanted, finish(tmp_path / "c", face_sets, with_term)) == []


def test_checkpoints_have_no_influence_on_the_result(
    unbroken: tuple[dict[str, bytes], float], face_sets: dict[str, Path], tmp_path: Path
) -> None:
    rare = settings().model_copy(update={"checkpoint_seconds": 3600.0})
    train_pair(Task("ada-ben", face_sets, {"ada": "1", "ben": "2"}, rare, tmp_path / "model", tmp_path / "scratch"))
    assert (tmp_path / "model/model.safetensors").read_bytes() == unbroken[0]["model.safetensors"]


def test_a_disk_that_fills_up_during_training_is_told_at_the_next_look(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = smoke_preset(iterations=20)
    faces = {name: read_faces(folder, preset.stored_size) for name, folder in face_sets.items()}
    folder = checkpoint.CheckpointFolder(tmp_path, "run")
    training = Training(
        {name: some.train for name, some in faces.items()},
        {name: some.held_out for name, some in faces.items()},
        preset,
        0,
        folder,
        checkpoint_seconds=0.0,
    )

    def full(*given: object, **named: object) -> None:
        raise checkpoint.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    state = State(list(faces), preset, 0, torch.device("cpu"))
    with pytest.raises(Problem, match="the disk is full"):
        training.run(state)
    assert state.progress.iteration < preset.iterations, "not only at the end"
    assert list(folder.folder.iterdir()) == []


def test_all_checkpoints_of_a_pair_go_together_and_nobody_elses(tmp_path: Path) -> None:
    mine = [f"ada-ben-{digit * 24}" for digit in "0f"]
    others = [f"ada-ben-2-{'0' * 24}", f"ada-benny-{'0' * 24}", "ada-ben-notes", f"cyd-ada-ben-{'0' * 24}"]
    for name in (*mine, *others):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint.safetensors").write_bytes(b"whose face")
    folder = checkpoint.CheckpointFolder(tmp_path, mine[0])
    assert folder.bytes() == len(b"whose face")
    folder.remove_all_of("ada-ben")
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(others)
    assert folder.bytes() == 0
