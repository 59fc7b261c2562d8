"""``python -m stages.bench.looks``: what each look of the landmark network is worth.

Detection looks at a face to confirm it and to get its five points, alignment looks from these on. A *way* says how: the
looks before the bar are detection's, those after it alignment's; ``P`` is a plain look, one run of the network, ``M``
one that is also taken in the mirror, two runs.

- *error*: mean distance of 51 landmarks from the truth in eye distances, by yaw, less convention
  (:mod:`stages.bench.accuracy`), on three performers in one picture.
- *jitter*, *lag*: of the network, before anything is steadied (:mod:`stages.bench.stability`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stages.alignment.canonical_crop import fit
from stages.bench import stability
from stages.bench.accuracy import errors, normalised, shown
from stages.bench.crowd import THREE, Person, Scene, Shot, cast, shoot
from stages.bench.faces import CLEAR, YAWS
from stages.bench.matching import whose
from stages.bench.program import main
from stages.bench.sitters import convention_of
from stages.detection.looking import confirm
from stages.geometry import Floats, scale_of
from stages.packs import Detector, Landmarker, five_points, open_pack
from stages.packs.canonical import read_canonical
from stages.packs.landmarker import Mirror
from stages.progress import progress

WAYS: Final = ("M|MM", "P|TM", "P|PM", "P|M")
"""The first one leaves nothing out, the second one is what the stages do to a face that is new."""

MIRRORS: Final[dict[str, Mirror]] = {"P": "never", "T": "turned", "M": "always"}

STEP: Final = 5
"""Of the three performers every fifth frame is looked at."""

SURE: Final = 0.5


@dataclass(frozen=True)
class Looked:
    """The faces of a scene that are clear to see: who they are, and by way their landmarks (n, 478, 3)."""

    people: list[Person]
    landmarks: dict[str, NDArray[np.float32]]


def runs_of(way: str) -> str:
    """How often the network runs; if it is more at turned faces, both."""
    least = way.count("P") + way.count("T") + 2 * way.count("M")
    return f"{least} or {least + way.count('T')}" if "T" in way else str(least)


Found = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Landmarks (n, 478, 3) in frame pixels and how sure they are (n,)."""


def placed(landmarker: Landmarker, frame: NDArray[np.uint8], points: NDArray[np.floating]) -> dict[str, Found]:
    """What each way finds of faces known by five points (n, 5, 2). Ways that begin alike share their first looks."""
    known: dict[str, Found] = {}

    def go(way: str) -> Found:
        if way not in known:
            before = go(way[:-1])[0] if way[:-1] else points
            if way[-1] == "|":
                known[way] = five_points(before), np.zeros(0, np.float32)
            elif "|" not in way:
                known[way] = confirm(landmarker, frame, before, MIRRORS[way])
            else:
                known[way] = landmarker.refine(frame, before, mirror=MIRRORS[way[-1]])
        return known[way]

    return {way: go(way) for way in WAYS}


def looked(shots: Sequence[Shot], detector: Detector, landmarker: Landmarker, what: str) -> Looked:
    """Look at shots in all ways; a face counts if the first way is sure of it and the truth says that it is clear."""
    people: list[Person] = []
    landmarks: dict[str, list[NDArray[np.float32]]] = {way: [] for way in WAYS}
    for shot in progress(shots, total=len(shots), what=what):
        points = detector.detect([shot.rgb])[0].points
        found = placed(landmarker, shot.rgb, points)
        for face in range(len(points)):
            first, sure = found[WAYS[0]]
            who = whose(shot.people, five_points(first[face : face + 1])[0])
            if who is None or sure[face] < SURE or shot.people[who].covered > CLEAR:
                continue
            people.append(shot.people[who])
            for way in WAYS:
                landmarks[way].append(found[way][0][face])
    return Looked(people, {way: np.stack(each) for way, each in landmarks.items()})


def table(three: Looked, still: Looked, turn: Looked, meant: Floats, canonical: Floats) -> Iterator[str]:
    """The lines of the table, Markdown."""
    yaws = np.abs([person.yaw for person in three.people])
    bins = [(yaws >= low) & (yaws < high) for low, high in pairwise(YAWS)]
    heads = [f"error to {high:.0f}°" for high in YAWS[1:]]
    yield f"| way | runs | {' | '.join(heads)} | all | jitter | lag | error in the turn |"
    yield f"|---|{'---:|' * (len(heads) + 5)}"
    side = float(np.mean([1 / scale_of(fit(face, canonical)) for face in still.landmarks[WAYS[0]]]))
    for way in WAYS:
        error, turning = (
            normalised(each.people, errors(each.people, list(each.landmarks[way])) - shown(each.people, meant))
            for each in (three, turn)
        )
        cells = [f"{error[inside].mean():.2%}" if inside.any() else "" for inside in [*bins, yaws >= 0]]
        jitter = stability.jitter(still.landmarks[way][..., :2].astype(np.float64), side)
        lag = stability.lag(turn.landmarks[way].astype(np.float64), turn.people)
        cells += [f"{jitter:.3f} px", f"{lag:+.2f}", f"{turning.mean():.2%}"]
        yield f"| {way.replace('|', ', ')} | {runs_of(way)} | {' | '.join(cells)} |"


def shots_of(scene: Scene, step: int = 1) -> list[Shot]:
    """A scene's shots, or every so many of them."""
    rendered = progress(shoot(scene, cast(scene)), total=scene.frames, what="rendering")
    return [shot for number, shot in enumerate(rendered) if number % step == 0]


def command() -> None:
    """Print the table; some minutes."""
    pack = open_pack()
    detector, landmarker = Detector(pack, score=0.5), Landmarker(pack)
    scenes = {"three": (THREE, STEP), "still": (stability.STILL, 1), "turn": (stability.TURN, 1)}
    found = {name: looked(shots_of(*each), detector, landmarker, name) for name, each in scenes.items()}
    meant, canonical = convention_of(landmarker), read_canonical(pack.files["canonical_face"])
    for line in table(found["three"], found["still"], found["turn"], meant, canonical):
        print(line)


if __name__ == "__main__":
    main("looks", command)
