"""``python -m stages.base``: render the troupes, train the base, write it to ``data/base``."""

from __future__ import annotations

import hashlib
import logging
import sys
from pathlib import Path
from typing import Annotated

import torch
import typer

from stages.artifacts.base import Base
from stages.artifacts.files import sha256_of
from stages.atomic import whole_folder
from stages.base import footage
from stages.base.recipe import Recipe
from stages.base.rehearsal import Rehearsal
from stages.base.settling import Settling
from stages.packs.pack import open_pack
from stages.problems import Problem
from stages.program import tell
from stages.rendering.head import HEAD_FILE
from stages.rendering.placement import PLACEMENT_FILE
from stages.training.checkpoint import CheckpointFolder, fingerprint_of
from stages.training.provenance import code_hash, versions

SCRATCH = Path(".scratch/base")
PLACE = Path("data/base")

_ROOMS = ("alignment", "dataset", "packs", "rendering")
_MODULES = (
    "base/scenes.py",
    "geometry.py",
    "topology.py",
    "training/chart.py",
    "training/faces.py",
    "training/regions.py",
)
"""Whose code decides what the troupes' pictures look like."""


def main(
    processes: Annotated[int, typer.Option(min=1, help="troupes rendered at once")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="of torch; part of the result: sums depend on order")] = 2,
    iterations: Annotated[int | None, typer.Option(min=1, help="of the rehearsal, for a trial")] = None,
    place: Annotated[Path, typer.Option(help="the base's folder")] = PLACE,
    scratch: Annotated[Path, typer.Option(help="renders and checkpoints, kept for another run")] = SCRATCH,
) -> None:
    """Make the shared base again, from its recipe alone: an hour and three quarters on two CPU cores.

    Killed and started again, it goes on where it was.
    """
    logging.basicConfig(level=logging.INFO, format="base %(message)s", stream=sys.stderr)
    recipe = Recipe() if iterations is None else Recipe(iterations=iterations)
    try:
        make(recipe, place, scratch, processes=processes, threads=threads)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def make(recipe: Recipe, place: Path, scratch: Path, *, processes: int, threads: int) -> None:
    """Render, train and write the base.

    Args:
        recipe: of what and how.
        place: the base's folder, made whole or not at all.
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
    footage_hash = _renders_hash(renders, recipe.troupes)
    code = _training_code()
    played, device = footage.read(recipe, renders), torch.device("cpu")
    made_from = (footage_hash, code, threads, versions())
    rehearsal = CheckpointFolder(scratch / "training", fingerprint_of(recipe.rehearsed(), *made_from))
    network = Rehearsal(played, recipe, rehearsal, device).run()
    settling = CheckpointFolder(scratch / "settling", fingerprint_of(recipe.model_dump(mode="json"), *made_from))
    encoder = Settling(played, network.encoder, recipe, settling, device).run()
    with whole_folder(place) as folder:
        Base.write(
            folder,
            encoder.state_dict(),
            network.decoder_of(None).state_dict(),
            {
                "recipe": recipe.model_dump(mode="json"),
                "renders_sha256": footage_hash,
                "training_code_sha256": code,
                "threads": threads,
                "versions": versions(),
            },
        )
    for checkpoints in (rehearsal, settling):
        checkpoints.remove()


def renders_of(recipe: Recipe, scratch: Path) -> Path:
    """Where the troupes' pictures lie: by what they are made from, so that no other recipe takes them for its own."""
    stages = Path(__file__).parents[1]
    code = [file for room in _ROOMS for file in sorted((stages / room).rglob("*.py"))]
    code += [stages / name for name in _MODULES]
    hashes = [sha256_of(path) for path in (*code, HEAD_FILE, PLACEMENT_FILE, *open_pack().files.values())]
    return scratch / "renders" / fingerprint_of(recipe.played(), hashes)


def _training_code() -> str:
    """One SHA-256 over the code that trains."""
    own = "".join(sha256_of(path) for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256((code_hash() + own).encode()).hexdigest()


def _renders_hash(folder: Path, troupes: int) -> str:
    """One SHA-256 over all troupes' shards."""
    hashes = [sha256_of(footage.shard(folder, troupe)) for troupe in range(troupes)]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


if __name__ == "__main__":
    typer.run(main)
