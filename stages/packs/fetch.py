"""``python -m stages.packs.fetch NAME``: says an InsightFace pack's licence and lets insightface download it."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
from insightface.utils.storage import ensure_available

from stages.packs.pack import FOLDER, RESEARCH_LICENCE
from stages.problems import Problem
from stages.program import tell

log = logging.getLogger(__name__)


def fetch(name: str) -> None:
    """Download one of InsightFace's packs into the project's pack folder, where git does not see it.

    Raises:
        Problem: it can not be downloaded.
    """
    log.warning(RESEARCH_LICENCE, name)
    try:
        ensure_available("models", name, root=str(FOLDER / "insightface"))
    except Exception as error:  # insightface raises what its downloader raises
        raise Problem(
            f"insightface can not download it: {error}",
            where=f"pack {name}",
            mend="check the name and the network, or set detection.pack to 'open'",
        ) from error


def main(name: Annotated[str, typer.Argument(help="an InsightFace pack, for instance buffalo_l")]) -> None:
    """Download an InsightFace pack (weights for non-commercial research only)."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        fetch(name)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


if __name__ == "__main__":
    typer.run(main)
