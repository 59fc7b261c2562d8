"""The crops on disk: rendered once, by several processes, and gone on with after a kill."""

from __future__ import annotations

import os
from concurrent.futures import as_completed
from pathlib import Path

import torch
from safetensors.numpy import load_file

from stages.atomic import whole_file
from stages.progress import progress
from stages.training.checkpoint import save_tensors
from stages.visibility.recipe import Recipe
from stages.visibility.scenes import Seen, Sitter, grimace, play
from stages.workers import workers


def shard(folder: Path, number: int) -> Path:
    """Where a performer's crops lie."""
    return folder / f"performer-{number:03d}.safetensors"


def bare_shard(folder: Path, number: int) -> Path:
    """Where a performer's grimaces lie."""
    return folder / f"grimaces-{number:03d}.safetensors"


def shards(recipe: Recipe, folder: Path, number: int) -> list[Path]:
    """All that is rendered of a performer."""
    return [shard(folder, number), *([bare_shard(folder, number)] if recipe.grimaces else [])]


def render(recipe: Recipe, folder: Path, processes: int, first: int = 0) -> None:
    """Render what is missing; a shard or two a performer, each whole or not at all.

    Args:
        recipe: who is rendered behind what.
        folder: one folder serves one recipe only.
        processes: how many performers at once; without influence on the result.
        first: the performer from whom on they are wanted.

    Raises:
        Problem: the disk is full or the folder may not be written.
    """
    numbers = range(first, recipe.people)
    missing = [each for each in numbers if not all(path.is_file() for path in shards(recipe, folder, each))]
    with workers(processes, _one_thread) as pool:
        running = [pool.submit(_render_one, recipe, folder, number) for number in missing]
        for done in progress(as_completed(running), total=len(running), what="rendering faces", unit="performer"):
            done.result()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _render_one(recipe: Recipe, folder: Path, number: int) -> None:
    sitter = Sitter(recipe, number)
    for path, made in zip(shards(recipe, folder, number), (play, grimace), strict=False):
        if not path.is_file():
            with whole_file(path) as scratch:
                tensors = made(recipe, number, sitter)._asdict()
                save_tensors({name: torch.from_numpy(values) for name, values in tensors.items()}, scratch)


def read(folder: Path, number: int) -> Seen:
    """The crops of a performer."""
    return Seen(**load_file(shard(folder, number)))


def read_bare(folder: Path, number: int) -> Seen:
    """The grimaces of a performer: one look of each."""
    return Seen(**load_file(bare_shard(folder, number)))
