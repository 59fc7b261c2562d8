"""What a training will need, told before it starts."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

import torch

from stages.training.faces import Faces
from stages.training.settings import PresetSettings
from stages.training.state import State
from stages.training.step import Step

log = logging.getLogger(__name__)

_TRIAL_STEPS = 4


def tell_needs(state: State, faces: Mapping[str, Faces], preset: PresetSettings, seed: int) -> None:
    """Log parameters, memory and time, from a few steps that are then undone."""
    before = state.snapshot()
    step = Step(faces, preset, seed)
    step(state)  # the first one also picks kernels
    _finish(state)
    started = time.perf_counter()
    for _ in range(_TRIAL_STEPS):
        step(state)
    _finish(state)
    seconds = (time.perf_counter() - started) / _TRIAL_STEPS
    state.restore(before)
    parameters = sum(parameter.numel() for parameter in state.network.parameters())
    kept = sum(tensor.numel() * tensor.element_size() for tensor in before.tensors.values())
    held = sum(some.planes.numel() for some in faces.values())
    log.info(
        "%.1f M parameters, %d MB of state, %d MB of faces (%s), %d iterations of about %.2f s: about %.1f min",
        parameters / 1e6,
        kept >> 20,
        held >> 20,
        ", ".join(f"{name} {len(some)}" for name, some in faces.items()),
        preset.iterations - state.progress.iteration,
        seconds,
        (preset.iterations - state.progress.iteration) * seconds / 60,
    )


def _finish(state: State) -> None:
    """Wait for the device, so that a clock tells the truth."""
    if next(state.network.parameters()).is_cuda:
        torch.cuda.synchronize()
