"""Python, processors, memory, disk, GPU."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

from flows.doctor.finding import Finding
from stages import workers
from stages.settings import Params

PYTHONS: Final = ((3, 11), (3, 12))
MEMORY_GB: Final = 4.0
"""The demo's greatest stage takes about half of it."""

DISK_FAIL_GB: Final = 2.0
DISK_WARN_GB: Final = 20.0
"""A minute of 1080p is some gigabytes of lossless frames, twice: the clip's, and the finished ones."""

GPU_GB: Final = 8.0


def python() -> Iterator[Finding]:
    """The interpreter."""
    says = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] in PYTHONS:
        yield Finding("Python", "ok", says)
    else:
        yield Finding("Python", "fail", says, "use 3.11 or 3.12: make PYTHON=/path/to/python3.11 setup")


def packages(lock: Path) -> Iterator[Finding]:
    """Whether what is installed is what the pins say.

    Args:
        lock: requirements.lock.
    """
    pins = dict(line.partition(";")[0].strip().split("==") for line in lock.read_text().splitlines() if "==" in line)
    missing, others = [], []
    for name, pinned in pins.items():
        try:
            # "2.13.0+cpu" is a build of 2.13.0
            if (installed := version(name)).partition("+")[0] != pinned:
                others.append(f"{name} {installed} for {pinned}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("packages", "fail", f"not installed: {', '.join(missing)}", "`make setup`")
    if others:
        mend = "`touch requirements.lock`, then `make setup`, or results may not be the same to the byte"
        yield Finding("packages", "warn", f"not as pinned: {', '.join(others)}", mend)
    if not missing and not others:
        yield Finding("packages", "ok", f"all {len(pins)} as pinned")


def processors(params: Params | None) -> Iterator[Finding]:
    """How many cores this process may use, and whether that is enough for training's threads."""
    cores = workers.processors()
    says = f"{cores} cores to use"
    if params is not None and params.training.threads > cores:
        mend = f"training.threads: {cores} in params.yaml is quicker here (and makes another result)"
        yield Finding("processors", "warn", f"{says}, training.threads is {params.training.threads}", mend)
    else:
        yield Finding("processors", "ok", says)


def memory() -> Iterator[Finding]:
    """What is free of it."""
    found = psutil.virtual_memory()
    says = f"{found.available / 1e9:.1f} of {found.total / 1e9:.1f} GB free"
    if found.available < MEMORY_GB * 1e9:
        yield Finding("memory", "warn", says, f"end other programs: stages want about {MEMORY_GB:g} GB")
    else:
        yield Finding("memory", "ok", says)


def disk(root: Path) -> Iterator[Finding]:
    """What is free of the file system that the project lies on."""
    free = shutil.disk_usage(root).free / 1e9
    says, mend = f"{free:.1f} GB free", "`dvc gc -w` drops cached results that no settings use any more"
    if free < DISK_FAIL_GB:
        yield Finding("disk", "fail", says, mend)
    elif free < DISK_WARN_GB:
        yield Finding("disk", "warn", f"{says}; a minute of 1080p takes some gigabytes", mend)
    else:
        yield Finding("disk", "ok", says)


def gpu(params: Params | None) -> Iterator[Finding]:
    """Whether torch can compute on one."""
    import torch

    wanted = params is not None and params.training.device == "cuda"
    if not torch.cuda.is_available():
        build = f"torch {torch.__version__}, built for {f'CUDA {torch.version.cuda}' if torch.version.cuda else 'CPUs'}"
        if wanted:
            mend = "a driver and a CUDA build of torch (the extra 'gpu', `make gpu`), or training.device: cpu"
            yield Finding("GPU", "fail", f"training.device is cuda, but torch finds none ({build})", mend)
        else:
            yield Finding("GPU", "ok", f"none ({build}); the presets size-256 and size-512 need one")
        return
    for number in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(number)
        side = torch.ones(64, 64, device=f"cuda:{number}")
        if not bool(((side @ side) == 64).all()):
            yield Finding("GPU", "fail", f"{found.name} computes wrongly", "look at its driver and its memory")
            continue
        says = f"{found.name}, {found.total_memory / 1e9:.0f} GB, CUDA {torch.version.cuda}"
        if found.total_memory < GPU_GB * 1e9:
            yield Finding("GPU", "warn", says, f"presets of 256 pixels and more want about {GPU_GB:g} GB")
        else:
            yield Finding("GPU", "ok", says)
