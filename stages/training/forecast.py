"""What a training will need, told before it starts: memory, disk, time."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from stages.problems import Problem
from stages.training.adversary import joining
from stages.training.back_translation import beginning
from stages.training.faces import Faces
from stages.training.guard import SNAPSHOTS
from stages.training.memory import PeakMemory, free_memory
from stages.training.networks.network import SharedEncoder
from stages.training.processes import ALONE, Processes
from stages.training.settings import PresetSettings
from stages.training.state import State
from stages.training.step import Step
from stages.training.timing import mean_seconds

log = logging.getLogger(__name__)

_TRIAL_STEPS = 4
_CHECKPOINTS = 2
"""On the disk at once: the last one stays until the next is whole."""
_BYTES_PER_WEIGHT = 4 + 2
"""Networks are exported in float32 and in float16."""


@dataclass(frozen=True)
class Trial:
    """What a few iterations took.

    Attributes:
        seconds: for one at the start.
        memory: bytes beyond weights and faces at the peak.
        more: seconds that each part which joins later adds, by its name in the preset.
    """

    seconds: float
    memory: int
    more: Mapping[str, float] = field(default_factory=dict)

    def seconds_of(self, first: int, last: int, preset: PresetSettings) -> float:
        """Of the iterations from ``first`` until before ``last``, of a run of the preset's iterations."""
        joins = _later_parts(preset)
        more = sum(self.more[name] * (last - min(max(joins[name], first), last)) for name in self.more if name in joins)
        return (last - first) * self.seconds + more


def try_out(
    state: State,
    faces: Mapping[str, Faces],
    preset: PresetSettings,
    seed: int,
    *,
    steps: int = _TRIAL_STEPS,
    processes: Processes = ALONE,
) -> Trial:
    """Time a few iterations, with each part that joins later too, and undo them."""
    before = state.snapshot()
    device = next(state.network.parameters()).device
    step = Step(faces, preset, seed, processes)
    more: dict[str, float] = {}
    try:
        with PeakMemory(device) as peak:
            seconds = mean_seconds(partial(step, state), device, steps)
            # in the order of joining: each is timed with those that joined before
            for name, joins in sorted(_later_parts(preset).items(), key=lambda part: part[1]):
                state.progress.iteration = joins
                both = mean_seconds(partial(step, state), device, steps)
                more[name] = max(both - seconds - sum(more.values()), 0.0)
    finally:
        state.optimiser.zero_grad(set_to_none=True)
        if state.critic is not None:
            state.critic_optimiser.zero_grad(set_to_none=True)
        state.restore(before)
    return Trial(seconds, peak.grown, more)


def _later_parts(preset: PresetSettings) -> dict[str, int]:
    """The parts of a preset that join after the start, and the iteration at which each does."""
    parts = {}
    if preset.back_translation.share:
        parts["back_translation"] = beginning(preset.iterations, preset.back_translation)
    if preset.adversary.weight:
        parts["adversary"] = joining(preset.iterations, preset.adversary)
    return {name: joins for name, joins in parts.items() if joins < preset.iterations}


def tell_needs(
    state: State, faces: Mapping[str, Faces], preset: PresetSettings, trial: Trial, *, done: int = 0, mapped: int = 0
) -> None:
    """Log parameters, memory, disk and time; warn if the memory that is free is less.

    A disk that is too small ends the run before, see :func:`require_disk`.

    Args:
        state: before it goes on from a checkpoint, or after.
        faces: to train on.
        preset: with batch and iterations settled.
        trial: with that batch.
        done: iterations that the checkpoint has behind it.
        mapped: bytes of the files that faces are mapped from, held-out ones too.
    """
    device = next(state.network.parameters()).device
    held = sum(some.planes.numel() for some in faces.values())
    left = preset.iterations - done
    seconds = trial.seconds_of(done, preset.iterations, preset)
    kept, free = snapshot_bytes(state), free_memory(device)
    log.info(
        "%.1f M parameters, %d MB of state, %d MB of faces (%s), %d MB for a batch of %s and %d MB for copies of the "
        "state, of %d MB that are free",
        sum(parameter.numel() for parameter in state.network.parameters()) / 1e6,
        state.size_in_bytes() >> 20,
        held >> 20,
        ", ".join(f"{name} {len(some)}" for name, some in faces.items()),
        trial.memory >> 20,
        preset.batch,
        kept >> 20,
        free >> 20,
    )
    if trial.memory + kept > free:
        log.warning(
            "training needs about %d MB of memory more than are free: lower batch, stored_size or network.output_size",
            (trial.memory + kept - free + (1 << 20) - 1) >> 20,
        )
    log.info(
        "%d MB of disk; %d iterations of about %.2f s: about %.1f min",
        (checkpoint_bytes(state) + result_bytes(state) + mapped) >> 20,
        left,
        seconds / max(left, 1),
        seconds / 60,
    )


def snapshot_bytes(state: State) -> int:
    """The most memory that the guard's copies of the state take, where the state is: what is being written lies in the
    machine's memory, also of a GPU's state."""
    copies = SNAPSHOTS if next(state.network.parameters()).device.type == "cpu" else SNAPSHOTS - 1
    return copies * state.size_in_bytes()


def checkpoint_bytes(state: State) -> int:
    """The most that checkpoints take on the disk."""
    return _CHECKPOINTS * state.size_in_bytes()


def result_bytes(state: State) -> int:
    """About what the swap model takes: all weights, and for each identity a network in two precisions."""
    network = state.network
    every = sum(parameter.numel() for parameter in network.parameters())
    if isinstance(network, SharedEncoder):
        encoder = sum(parameter.numel() for parameter in network.encoder.parameters())
        networks = every + (len(network.decoders) - 1) * encoder
    else:
        networks = 2 * every  # one decoder for all: each network of a pair is nearly the whole
    return 4 * every + _BYTES_PER_WEIGHT * networks


def require_disk(needed: Mapping[Path, int]) -> None:
    """Check that folders, there already or not, can take so many bytes; those on one disk together.

    Raises:
        Problem: a disk has not enough left.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needed.items():
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        disk = there.stat().st_dev
        first, sum_so_far = disks.get(disk, (there, 0))
        disks[disk] = (first, sum_so_far + size)
    for folder, size in disks.values():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise Problem(
                f"training will write about {size >> 20} MB, {free >> 20} MB are free",
                where=folder,
                mend="free some space (`dvc gc -w` drops cached results that no settings use any more), run again",
            )
