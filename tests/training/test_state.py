"""What is carried from one iteration to the next can be kept and put back, bit for bit."""

from __future__ import annotations

import errno
import resource
import signal
from pathlib import Path
from threading import Event

import pytest
import torch

from stages.problems import Problem
from stages.training.checkpoint import CheckpointFolder, CheckpointWriter, fingerprint_of, save_tensors
from stages.training.faces import Faces, read_faces
from stages.training.guard import Guard
from stages.training.settings import GuardSettings, OptimiserSettings
from stages.training.state import Snapshot, State, learning_rate
from stages.training.step import Step
from tests.training.faces import smoke_preset

PRESET = smoke_preset()


@pytest.fixture
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {name: read_faces(folder, PRESET.stored_size).train for name, folder in face_sets.items()}


@pytest.fixture
def state() -> State:
    return State(["ada", "ben"], PRESET, 0, torch.device("cpu"))


def assert_same(one: Snapshot, other: Snapshot) -> None:
    assert one.facts == other.facts
    assert one.tensors.keys() == other.tensors.keys()
    different = [name for name in one.tensors if not torch.equal(one.tensors[name], other.tensors[name])]
    assert different == []


@pytest.mark.parametrize("side_outputs", [0, 2])
def test_training_goes_on_from_a_checkpoint_as_if_never_stopped(
    side_outputs: int, faces: dict[str, Faces], tmp_path: Path
) -> None:
    preset = PRESET.model_copy(update={"network": PRESET.network.model_copy(update={"side_outputs": side_outputs})})
    state, step = State(["ada", "ben"], preset, 0, torch.device("cpu")), Step(faces, preset, 0)
    for _ in range(3):
        step(state)
    folder = CheckpointFolder(tmp_path, "run")
    folder.write(state.snapshot())
    for _ in range(3):
        step(state)

    kept = folder.read()
    assert kept is not None
    resumed = State(["ada", "ben"], preset, 99, torch.device("cpu"))
    resumed.restore(kept)
    fresh_step = Step(faces, preset, 0)
    for _ in range(3):
        fresh_step(resumed)
    assert_same(resumed.snapshot(), state.snapshot())


def test_a_snapshot_does_not_change_with_the_state(state: State, faces: dict[str, Faces]) -> None:
    before = state.snapshot()
    copied = {name: tensor.clone() for name, tensor in before.tensors.items()}
    Step(faces, PRESET, 0)(state)
    assert all(torch.equal(before.tensors[name], copied[name]) for name in copied)
    assert not torch.equal(
        state.snapshot().tensors["network.encoder.stem.weight"], copied["network.encoder.stem.weight"]
    )


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    one = State(["ada", "ben"], PRESET, 5, torch.device("cpu")).snapshot()
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn), "making a state must not touch the process's chance"
    assert_same(State(["ada", "ben"], PRESET, 5, torch.device("cpu")).snapshot(), one)


def test_averaged_weights_hold_no_gradient_history(state: State, faces: dict[str, Faces]) -> None:
    Step(faces, PRESET, 0)(state)
    assert all(parameter.is_leaf and not parameter.requires_grad for parameter in state.average.parameters())


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    settings = OptimiserSettings(learning_rate=1.0, warm_up=10)
    rates = [learning_rate(i, 100, settings) for i in range(101)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == rates[9] == 1.0
    assert rates[100] == pytest.approx(0)


@pytest.mark.parametrize("damage", [b"", b"no safetensors at all", None])
def test_a_damaged_or_missing_checkpoint_means_starting_over(
    state: State, tmp_path: Path, damage: bytes | None
) -> None:
    folder = CheckpointFolder(tmp_path, "run")
    assert folder.read() is None
    folder.write(state.snapshot())
    written = folder.folder / "checkpoint.safetensors"
    written.write_bytes(written.read_bytes()[:-100] if damage is None else damage)
    assert folder.read() is None


def test_nothing_but_the_whole_checkpoint_is_left_behind(state: State, tmp_path: Path) -> None:
    folder = CheckpointFolder(tmp_path, "run")
    folder.write(state.snapshot())
    assert [path.name for path in folder.folder.iterdir()] == ["checkpoint.safetensors"]
    folder.remove()
    assert list(tmp_path.iterdir()) == []


class SlowFolder(CheckpointFolder):
    """Writes when it is let."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, "run")
        self.go = Event()

    def write(self, snapshot: Snapshot) -> None:
        self.go.wait()
        super().write(snapshot)


def test_training_moves_on_while_one_checkpoint_is_written(
    state: State, faces: dict[str, Faces], tmp_path: Path
) -> None:
    folder, step = SlowFolder(tmp_path), Step(faces, PRESET, 0)
    with CheckpointWriter(folder) as writer:
        step(state)
        first = state.snapshot()
        assert writer.offer(first)
        step(state)
        assert not writer.offer(state.snapshot()), "one at a time"
        assert folder.read() is None
        folder.go.set()
        while not writer.look():
            pass
        kept = folder.read()
        assert kept is not None
        assert_same(kept, first)
        assert writer.offer(state.snapshot())
        step(state)
        writer.finish(state.snapshot())
        last = folder.read()
        assert last is not None
        assert_same(last, state.snapshot())


def test_a_disk_s_fault_comes_with_the_system_s_number(state: State, tmp_path: Path) -> None:
    """A real one: the process may write no file larger than 1 kB."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, usual[1]))
    try:
        with pytest.raises(OSError) as told:  # noqa: PT011 - the number is looked at below
            save_tensors(state.snapshot().tensors, tmp_path / "weights.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, ignored)
    assert told.value.errno == errno.EFBIG


def test_fingerprints_see_every_change() -> None:
    facts = {"seed": 0, "settings": {"batch": 4}}
    assert fingerprint_of(facts) == fingerprint_of({"settings": {"batch": 4}, "seed": 0})
    assert fingerprint_of(facts) != fingerprint_of(facts | {"seed": 1})


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 40.0])
def test_the_guard_goes_back_to_the_last_good_state_and_slows_down(state: State, loss: float) -> None:
    state.progress.mean_loss = 1.0
    state.progress.iteration = 10
    guard = Guard(state, GuardSettings(jump=4.0, slow_down=0.5))
    good = state.snapshot()
    with torch.no_grad():
        next(state.network.parameters()).fill_(float("nan"))
    state.progress.iteration = 15

    assert guard.is_broken(state, loss)
    guard.go_back(state, loss)
    assert (state.progress.iteration, state.progress.rate, state.progress.setbacks) == (10, 0.5, 1)
    assert all(torch.equal(state.snapshot().tensors[name], tensor) for name, tensor in good.tensors.items())


def test_a_state_that_broke_in_an_intervals_last_step_is_not_kept(state: State) -> None:
    """Its losses were all taken before that."""
    guard = Guard(state, GuardSettings())
    assert not guard.is_broken(state, 1.0)
    with torch.no_grad():
        list(state.network.parameters())[-1].view(-1)[0] = float("nan")
    assert guard.is_broken(state, 1.0)


def test_the_guard_lets_usual_losses_pass_and_gives_up_in_the_end(state: State) -> None:
    state.progress.mean_loss = 1.0
    guard = Guard(state, GuardSettings(retries=2))
    assert not guard.is_broken(state, 3.9)
    guard.go_back(state, float("nan"))
    guard.go_back(state, float("nan"))
    with pytest.raises(Problem, match=r"learning_rate: training broke 3 times"):
        guard.go_back(state, float("nan"))


def test_a_cpu_computes_in_float32_whatever_the_preset_says(state: State, faces: dict[str, Faces]) -> None:
    half = PRESET.model_copy(update={"precision": "bfloat16"})
    other = State(["ada", "ben"], half, 0, torch.device("cpu"))
    for _ in range(2):
        Step(faces, PRESET, 0)(state)
        Step(faces, half, 0)(other)
    assert_same(other.snapshot(), state.snapshot())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="bfloat16 is for CUDA GPUs")
def test_bfloat16_trains_as_float32_does_but_for_rounding(faces: dict[str, Faces]) -> None:
    device = torch.device("cuda")
    there = {name: some.to(device) for name, some in faces.items()}
    ends = {}
    for precision in ("float32", "bfloat16"):
        preset = PRESET.model_copy(update={"precision": precision})
        state, step = State(["ada", "ben"], preset, 0, device), Step(there, preset, 0)
        ends[precision] = [float(sum(step(state).values())) for _ in range(20)][-1]
        assert next(state.network.parameters()).dtype == torch.float32
    assert ends["bfloat16"] == pytest.approx(ends["float32"], rel=0.05)


def test_side_outputs_are_trained_and_change_what_is_learnt(faces: dict[str, Faces]) -> None:
    learnt = {}
    for weight in (0.0, 0.5):
        network = PRESET.network.model_copy(update={"side_outputs": 2})
        preset = PRESET.model_copy(
            update={"network": network, "losses": PRESET.losses.model_copy(update={"sides": weight})}
        )
        state = State(["ada", "ben"], preset, 0, torch.device("cpu"))
        first = state.network.state_dict()["decoders.ada.sides.1.conv.bias"].clone()
        losses = Step(faces, preset, 0)(state)
        learnt[weight] = state.network.state_dict() | {"losses": torch.stack(list(losses.values()))}
        moved = not torch.equal(learnt[weight]["decoders.ada.sides.1.conv.bias"], first)
        assert moved == (weight > 0)
    assert not torch.equal(learnt[0.0]["decoders.ada.start"], learnt[0.5]["decoders.ada.start"])
    assert torch.equal(learnt[0.0]["losses"], learnt[0.5]["losses"]), "the curve tells of the whole picture alone"
