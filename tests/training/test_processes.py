"""Two processes that share every batch train as one does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from stages.artifacts.swap_model import SwapModel
from stages.problems import Problem
from stages.training.augment import Batch
from stages.training.faces import read_faces
from stages.training.processes import ALONE, Processes
from stages.training.stage import Task, train_pair
from stages.training.state import State
from stages.training.step import Step
from tests.conftest import REPOSITORY
from tests.training.faces import smoke_preset, smoke_settings

CONSENT = {"ada": "ada-1", "ben": "ben-1"}
RUN = """
import json
import sys
from pathlib import Path
from stages.training.stage import Task, train_pair
from tests.training.faces import smoke_settings
from tests.training.faults import DieAfter

root, ada, ben = map(Path, sys.argv[1:4])
if len(sys.argv) > 4:
    DieAfter(int(sys.argv[4]))()
changes = json.loads((root / "changes.json").read_text()) if (root / "changes.json").is_file() else {}
settings = smoke_settings(**changes).model_copy(update={"checkpoint_seconds": 0.0})
consent = {"ada": "ada-1", "ben": "ben-1"}
train_pair(Task("ada-ben", {"ada": ada, "ben": ben}, consent, settings, root / "model", root / "scratch"))
"""


def start_together(
    root: Path, face_sets: dict[str, Path], killed_after: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Train in two processes, on gloo; the one that writes may be killed after a checkpoint of some iteration."""
    script = root / "run.py"
    script.write_text(RUN)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    command += [str(root), str(face_sets["ada"]), str(face_sets["ben"])]
    command += [] if killed_after is None else [str(killed_after)]
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)


def start_nodes(roots: tuple[Path, Path], face_sets: dict[str, Path]) -> list[subprocess.CompletedProcess[str]]:
    """Train in two processes, each of which a torchrun of its own starts as on a machine of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    nodes = []
    for number, root in enumerate(roots):
        script = root / "run.py"
        script.write_text(RUN)
        command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", str(number)]
        command += ["--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port", str(port), str(script)]
        command += [str(root), str(face_sets["ada"]), str(face_sets["ben"])]
        nodes.append(
            subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    told = [node.communicate() for node in nodes]
    return [
        subprocess.CompletedProcess(node.args, node.returncode, *said) for node, said in zip(nodes, told, strict=True)
    ]


def together(root: Path, face_sets: dict[str, Path]) -> Path:
    """Train to the end; the swap model's folder."""
    done = start_together(root, face_sets)
    assert done.returncode == 0, done.stderr
    assert list((root / "scratch").iterdir()) == []
    return root / "model"


@pytest.fixture(scope="module")
def two(face_sets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The swap model that two processes trained without a break."""
    return together(tmp_path_factory.mktemp("two"), face_sets)


def test_two_processes_give_the_losses_and_weights_of_one(
    two: Path, face_sets: dict[str, Path], tmp_path: Path
) -> None:
    train_pair(Task("ada-ben", face_sets, CONSENT, smoke_settings(), tmp_path / "one", tmp_path / "scratch"))
    curves = [pd.read_csv(folder / "curves.csv") for folder in (two, tmp_path / "one")]
    assert len(curves[0]) == 4
    assert {"train_ada", "train_ben", "held_out_ada"} <= set(curves[0].columns)
    pd.testing.assert_frame_equal(*curves, rtol=1e-3)
    one_weights = load_file(tmp_path / "one/model.safetensors")
    two_weights = load_file(two / "model.safetensors")
    for name, tensor in one_weights.items():
        # AdamW divides by the gradient's size, so a last digit counts for more than itself where gradients are small
        np.testing.assert_allclose(two_weights[name].numpy(), tensor.numpy(), atol=2e-3, err_msg=name)
    assert (SwapModel.read(two).facts["processes"], SwapModel.read(tmp_path / "one").facts["processes"]) == (2, 1)


AS_THE_DEMO = {
    "network": smoke_preset().network.model_dump(mode="json") | {"texture": 4, "texture_size": 24},
    "back_translation": {"share": 0.25, "start": 0.3},
    "augmentation": {"rotation": 0.0, "zoom": 0.0, "shift": 0.0},
}
"""What the preset demo has beside its base. Of a batch of four a quarter is the last crop, so only the second process
has one that is drawn as the other of the pair."""


def test_two_processes_train_a_texture_and_on_swaps_as_one_does(face_sets: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "changes.json").write_text(json.dumps(AS_THE_DEMO))
    two = together(tmp_path, face_sets)
    settings = smoke_settings(**AS_THE_DEMO)
    train_pair(Task("ada-ben", face_sets, CONSENT, settings, tmp_path / "one", tmp_path / "alone"))
    curves = [pd.read_csv(folder / "curves.csv") for folder in (two, tmp_path / "one")]
    pd.testing.assert_frame_equal(*curves, rtol=1e-3)
    of_two, of_one = (load_file(folder / "model.safetensors") for folder in (two, tmp_path / "one"))
    assert any(".surface." in name for name in of_one)
    for name, tensor in of_one.items():
        np.testing.assert_allclose(of_two[name].numpy(), tensor.numpy(), atol=5e-3, err_msg=name)


def test_two_processes_of_which_one_was_killed_end_in_the_same_bytes(
    two: Path, face_sets: dict[str, Path], tmp_path: Path
) -> None:
    assert "SIGKILL" in start_together(tmp_path, face_sets, killed_after=10).stderr
    assert list(tmp_path.glob("scratch/*/checkpoint.safetensors"))
    assert not (tmp_path / "model").exists()
    resumed = together(tmp_path, face_sets)
    assert {path.name for path in resumed.iterdir()} == {path.name for path in two.iterdir()}
    assert [path.name for path in two.iterdir() if path.read_bytes() != (resumed / path.name).read_bytes()] == []


def test_two_machines_that_share_a_folder_end_in_the_same_bytes(
    two: Path, face_sets: dict[str, Path], tmp_path: Path
) -> None:
    ended = start_nodes((tmp_path, tmp_path), face_sets)
    assert [node.returncode for node in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    assert [
        path.name for path in two.iterdir() if path.read_bytes() != (tmp_path / "model" / path.name).read_bytes()
    ] == []


def test_machines_that_do_not_see_the_same_checkpoint_are_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    roots = tmp_path / "one", tmp_path / "other"
    for root in roots:
        root.mkdir()
    assert "SIGKILL" in start_together(roots[0], face_sets, killed_after=10).stderr
    ended = start_nodes(roots, face_sets)
    assert all(node.returncode != 0 for node in ended)
    assert "this process would go on from iteration 0, the first one from" in ended[1].stderr
    assert "let all machines share one working tree" in ended[1].stderr
    assert not any((root / "model").exists() for root in roots)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_shares_make_up_the_batch(count: int) -> None:
    pictures = (torch.rand(8, channels, 4, 4) for channels in (3, 3, 1, 1, 1))
    whole = Batch(*pictures, torch.rand(8, 5, 2), torch.rand(8) > 0.5)
    shares = [Processes(rank, count).share(whole) for rank in range(count)]
    for plane, parts in zip(whole, zip(*shares, strict=True), strict=True):
        assert torch.equal(torch.cat(parts), plane)


def test_an_iteration_sees_its_share_only(face_sets: dict[str, Path]) -> None:
    preset = smoke_preset()
    faces = {name: read_faces(folder, preset.stored_size).train for name, folder in face_sets.items()}

    def losses(processes: Processes) -> dict[str, float]:
        state = State(list(faces), preset, 0, torch.device("cpu"))
        return {name: float(loss) for name, loss in Step(faces, preset, 0, processes)(state).items()}

    whole, first, second = losses(ALONE), losses(Processes(0, 2)), losses(Processes(1, 2))
    for name, loss in whole.items():
        assert first[name] != second[name]
        assert (first[name] + second[name]) / 2 == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("batch", [3, "auto"])
def test_a_batch_that_can_not_be_shared_is_told(batch: object) -> None:
    settings = smoke_settings(batch=batch)
    ALONE.require_shares(settings)
    with pytest.raises(Problem, match=r"presets\.smoke: batch: 2 processes can not share .*\n.*multiple of 2"):
        Processes(0, 2).require_shares(settings)


def test_a_critic_of_several_processes_is_told() -> None:
    settings = smoke_settings(adversary={"weight": 0.1})
    ALONE.require_shares(settings)
    with pytest.raises(Problem, match=r"presets\.smoke: adversary\.weight: the critic .*\n.*train in one process"):
        Processes(0, 2).require_shares(settings)


@pytest.mark.parametrize(
    ("left_out", "head"), [(("mask",), "mask"), (("l1", "ssim", "gradient"), "colour")], ids=["mask", "colour"]
)
def test_a_head_without_a_term_in_several_processes_is_told(left_out: tuple[str, ...], head: str) -> None:
    """Their gradients are averaged weight by weight: torch fails where one has none."""
    settings = smoke_settings(losses=dict.fromkeys(left_out, 0.0))
    ALONE.require_shares(settings)
    with pytest.raises(Problem, match=rf"presets\.smoke: losses: .* the {head} out\n.*train in one process"):
        Processes(0, 2).require_shares(settings)
