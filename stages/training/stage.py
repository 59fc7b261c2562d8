"""Reads the face sets of a pair and its companions; writes a swap model (see docs/architecture.md, "swap model")."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from stages.artifacts.base import Base
from stages.artifacts.cast import CASTS, CompanionFaces
from stages.artifacts.face_set import data_hashes
from stages.artifacts.files import sha256_of
from stages.atomic import whole_folder
from stages.audit import log as audit
from stages.consent import require_pair_consent
from stages.problems import Problem
from stages.settings import Params
from stages.training.bundle import write_bundle, write_curve
from stages.training.checkpoint import CheckpointFolder, fingerprint_of
from stages.training.compiling import require_compiler
from stages.training.consent_watch import ConsentEnded, ConsentWatch
from stages.training.faces import SplitFaces, read_faces
from stages.training.forecast import checkpoint_bytes, require_disk, result_bytes
from stages.training.loop import Training
from stages.training.memory import memory_as_problem
from stages.training.monitor import Monitor
from stages.training.plan import settle
from stages.training.preview import preview_rows, sheet_of, write_sheet
from stages.training.processes import Processes, joined
from stages.training.provenance import code_hash, packs_hash, recogniser_hash, versions
from stages.training.settings import TrainingSettings
from stages.training.state import State
from stages.training.time_lapse import TimeLapse

log = logging.getLogger(__name__)

SCRATCH = Path(".scratch/training")
"""Checkpoints of unfinished runs and their latest previews; no part of any result."""


_FIRST_BFLOAT16 = (8, 0)
"""The compute capability from which on there is bfloat16 (Ampere)."""


@dataclass(frozen=True)
class Task:
    """One swap model to train.

    Attributes:
        pair: its name, for messages and facts.
        folders: where each identity's face sets lie; the pair's two first.
        consents: id of each identity's consent record.
        settings: which preset, seed, device.
        result: the swap model's folder, made whole or not at all.
        scratch: where checkpoints are kept until then.
        companions: the identities that only teach the encoder; the result draws none of them.
        still_allowed: asked now and then while it trains, and before the result is kept; raises Problem if consent has
            ended. What was trained until then is dropped.
        on_made: told of the whole model's folder before that takes its place.
    """

    pair: str
    folders: Mapping[str, Path]
    consents: Mapping[str, str]
    settings: TrainingSettings
    result: Path
    scratch: Path
    companions: tuple[str, ...] = ()
    still_allowed: Callable[[], object] = lambda: None
    on_made: Callable[[Path], object] = lambda folder: None


def place(pair: str) -> Path:
    """Where the swap model of a pair lies."""
    return Path("data/training") / pair


def run(name: str, params: Params) -> None:
    """Train the swap model of a pair, or go on with it where a killed run stopped.

    Raises:
        Problem: no consent, or it ends meanwhile; a companion did not join with these faces; a face set is missing,
            empty or too small; the device is not there; memory or disk do not suffice; training breaks.
    """
    consents = {identity: record.id for identity, record in require_pair_consent(name, params).items()}
    folders = {identity: Path("data/dataset") / identity for identity in params.cast_of(name)}
    companions = params.companions_of(name)
    _require_joined(name, companions)

    def still_allowed() -> None:
        require_pair_consent(name, params, noted="refusals")

    def made(folder: Path) -> None:
        audit.append("training", pair=name, consent=consents, sha256=sha256_of(folder / "model.safetensors"))

    train_pair(Task(name, folders, consents, params.training, place(name), SCRATCH, companions, still_allowed, made))


def _require_joined(pair: str, companions: tuple[str, ...]) -> None:
    """Check that companions joined with the faces they have now: DVC knows of these by what joining left behind alone.

    Raises:
        Problem: one did not join, or its face sets have changed since.
    """
    for identity in companions:
        if CompanionFaces.read(pair, identity).data != data_hashes(Path("data/dataset") / identity):
            raise Problem(
                f"the face sets of '{identity}' have changed since it joined pair '{pair}'",
                where=CASTS / pair,
                mend=f"run `dvc repro training@{pair}`, which has it join anew",
            )


def train_pair(task: Task) -> None:
    """Train a pair's swap model.

    Raises:
        Problem: as :func:`run`.
    """
    device = prepare(task.settings)
    # from reading the faces to writing the result: each of these may ask for more memory than there is
    with joined(device) as processes, memory_as_problem(task.settings.preset, task.settings.chosen.batch):
        processes.require_shares(task.settings)
        _train_together(task, device, processes)


def _train_together(task: Task, device: torch.device, processes: Processes) -> None:
    """What every process does; the first one writes."""
    settings = task.settings
    faces = {
        identity: read_faces(folder, settings.chosen.stored_size, task.scratch)
        for identity, folder in task.folders.items()
    }
    facts = {
        "pair": task.pair,
        "companions": list(task.companions),
        "preset": settings.preset,
        "settings": settings.chosen.model_dump(mode="json"),
        "seed": settings.seed,
        "threads": settings.threads,
        "device": settings.device,
        "processes": processes.count,
        "compile": settings.compile,
        "deterministic": settings.deterministic,
        "budget_minutes": settings.budget_minutes,
        "crop_size": _one_crop_size(faces),
        "data": {identity: data_hashes(folder) for identity, folder in task.folders.items()},
        "base": None if settings.chosen.base is None else Base.read(settings.chosen.base.path).sha256,
        "recogniser": recogniser_hash(settings.chosen.losses),
        "consent": task.consents,
        "code_sha256": code_hash(),
        "packs_sha256": packs_hash(),
        "versions": versions(settings.device),
    }
    fingerprint = f"{task.pair}-{fingerprint_of(facts | {'code_sha256': code_hash(of_state=True)})}"
    checkpoints = CheckpointFolder(task.scratch, fingerprint)
    train = {identity: some.train.to(device) for identity, some in faces.items()}
    held_out = {identity: some.held_out.to(device) for identity, some in faces.items()}
    state = State(list(faces), settings.chosen, settings.seed, device, processes, compile=settings.compile)
    to_write = max(0, checkpoint_bytes(state) - checkpoints.bytes())  # what a run before wrote is on the disk already
    require_disk({checkpoints.folder: to_write, task.result: result_bytes(state)})
    preset = settle(
        state,
        train,
        settings,
        checkpoints.folder,
        processes,
        done=checkpoints.iteration(),
        mapped=sum(some.mapped for some in (*train.values(), *held_out.values())),
    )

    time_lapse = TimeLapse(checkpoints.folder / "time-lapse", preset.iterations)
    monitor = Monitor(checkpoints.folder / "tensorboard")

    def show(state: State) -> None:
        rows = preview_rows(state.average, held_out, preset.network, task.companions)
        write_sheet(sheet_of(rows), checkpoints.folder / "preview.png")
        if time_lapse.is_due(state.progress):
            monitor.show(state.progress, time_lapse.add(state.progress, rows))
        write_curve(checkpoints.folder / "curves.csv", state.progress.curve)

    watch = ConsentWatch(task.still_allowed)
    training = Training(
        train,
        held_out,
        preset,
        settings.seed,
        checkpoints,
        checkpoint_seconds=settings.checkpoint_seconds,
        on_interval=watch if processes.first else lambda: None,
        on_noted=lambda state: monitor.note(state.progress),
        on_judged=show,
        processes=processes,
    )
    log.info("previews and checkpoints: %s", checkpoints.folder)
    with monitor, _nothing_kept_without(checkpoints, task.pair):
        reason = training.run(state, what=f"training {task.pair}")
    if reason == "iterations" and preset.iterations < settings.chosen.iterations:
        reason = "budget"
    ended = {"reason": reason, "iteration": state.progress.iteration}
    log.info("ended at iteration %d: %s", state.progress.iteration, reason)
    if not processes.first:
        return
    with _nothing_kept_without(checkpoints, task.pair), whole_folder(task.result) as folder:
        write_bundle(folder, state, held_out, preset, facts | {"ended": ended}, time_lapse, threads=settings.threads)
        watch.look()
        task.on_made(folder)
    checkpoints.remove()


@contextmanager
def _nothing_kept_without(checkpoints: CheckpointFolder, pair: str) -> Iterator[None]:
    """Drop the checkpoints, also of former settings, if consent ends: they hold likenesses as the model would."""
    try:
        yield
    except ConsentEnded:
        checkpoints.remove_all_of(pair)
        raise


def prepare(settings: TrainingSettings) -> torch.device:
    """Make torch repeat itself exactly, if a GPU is not asked for less, and find the device.

    Raises:
        Problem: the device is not there, or passes are to be compiled and can not be.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise Problem("torch finds no CUDA GPU", where="params.yaml, training.device", mend="set it to cpu")
    require_precision(settings)
    exact = settings.deterministic or settings.device == "cpu"
    if exact:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read by cuBLAS when torch asks for determinism
    torch.use_deterministic_algorithms(exact)
    # nothing reads it before it is written, and filling it is a thousand calls a step
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a module's property
    torch.backends.cudnn.benchmark = not exact
    torch.backends.cudnn.allow_tf32 = False  # float32 says what it is: exports are compared with it
    torch.set_num_threads(settings.threads)
    device = torch.device(settings.device)
    if settings.compile:
        require_compiler(device)
    return device


def require_precision(settings: TrainingSettings) -> None:
    """Make sure that the GPU computes what is asked of it, of which cuDNN says nothing that helps.

    Raises:
        Problem: it does not.
    """
    asked = settings.device == "cuda" and settings.chosen.precision == "bfloat16"
    if asked and torch.cuda.get_device_capability() < _FIRST_BFLOAT16:
        raise Problem(
            "this GPU does not compute in bfloat16",
            where=f"params.yaml, training.presets.{settings.preset}.precision",
            mend="set it to float32",
        )


def _one_crop_size(faces: dict[str, SplitFaces]) -> int:
    """The side of all identities' crops, pixels.

    Raises:
        Problem: they differ.
    """
    sizes = {identity: some.crop_size for identity, some in faces.items()}
    if len(set(sizes.values())) > 1:
        raise Problem(f"the identities' crops differ in size: {sizes}", where="data/dataset", mend="run `dvc repro`")
    return next(iter(sizes.values()))
