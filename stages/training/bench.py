"""``python -m stages.training.bench``: how quick training is, side by side with the yardstick, in one run.

Each row is measured in a process of its own. After a few steps to warm up, whole steps and then batches alone are
timed, each until the seconds are over.

- *images*: crops of all identities together.
- *data*: the time that making a batch takes, as a share of the step's. Neither loop makes batches ahead, so this is
  what the network waits.
- *GFLOP/s*: multiplications and additions of one step's matrix products and convolutions, forwards and backwards, as
  torch's ``FlopCounterMode`` counts them, divided by the step's time.
- *of matmul*: that, over the rate which a large square matrix product reaches on the same device just before (float32
  on a CPU, bfloat16 on a GPU).
- *memory*: the process's peak on a CPU (torch itself is some 300 MB of it), torch's peak allocation on a GPU.

The yardstick's row is :mod:`stages.training.plain`: the classic of 64 pixels in eager float32, which lowers 1 - SSIM
and the mean squared error. The row ``original`` is the same network with a mask's branch in our trainer, by the preset
of that name: 1 - SSIM and L1, as the trainer knows no squared error.
"""

from __future__ import annotations

import logging
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from stages.consent import require_pair_consent
from stages.problems import Problem
from stages.program import tell
from stages.settings import Params, load_params
from stages.training.back_translation import beginning
from stages.training.chart import PLACES
from stages.training.compiling import compiled
from stages.training.faces import PLANES, Faces, read_faces
from stages.training.networks import Network
from stages.training.plain import PlainTraining
from stages.training.settings import PresetSettings
from stages.training.stage import prepare
from stages.training.state import State
from stages.training.step import Step
from stages.training.timing import mean_seconds_within
from stages.workers import workers

ROWS: Final = ("plain", "original", "default", "default-64", "default-free")
"""The classic in plain torch; the classic through our trainer; the chosen preset; the same at the classic's 64; the
same as the preset without ``training.deterministic``, which is something else on a GPU only."""

_OPEN_BATCH = 8
"""Crops of each identity where a preset leaves the batch open: rows are to be compared, not fitted to the memory."""

_MADE_UP = 64
"""Faces of each identity if there are no face sets."""


@dataclass(frozen=True)
class Speed:
    """What a row's process found; times in seconds, rates in operations a second, memory in bytes."""

    name: str
    size: int
    images: int
    parameters: int
    step: float
    batch: float
    flops: float
    matmul: float
    memory: int


def compare(
    params: Params, pair: str | None, rows: tuple[str, ...], seconds: float, on_row: Callable[[Speed], None]
) -> None:
    """Measure the rows one after the other, each in a fresh process.

    Args:
        params: ``training`` says device, threads and the default preset.
        pair: whose face sets to train on; made-up crops if None or if there are none.
        rows: of :data:`ROWS`.
        seconds: a row's time for steps, and again for batches.
        on_row: called with each row's figures.

    Raises:
        Problem: there is no such row; the device is not there; a face set is damaged or too small.
    """
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        raise Problem(f"there is no row '{unknown[0]}'", where="--rows", mend=f"choose of {', '.join(ROWS)}")
    for row in rows:
        with workers(1) as process:
            on_row(process.submit(measure, row, params, pair, seconds).result())


def measure(row: str, params: Params, pair: str | None, seconds: float) -> Speed:
    """One row's figures, measured in this process. Arguments and errors as :func:`compare`."""
    update = {"deterministic": row != "default-free"}
    device = prepare(params.training.model_copy(update=update))
    preset = preset_of(row, params)
    batch = _OPEN_BATCH if preset.batch == "auto" else preset.batch
    preset = preset.model_copy(update={"batch": batch})
    faces = faces_of(params, pair, preset.stored_size)
    state: State | None = None
    network: Network
    steps: Callable[[], object]
    batches: Callable[[], object]
    if row == "plain":
        # as torch comes, whatever prepare has set
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = False
        pictures = {name: some.planes[:, :3].permute(0, 2, 3, 1).contiguous().numpy() for name, some in faces.items()}
        plain = PlainTraining(pictures, preset.network, batch, device)
        network, steps, batches = plain.network, plain.step, plain.batches
    else:
        state = State(list(faces), preset, params.training.seed, device)
        if preset.back_translation.share:  # an iteration as most are
            state.progress.iteration = beginning(preset.iterations, preset.back_translation)
        step = Step({name: some.to(device) for name, some in faces.items()}, preset, params.training.seed)
        network = state.network
        steps, batches = partial(step, state), partial(step.batches, 0, 0)
    matmul = matmul_rate(device, seconds)
    with FlopCounterMode(display=False) as counter:
        steps()
    if state is not None and params.training.compile:
        state.forward = compiled(state.forward)  # only now: of compiled passes the counter would see a part
    step_seconds = mean_seconds_within(steps, device, seconds)
    batch_seconds = mean_seconds_within(batches, device, seconds)
    return Speed(
        name=row,
        size=preset.network.output_size,
        images=batch * len(faces),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        step=step_seconds,
        batch=batch_seconds,
        flops=counter.get_total_flops() / step_seconds,
        matmul=matmul,
        memory=_peak_memory(device),
    )


def preset_of(row: str, params: Params) -> PresetSettings:
    """How a row trains.

    Raises:
        Problem: the settings have no preset ``original``, or the default's network does not fit 64 pixels.
    """
    training = params.training
    if row in ("plain", "original"):
        if "original" not in training.presets:
            raise Problem("there is no preset 'original'", where="params.yaml, training.presets", mend="put it back")
        return training.presets["original"]
    if row in ("default", "default-free"):
        return training.chosen
    raw = training.chosen.model_dump()
    raw["network"] |= {"input_size": 64, "output_size": 64}
    return PresetSettings.model_validate(raw | {"stored_size": 128, "base": None})  # the base is of one size


def faces_of(params: Params, pair: str | None, size: int) -> Mapping[str, Faces]:
    """The training faces of a pair and its companions; smooth random pictures if it has no face sets."""
    identities = ("a", "b") if pair is None else params.cast_of(pair)
    folders = {identity: Path("data/dataset") / identity for identity in identities}
    if pair is not None and all(folder.is_dir() for folder in folders.values()):
        require_pair_consent(pair, params)
        return {identity: read_faces(folder, size).train for identity, folder in folders.items()}
    chance = np.random.default_rng(0)
    pose, expression = np.zeros((_MADE_UP, 2), np.float32), np.zeros((_MADE_UP, 3), np.float32)
    made_up = {}
    for identity in identities:
        coarse = chance.integers(256, size=(_MADE_UP, PLANES, 8, 8), dtype=np.uint8)
        planes = [[cv2.resize(plane, (size, size), interpolation=cv2.INTER_CUBIC) for plane in one] for one in coarse]
        places = torch.from_numpy(chance.random((_MADE_UP, PLACES, 2), dtype=np.float32))
        made_up[identity] = Faces(torch.from_numpy(np.array(planes)), places, pose, expression)
    return made_up


def matmul_rate(device: torch.device, seconds: float) -> float:
    """Operations a second of the product of two square matrices: the bound that a step is held against."""
    side, dtype = (8192, torch.bfloat16) if device.type == "cuda" else (2048, torch.float32)
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / mean_seconds_within(lambda: one @ other, device, seconds)


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


HEAD: Final = (
    "| row | size | parameters | steps/s | images/s | data | GFLOP/s | of matmul | memory |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def line(speed: Speed) -> str:
    """A row of the table."""
    cells = [
        speed.name,
        f"{speed.size}",
        f"{speed.parameters / 1e6:.1f} M",
        f"{1 / speed.step:.2f}",
        f"{speed.images / speed.step:.1f}",
        f"{min(speed.batch / speed.step, 1):.1%}",
        f"{speed.flops / 1e9:.1f}",
        f"{speed.flops / speed.matmul:.0%}",
        f"{speed.memory / 2**20:.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


def command(
    rows: Annotated[
        str | None, typer.Option(help=f"which rows, of {','.join(ROWS)}; the last is left out on a CPU")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="time for the steps of a row, and again for batches")] = 5.0,
    pair: Annotated[str | None, typer.Option(help="whose face sets; the first pair's if left out")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; as in params.yaml if left out")] = None,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print steps and images a second, memory and use of the device, beside the yardstick's."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        settings = load_params(params)
        if device is not None:
            training = type(settings.training).model_validate(settings.training.model_dump() | {"device": device})
            settings = settings.model_copy(update={"training": training})
        print(HEAD)
        chosen = pair or next(iter(settings.pairs), None)
        of_device = ROWS if settings.training.device == "cuda" else ROWS[:-1]
        wanted = of_device if rows is None else tuple(rows.split(","))
        compare(settings, chosen, wanted, seconds, lambda speed: print(line(speed), flush=True))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app(prog_name="python -m stages.training.bench")
