"""``python -m stages.visibility``: render faces behind things, train the network, write ``data/visibility``."""

from __future__ import annotations

import hashlib
import logging
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer

from stages.artifacts.files import sha256_of, write_facts
from stages.atomic import whole_folder
from stages.packs.pack import open_pack
from stages.problems import Problem
from stages.program import tell
from stages.rendering.head import HEAD_FILE
from stages.rendering.placement import PLACEMENT_FILE
from stages.training.checkpoint import CheckpointFolder, fingerprint_of
from stages.training.provenance import versions
from stages.visibility import footage
from stages.visibility.export import write_onnx
from stages.visibility.lessons import Lessons
from stages.visibility.measure import figures
from stages.visibility.recipe import Recipe
from stages.visible_face import NETWORK, PLACE

SCRATCH = Path(".scratch/visibility")

_ROOMS = ("packs", "rendering")
_MODULES = ("alignment/canonical_crop.py", "visibility/scenes.py", "geometry.py", "fidelity.py", "topology.py")
"""Whose code decides what the crops look like."""


def main(
    processes: Annotated[int, typer.Option(min=1, help="performers rendered at once")] = 2,
    threads: Annotated[
        int, typer.Option(min=1, help="of torch; part of the result, as sums depend on their order")
    ] = 2,
    iterations: Annotated[int | None, typer.Option(min=1, help="in place of the recipe's, for a trial")] = None,
    place: Annotated[Path, typer.Option(help="the network's folder")] = PLACE,
    scratch: Annotated[Path, typer.Option(help="renders and checkpoints, kept for another run")] = SCRATCH,
) -> None:
    """Make the network again, from its recipe alone: not quite two hours on two CPU cores.

    Killed and started again, it goes on where it was.
    """
    logging.basicConfig(level=logging.INFO, format="visibility %(message)s", stream=sys.stderr)
    recipe = (
        Recipe()
        if iterations is None
        else Recipe(iterations=(iterations,), outside=(1.0,), before=(1.0,), overlap=(0.5,))
    )
    try:
        make(recipe, place, scratch, processes=processes, threads=threads)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def make(recipe: Recipe, place: Path, scratch: Path, *, processes: int, threads: int) -> None:
    """Render, train, measure and write the network.

    Args:
        recipe: of what and how.
        place: the network's folder, made whole or not at all.
        scratch: where renders and checkpoints lie; another recipe, or other code, finds neither.
        processes: that render.
        threads: of torch.

    Raises:
        Problem: the disk is full or the folder may not be written.
    """
    renders = renders_of(recipe, scratch)
    footage.render(recipe, renders, processes)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    shards = [path for number in range(recipe.people) for path in footage.shards(recipe, renders, number)]
    hashes = [sha256_of(path) for path in shards]
    renders_hash = hashlib.sha256("".join(hashes).encode()).hexdigest()
    code = _training_code()
    fingerprint = fingerprint_of(recipe.model_dump(mode="json"), renders_hash, code, threads, versions())
    checkpoints = CheckpointFolder(scratch / "training", fingerprint)
    network = Lessons(recipe, renders, checkpoints).run()
    with whole_folder(place) as folder:
        write_onnx(network, recipe.input_size, folder / NETWORK)
        write_facts(
            folder / "facts.json",
            {
                "recipe": recipe.model_dump(mode="json"),
                "renders_sha256": renders_hash,
                "training_code_sha256": code,
                "threads": threads,
                "versions": versions(),
                "sha256": sha256_of(folder / NETWORK),
                "figures": figures(folder, recipe, renders),
            },
        )
    checkpoints.remove()


def renders_of(recipe: Recipe, scratch: Path) -> Path:
    """Where the crops lie: by what they are made from, so that no other recipe takes them for its own."""
    stages = Path(__file__).parents[1]
    code = [file for room in _ROOMS for file in sorted((stages / room).rglob("*.py"))]
    code += [stages / name for name in _MODULES]
    hashes = [sha256_of(path) for path in (*code, HEAD_FILE, PLACEMENT_FILE, *open_pack().files.values())]
    return scratch / "renders" / fingerprint_of(recipe.played(), hashes)


def _training_code() -> str:
    """One SHA-256 over the code that trains."""
    stages = Path(__file__).parents[1]
    names = (
        "base/learning",
        *(f"training/{name}" for name in ("checkpoint", "networks/blocks", "settings", "state")),
        *(f"visibility/{name}" for name in ("filming", "footage", "lessons", "masquerade", "network", "recipe")),
    )
    return hashlib.sha256("".join(sha256_of(stages / f"{name}.py") for name in names).encode()).hexdigest()


if __name__ == "__main__":
    typer.run(main)
