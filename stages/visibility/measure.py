"""How well the network keeps what passes before faces that it never saw: ``python -m stages.visibility.measure``.

Everything is what compositing would make of it (:func:`stages.compositing.occlusion.kept_free`) in crops of the
network's size, without the picture's edges that alignment brings in (:mod:`stages.alignment.edges`), inside of the hull
of the landmarks, where a face may be replaced; there the truth is exact. What is neither face nor before it (background
beside a turned cheek) does not count.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.files import read_facts
from stages.compositing.occlusion import kept_free
from stages.visibility import footage
from stages.visibility.masquerade import F32, centred
from stages.visibility.recipe import Recipe
from stages.visibility.scenes import coverings
from stages.visible_face import PLACE, VisibleFace

log = logging.getLogger(__name__)

Figures = dict[str, dict[str, float]]


class Tally:
    """Pixels of one kind of covering, added up."""

    def __init__(self) -> None:
        self.both = self.either = self.near_both = self.near_either = self.face = self.lost = self.pictures = 0.0

    def add(self, free: F32, face: F32, cover: F32, hull: F32) -> None:
        """One crop: what is left free (s, s) against the truth's shares (s, s), inside of `hull` (s, s)."""
        counted = (hull > 0.5) & (face + cover > 0.5)
        kept, before = counted & (free < 0.5), counted & (cover > 0.5)
        mixed = (cover > 0.05) & (cover < 0.95)
        self.both, self.either = self.both + (kept & before).sum(), self.either + (kept | before).sum()
        self.near_both += (kept & before & ~mixed).sum()
        self.near_either += ((kept | before) & ~mixed).sum()
        bare = counted & (face > 0.95)
        self.face, self.lost = self.face + bare.sum(), self.lost + float((1.0 - free)[bare].sum())
        self.pictures += 1

    def figures(self) -> dict[str, float]:
        """As they are told."""
        return {
            "pictures": self.pictures,
            "iou": round(float(self.both / max(self.either, 1.0)), 4),
            "iou_whole_pixels": round(float(self.near_both / max(self.near_either, 1.0)), 4),
            "face_lost": round(float(self.lost / max(self.face, 1.0)), 5),
        }


def figures(place: Path, recipe: Recipe, renders: Path) -> Figures:
    """By kind of covering, over the held-out performers.

    Returns:
        ``pictures``: how many. ``iou``: intersection over union of what is kept and what is truly before the face.
        ``iou_whole_pixels``: the same where pixels do not count that show both. ``face_lost``: share of the face's
        pixels that is not replaced.
    """
    network = VisibleFace.open(place)
    tallies: dict[str, Tally] = {}
    for number in range(recipe.performers, recipe.people):
        for name, parts in _looks(recipe, renders, number):
            crop, face, cover, inside = centred(parts, recipe.stored_reach, recipe.input_size)
            free = kept_free(network.look(np.rint(255.0 * crop).astype(np.uint8)[None])[0], recipe.input_size)
            tallies.setdefault(name, Tally()).add(free, face, cover, inside)
    return {name: tally.figures() for name, tally in tallies.items()}


def _looks(recipe: Recipe, renders: Path, number: int) -> Iterator[tuple[str, list[NDArray[np.uint8]]]]:
    """What a performer is seen behind, and the crop with its truth: rgb, face, cover and hull."""
    played = [(["bare", *("+".join(kinds) for kinds in coverings(recipe, number))], footage.read(renders, number))]
    if recipe.grimaces:
        played.append((["grimace"], footage.read_bare(renders, number)))
    for names, seen in played:
        for (pose, hull), (look, name) in product(enumerate(seen.hull), enumerate(names)):
            at = pose, look
            yield name, [seen.rgb[at], seen.face[at], seen.cover[at], hull]


def milliseconds(place: Path, looks: int = 40) -> float:
    """Of one look on one thread of the CPU, the median."""
    network = VisibleFace.open(place)
    crop: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), np.uint8)
    spent = []
    for _ in range(looks):
        begin = time.perf_counter()
        network.look(crop)
        spent.append(time.perf_counter() - begin)
    return 1000.0 * float(np.median(spent))


def main() -> None:
    """Print the table that `docs/visibility.md` shows; renders what is missing."""
    from stages.visibility.__main__ import SCRATCH, renders_of

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    recipe = Recipe.model_validate(read_facts(PLACE / "facts.json")["recipe"])
    renders = renders_of(recipe, SCRATCH)
    footage.render(recipe, renders, 2, first=recipe.performers)
    log.info("| before the face | pictures | IoU | IoU, whole pixels | face lost |\n|---|---|---|---|---|")
    for name, row in figures(PLACE, recipe, renders).items():
        log.info(
            "| %s | %d | %.3f | %.3f | %.2f %% |",
            name, row["pictures"], row["iou"], row["iou_whole_pixels"], 100.0 * row["face_lost"],
        )  # fmt: skip
    log.info("%.1f ms a face, one thread", milliseconds(PLACE))


if __name__ == "__main__":
    main()
