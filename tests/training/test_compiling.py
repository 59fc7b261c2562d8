"""Compiled passes give what eager ones give, the same each time, and leave no mark on what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch._inductor import config
from torch._inductor.utils import fresh_cache

from stages.problems import Problem
from stages.training.compiling import require_compiler
from stages.training.faces import Faces, read_faces
from stages.training.processes import Processes
from stages.training.settings import TrainingSettings
from stages.training.state import State
from stages.training.step import Step
from tests.training.faces import smoke_preset, smoke_settings

CPU = torch.device("cpu")
PRESET = smoke_preset(
    network={
        "input_size": 32,
        "output_size": 32,
        "encoder_channels": [8],
        "latent": 8,
        "decoder_channels": [8],
        "texture": 1,
        "texture_size": 16,
    },
    stored_size=32,
)
"""Few layers: each is some seconds of a compiler's time."""
STEPS = 4


@pytest.fixture(scope="module", autouse=True)
def _compiler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is compiled here is kept for these tests only."""
    with fresh_cache(dir=str(tmp_path_factory.mktemp("compiled"))):
        try:
            require_compiler(CPU)
        except Problem as problem:
            pytest.skip(problem.what)
        yield


@pytest.fixture(scope="module")
def faces(face_sets: dict[str, Path]) -> dict[str, Faces]:
    return {"ada": read_faces(face_sets["ada"], PRESET.stored_size).train}


def trained(faces: dict[str, Faces], compile: bool) -> tuple[State, list[list[float]]]:
    """A state after some steps, and the losses of each."""
    torch._dynamo.reset()
    state, step = State(list(faces), PRESET, 0, CPU, compile=compile), Step(faces, PRESET, 0)
    return state, [[float(loss) for loss in step(state).values()] for _ in range(STEPS)]


def test_compiled_passes_learn_what_eager_ones_do_and_the_same_each_time(faces: dict[str, Faces]) -> None:
    eager, losses = trained(faces, compile=False)
    once, found = trained(faces, compile=True)
    again, repeated = trained(faces, compile=True)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(losses), rtol=1e-3, atol=1e-4)
    assert found == repeated
    one, other = once.snapshot().tensors, again.snapshot().tensors
    assert one.keys() == eager.snapshot().tensors.keys(), "no name says that it was compiled"
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_where_nothing_can_be_compiled_it_is_told() -> None:
    torch._dynamo.reset()
    with (
        config.patch({"force_disable_caches": True, "cpp.cxx": ("no-such-compiler",)}),
        pytest.raises(Problem, match=r"training\.compile: torch can not compile here .*\n  mend: install"),
    ):
        require_compiler(CPU)


def test_what_can_not_be_compiled_is_refused() -> None:
    with pytest.raises(ValueError, match="compile needs the batch of preset 'smoke' in numbers"):
        TrainingSettings(preset="smoke", compile=True, presets={"smoke": smoke_preset(batch="auto")})
    with pytest.raises(Problem, match="compiled in one process only"):
        Processes(0, 2).require_shares(smoke_settings().model_copy(update={"compile": True}))
