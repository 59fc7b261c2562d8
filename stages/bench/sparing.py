"""``python -m stages.bench.sparing``: what it loses not to look for faces in every frame (``detection.every``).

Three performers in one picture who come, go, turn and pass each other, a face that keeps still and one that turns
quickly go through detection and alignment, once for each way; all that differs is at which frames detection looks.

- *seen*: share of the faces that the networks looked at; the others were interpolated and then placed by alignment.
- *found*, *right*, *another's*: of clear faces, and of those taken, as :mod:`stages.bench.faces` has them.
- *error*: of landmarks, less convention, in eye distances, to 45 degrees, of all of the three and in the fast turn.
- *jitter*, *lag*: of steadied landmarks of the still face and in the turn (:mod:`stages.bench.stability`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from stages.bench import stability
from stages.bench.accuracy import errors, normalised, shown
from stages.bench.crowd import THREE, cast
from stages.bench.faces import Filmed, Results, aligned, filmed, points_of, results, table_of_found, table_of_taken
from stages.bench.program import main
from stages.bench.sitters import convention_of
from stages.geometry import Floats, as_matrix, scale_of
from stages.packs import Landmarker, open_pack
from stages.settings import Params, load_params

EVERY: Final = (1, 2, 3, 5)
TO: Final = 45.0
"""Degrees of yaw to which the error is told."""


def films(folder: Path) -> dict[str, Filmed]:
    """The three scenes, rendered into an existing empty folder."""
    alone = cast(stability.STILL)
    return {
        "three": filmed(folder / "three", THREE),
        "still": filmed(folder / "still", stability.STILL, performers=alone),
        "turn": filmed(folder / "turn", stability.TURN, performers=alone),
    }


def row(every: int, shot: dict[str, Filmed], made: dict[str, Results], meant: Floats) -> str:
    """A line of the table."""
    faces = next(iter(made["three"].detections.values())).faces
    found, taken = table_of_found(shot["three"], made["three"]), table_of_taken(shot["three"], made["three"])
    clear = float((found["clear"] * found["clear found"]).sum() / found["clear"].sum())
    still, turn = (next(iter(made[name].alignments.values())).whole() for name in ("still", "turn"))
    side = float(np.mean([1.0 / scale_of(as_matrix(each)) for each in still["transform"]]))
    jitter = stability.jitter(points_of(still)[..., :2], side)
    lag = stability.lag(points_of(turn), [people[0] for people in shot["turn"].truth])
    cells = [
        f"{(faces['score'] > 0).mean():.0%}",
        f"{clear:.1%}",
        f"{taken['right'].sum()} of {taken['taken'].sum()}",
        str(taken[["another's", "landmarks on another"]].to_numpy().sum()),
        *(f"{_error(shot[name], made[name], meant, bound):.2%}" for name, bound in (("three", TO), ("turn", 90.0))),
        f"{jitter:.3f} px",
        f"{lag:+.2f}",
    ]
    return f"| {every} | {' | '.join(cells)} |"


def _error(shot: Filmed, made: Results, meant: Floats, bound: float) -> float:
    people, landmarks = aligned(shot, made)
    error = normalised(people, errors(people, landmarks) - shown(people, meant))
    return float(error[np.abs([person.yaw for person in people]) <= bound].mean())


def lines(settings: Params, ways: Sequence[int], folder: Path) -> Iterator[str]:
    """The table, a line as it comes; renders into an existing empty folder."""
    shot = films(folder)
    meant = convention_of(Landmarker(open_pack(), device=settings.alignment.device, threads=settings.alignment.threads))
    heads = ("seen", "found", "right", "another's", f"error to {TO:.0f}°", "in the turn", "jitter", "lag")
    yield f"| every | {' | '.join(heads)} |"
    yield f"|---:|{'---:|' * len(heads)}"
    for every in ways:
        how = settings.detection.model_copy(update={"every": every})
        yield row(every, shot, {name: results(each, how, settings.alignment) for name, each in shot.items()}, meant)


def command(
    every: Annotated[str, typer.Option(help="numbers with commas between")] = ",".join(map(str, EVERY)),
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print what is found, taken and placed with a look at every n-th frame, beside a look at all."""
    with tempfile.TemporaryDirectory() as folder:
        for line in lines(load_params(params), [int(each) for each in every.split(",")], Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main("sparing", command)
