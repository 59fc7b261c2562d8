"""``python -m stages.training.ablation``: what each part of the recipe is worth, in equal wall time on the same data.

A row is the chosen preset with something changed, or another family of networks. Its rate is measured first, and its
iterations are then set so that its learning rate has come down when the time is over; or all get the same iterations.
Each is trained with several seeds and judged on held-out faces and on swaps whose truth is known
(:mod:`stages.training.exam`). What was measured lies under ``.scratch/ablation``, one JSON file per row and seed, keyed
by all it depends on: stopped and started again, the command goes on.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch
import typer

from stages.artifacts.base import Base
from stages.artifacts.face_set import data_hashes
from stages.artifacts.truth import Truth
from stages.atomic import whole_file
from stages.consent import require_pair_consent
from stages.problems import Problem
from stages.program import tell
from stages.settings import Params, load_params, parse
from stages.training.checkpoint import fingerprint_of
from stages.training.exam import Exam, marks, reconstruction, swap_with_truth
from stages.training.faces import Faces, read_faces
from stages.training.forecast import try_out
from stages.training.provenance import code_hash, packs_hash, versions
from stages.training.settings import PresetSettings
from stages.training.stage import prepare
from stages.training.state import State
from stages.training.step import Step
from stages.training.timing import finish

log = logging.getLogger(__name__)

SCRATCH: Final = Path(".scratch/ablation")
QUESTIONS: Final = 32
"""Held-out faces of each identity, and frames of each swap."""

_TRIED: Final = 12
"""Iterations that a row's rate is measured by."""

_STEADY = {"optimiser": {"learning_rate": 5e-4}}
"""Networks without a normalised code break at our own's rate."""

_KERNELS = {"optimiser": {"learning_rate": 2e-3}}
"""Kernels that learn do not bear the rate at which gains learn."""


def _residual(family: str, decoder_channels: tuple[int, ...]) -> Mapping[str, Any]:
    """A family of residual decoders, half as wide as in its preset: that is for a GPU. It has no part of our own's."""
    return {
        "network": {
            "family": family,
            "encoder_channels": (32, 64, 128, 256),
            "latent": 128,
            "decoder_channels": decoder_channels,
            "mask_channels": 11,
            "texture": 0,
            "side_outputs": 0,
        },
        "back_translation": {"share": 0.0},
        **_STEADY,
    }


ROWS: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {},
    "original": {},
    "original-our-recipe": {"back_translation": {"share": 0.0}, **_STEADY},
    "df": _residual("df", (128, 256, 128, 64)),
    "liae": _residual("liae", (256, 256, 128, 64)),
    "side-outputs": {"network": {"side_outputs": 2}},
    "kernels-learn": {"base": {"decoder_rate": 1.0}, **_KERNELS},
    "no-base": {"base": {}, **_KERNELS},
    "no-texture": {"network": {"texture": 0}},
    "no-back-translation": {"back_translation": {"share": 0.0}},
    "encoder-stays": {"base": {"encoder_rate": 0.0}},
    "no-averaging": {"optimiser": {"average": 0.0}},
    "no-ssim": {"losses": {"ssim": 0.0}},
    "no-gradient": {"losses": {"gradient": 0.0}},
    "identity": {"losses": {"identity": 0.2}},
    "no-eyes-and-mouth": {"losses": {"eyes": 0.0, "mouth": 0.0}},
    "no-surroundings": {"augmentation": {"surroundings": 0.0}},
    "no-light": {"augmentation": {"light": 0.0, "brightness": 0.0, "balance": 0.0, "gamma": 0.0, "saturation": 0.0}},
    "no-warp": {"augmentation": {"warp": 0.0}},
    "no-flip": {"augmentation": {"flip": 0.0}},
    "rare-poses": {"pose_balance": 0.5},
    "rare-expressions": {"expression_balance": 0.5},
    "moves": {"augmentation": {"rotation": 4.0, "zoom": 0.03, "shift": 0.015}},
}
"""What each row changes, a setting or some of a section; an empty change takes the section out. ``original`` is the
preset of that name, which lowers 1 - SSIM and L1 where the classic's own recipe has a squared error; the others start
from the chosen one, but ``original-our-recipe`` takes the network and the stored size of ``original``."""


@dataclass(frozen=True)
class Result:
    """A row with one seed: PSNR in dB and SSIM inside the face, means over both identities or swaps; None if no swap
    has a known truth."""

    row: str
    seed: int
    parameters: int
    iterations: int
    seconds: float
    held_out_psnr: float
    held_out_ssim: float
    swap_psnr: float | None
    swap_ssim: float | None


@dataclass(frozen=True)
class Questions:
    """All exams of a pair, by what they ask."""

    held_out: Sequence[Exam]
    swaps: Sequence[Exam]


def preset_of(row: str, params: Params) -> PresetSettings:
    """How a row trains, but for its iterations.

    Raises:
        Problem: there is no such row, or no preset ``original`` for it.
    """
    training = params.training
    if row not in ROWS:
        raise Problem(f"there is no row '{row}'", where="--rows", mend=f"choose of {', '.join(ROWS)}")
    if row.startswith("original") and "original" not in training.presets:
        raise Problem("there is no preset 'original'", where="params.yaml, training.presets", mend="put it back")
    raw: dict[str, Any] = training.chosen.model_dump()
    if row == "original":
        raw = training.presets["original"].model_dump()
    elif row == "original-our-recipe":
        classic = training.presets["original"].model_dump()
        raw |= {"network": classic["network"], "stored_size": classic["stored_size"], "base": None}
    if "family" in ROWS[row].get("network", {}):
        raw["base"] = None  # which is of our own family
    for name, changes in ROWS[row].items():
        if isinstance(changes, Mapping):
            raw[name] = {**(raw[name] or {}), **changes} if changes else None
        else:
            raw[name] = changes
    return parse(PresetSettings, raw, where=f"--rows {row}", described="docs/settings.md")


def questions_of(params: Params, pair: str, data: Path = Path("data")) -> Questions:
    """Exams on a pair's held-out faces and on its swaps with a known truth, at the chosen preset's size.

    Raises:
        Problem: there is no such pair; an artifact is missing or damaged.
    """
    size = params.training.chosen.network.output_size
    both = params.pair(pair)
    held_out, swaps, crop_size = [], [], 0
    for identity in (both.a, both.b):
        folder = data / "dataset" / identity
        crop_size = read_faces(folder, size).crop_size
        held_out.append(reconstruction(identity, read_faces(folder, crop_size).held_out, size, QUESTIONS))
    for swap in params.swaps.values():
        truth = Truth.read(data / "truth" / swap.truth) if swap.pair == pair else None
        if truth is not None:
            swaps.append(swap_with_truth(swap, truth, crop_size, size, QUESTIONS, data))
    return Questions(held_out, swaps)


@dataclass(frozen=True)
class Length:
    """How long each row trains: for the same wall time, or for the same iterations.

    Attributes:
        seconds: of wall time.
        iterations: in place of it. Where others work on the machine too, they are the same nevertheless.
    """

    seconds: float
    iterations: int | None = None


def measure(
    row: str, seed: int, length: Length, folders: Mapping[str, Path], questions: Questions, params: Params
) -> Result:
    """Train a row for about the given length, and judge it. Arguments and errors as :func:`ablate`."""
    device = prepare(params.training)
    preset = preset_of(row, params)
    faces = {name: read_faces(folder, preset.stored_size).train.to(device) for name, folder in folders.items()}
    iterations = length.iterations
    if iterations is None:
        iterations = max(1, round(length.seconds * _rate(faces, preset, device, compile=params.training.compile)))
    preset = preset.model_copy(update={"iterations": iterations})
    state = State(list(faces), preset, seed, device, compile=params.training.compile)
    step = Step(faces, preset, seed)
    started = time.perf_counter()
    for _ in range(preset.iterations):
        step(state)
    finish(device)
    spent = time.perf_counter() - started
    held_out = np.mean([marks(state.average, exam, preset) for exam in questions.held_out], axis=0)
    swaps = [marks(state.average, exam, preset) for exam in questions.swaps]
    swap_psnr, swap_ssim = (float(each) for each in np.mean(swaps, axis=0)) if swaps else (None, None)
    return Result(
        row=row,
        seed=seed,
        parameters=sum(parameter.numel() for parameter in state.network.parameters()),
        iterations=preset.iterations,
        seconds=spent,
        held_out_psnr=float(held_out[0]),
        held_out_ssim=float(held_out[1]),
        swap_psnr=swap_psnr,
        swap_ssim=swap_ssim,
    )


def ablate(
    rows: Sequence[str],
    seeds: int,
    length: Length,
    folders: Mapping[str, Path],
    questions: Questions,
    params: Params,
    scratch: Path = SCRATCH,
) -> list[Result]:
    """All rows with all seeds; those that were measured before are read.

    Args:
        rows: of :data:`ROWS`.
        seeds: how many.
        length: of each training.
        folders: of each identity's face sets.
        questions: to judge by.
        params: the settings.
        scratch: where results are kept.

    Raises:
        Problem: there is no such row; a face set is missing or too small; the device is not there.
    """
    chosen = {row: preset_of(row, params) for row in rows}
    presets = {row: [preset.model_dump(mode="json"), _base_of(preset)] for row, preset in chosen.items()}
    same = {
        "length": asdict(length),
        "data": {name: data_hashes(folder) for name, folder in folders.items()},
        "device": [
            params.training.device,
            params.training.threads,
            params.training.compile,
            params.training.deterministic,
        ],
        "code": [code_hash(), packs_hash()],
        "versions": versions(),
    }
    results = []
    for seed in range(seeds):  # a seed of every row first: a broken-off run can be read as well
        for row in rows:
            kept = scratch / f"{row}-{seed}-{fingerprint_of(presets[row], same)}.json"
            if not kept.is_file():
                result = measure(row, seed, length, folders, questions, params)
                kept.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(kept) as unfinished:
                    unfinished.write_text(json.dumps(asdict(result)), encoding="utf-8")
                log.info("%s, seed %d: %s", row, seed, result)
            results.append(Result(**json.loads(kept.read_text(encoding="utf-8"))))
    return results


def _base_of(preset: PresetSettings) -> str | None:
    """What a row starts from, as one hash: another base may lie at the same place."""
    return None if preset.base is None else Base.read(preset.base.path).sha256


_HEAD = (
    "| row | parameters | iterations | seconds | swap PSNR | swap SSIM | held-out PSNR | held-out SSIM |\n"
    "|---|---:|---:|---:|---:|---:|---:|---:|\n"
)


def page(results: Sequence[Result], command: str, length: Length, params: Params, pair: str) -> str:
    """The results as Markdown: a line per row, mean and standard deviation over its seeds."""
    same = "wall time, its learning rate come down when the time is over"
    if length.iterations is not None:
        same = "iterations, its learning rate come down at the end"
    lines = []
    for row in dict.fromkeys(result.row for result in results):
        mine = [result for result in results if result.row == row]
        cells = [
            row,
            f"{mine[0].parameters / 1e6:.1f} M",
            _spread([result.iterations for result in mine], 0),
            _spread([result.seconds for result in mine], 0),
            _spread([result.swap_psnr for result in mine], 2),
            _spread([result.swap_ssim for result in mine], 3),
            _spread([result.held_out_psnr for result in mine], 2),
            _spread([result.held_out_ssim for result in mine], 3),
        ]
        lines.append(f"| {' | '.join(cells)} |\n")
    size = params.training.chosen.network.output_size
    return f"""# What each part is worth

Printed by `{command}` at revision {_revision()}, on {_machine(params)}.

Each row changes the preset `{params.training.preset}` as `stages/training/ablation.py` says, and trains on the pair
`{pair}` for the same {same}. Mean ± standard
deviation over the seeds; PSNR in dB and SSIM inside the face at {size} pixels: of swaps against the rendered truth, and
of held-out faces against themselves.

{_HEAD}{"".join(lines)}"""


def _spread(values: Sequence[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    return f"{np.mean(known):.{digits}f} ± {np.std(known):.{digits}f}"


def _rate(faces: Mapping[str, Faces], preset: PresetSettings, device: torch.device, *, compile: bool) -> float:
    """Iterations a second of a whole run, tried on a state that is then dropped."""
    trial = try_out(State(list(faces), preset, 0, device, compile=compile), faces, preset, 0, steps=_TRIED)
    return preset.iterations / trial.seconds_of(0, preset.iterations, preset)


def _revision() -> str:
    """The commit that is checked out, and whether files differ from it."""
    asked = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() or "unknown"


def _machine(params: Params) -> str:
    if params.training.device == "cuda":
        where = torch.cuda.get_device_name()
    else:
        capability = torch.backends.cpu.get_cpu_capability()
        where = f"{params.training.threads} threads of {os.cpu_count()} {platform.machine()} cores ({capability})"
    return f"{where} with torch {torch.__version__}"


def command(
    minutes: Annotated[float, typer.Option(min=0.0, help="of wall time that each row and seed trains")] = 5.0,
    iterations: Annotated[
        int | None, typer.Option(min=1, help="that each trains in place of a time, for a machine that others use too")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="how many")] = 3,
    rows: Annotated[str, typer.Option(help="which rows, separated by commas")] = ",".join(ROWS),
    pair: Annotated[str | None, typer.Option(help="of params.yaml; its first if left out")] = None,
    result: Annotated[Path, typer.Option(help="the page to write")] = Path("docs/ablation.md"),
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Train every row for equal wall time or iterations, judge it, and write the table."""
    logging.basicConfig(level=logging.INFO, format="ablation %(message)s", stream=sys.stderr)
    try:
        settings = load_params(params)
        chosen = pair or next(iter(settings.pairs), "")
        require_pair_consent(chosen, settings)
        folders = {identity: Path("data/dataset") / identity for identity in settings.cast_of(chosen)}
        wanted = rows.split(",")
        questions = questions_of(settings, chosen)
        length = Length(60 * minutes, iterations)
        results = ablate(wanted, seeds, length, folders, questions, settings)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    asked = f"--minutes {minutes:g}" if iterations is None else f"--iterations {iterations}"
    typed = f"python -m stages.training.ablation {asked} --seeds {seeds}"
    typed += "" if wanted == list(ROWS) else f" --rows {rows}"
    with whole_file(result) as unfinished:
        unfinished.write_text(page(results, typed, length, settings, chosen), encoding="utf-8")
    print(result)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app(prog_name="python -m stages.training.ablation")
