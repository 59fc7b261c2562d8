"""The troupes' crops on disk: rendered once, by several processes, and gone on with after a kill."""

from __future__ import annotations

import os
from concurrent.futures import as_completed
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from stages.atomic import whole_file
from stages.base.recipe import Recipe
from stages.base.scenes import Played, play
from stages.progress import progress
from stages.training.checkpoint import save_tensors
from stages.workers import workers


def shard(folder: Path, troupe: int) -> Path:
    """Where a troupe's scenes lie."""
    return folder / f"troupe-{troupe:03d}.safetensors"


def render(recipe: Recipe, folder: Path, processes: int) -> None:
    """Render what is missing of all troupes' scenes; a shard a troupe, each whole or not at all.

    Args:
        recipe: who plays what.
        folder: where the shards lie; one folder serves one recipe only.
        processes: how many troupes play at once; without influence on the result.

    Raises:
        Problem: the disk is full or the folder may not be written.
    """
    missing = [troupe for troupe in range(recipe.troupes) if not shard(folder, troupe).is_file()]
    with workers(processes, _one_thread) as pool:
        running = [pool.submit(_render_one, recipe, folder, troupe) for troupe in missing]
        for done in progress(as_completed(running), total=len(running), what="rendering the base", unit="troupe"):
            done.result()


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


def _render_one(recipe: Recipe, folder: Path, troupe: int) -> None:
    planes, places = play(recipe, troupe)
    with whole_file(shard(folder, troupe)) as scratch:
        save_tensors({"planes": torch.from_numpy(planes), "places": torch.from_numpy(places.copy())}, scratch)


def read(recipe: Recipe, folder: Path) -> Played:
    """All troupes' scenes, the first axis of both arrays is the troupe."""
    shards = [load_file(shard(folder, troupe)) for troupe in range(recipe.troupes)]
    return Played(np.stack([one["planes"] for one in shards]), np.stack([one["places"] for one in shards]))
