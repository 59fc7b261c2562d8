"""``python -m stages.bench.faces``: are faces found, are they the right person's, do landmarks lie right and still.

Three performers whose truth is exact go through detection and alignment as the settings file says (``crowd.THREE``).
Each of them in turn is the right person, known from three pictures in other light.

- *found*: faces that detection has in their place, seen or interpolated between two that were, out of those that are
  there. A face counts as *clear* if at most a tenth of it is covered or lies outside of the picture, as
  *partly covered* up to a half, and not at all beyond.
- *taken*: faces that detection takes for the right person, and whose they are. What is taken but nobody's to be seen
  there is *nobody's*.
- *landmark error*: mean distance of 51 landmarks from the truth, in distances of the outer eye corners: in the
  picture, where turning shortens that distance, and in space, where it does not. *less convention* takes out what the
  two sets of landmarks mean differently (:mod:`stages.bench.accuracy`), as fitted to twelve other performers.
- *stability*: see :mod:`stages.bench.stability`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align
from stages.artifacts.alignments import Alignments
from stages.artifacts.decisions import Person as Decided
from stages.artifacts.detections import Detections
from stages.artifacts.frames import Frames
from stages.bench import stability
from stages.bench.accuracy import errors, normalised, shown
from stages.bench.crowd import THREE, Person, Scene, cast, reference_pictures, shoot
from stages.bench.matching import found, rows_of, taken, whose
from stages.bench.program import main
from stages.bench.reel import facts_of, reel
from stages.bench.sitters import convention_of
from stages.detection.identity import judge, reference_from_pictures
from stages.detection.looking import looking_of
from stages.detection.settings import DetectionSettings
from stages.detection.stage import as_tables, follow
from stages.detection.tracking import Tracker
from stages.geometry import as_matrix, scale_of
from stages.packs import Landmarker, five_points, open_pack
from stages.progress import progress
from stages.rendering.render import Performer
from stages.settings import load_params

YAWS: Final = (0.0, 15.0, 30.0, 45.0, 60.0)
"""Bounds of the bins, degrees to either side."""

CLEAR, PARTLY = 0.1, 0.5


@dataclass(frozen=True)
class Filmed:
    """A scene as frames, its truth, and pictures that each person is known from."""

    frames: Frames
    truth: tuple[tuple[Person, ...], ...]
    references: dict[str, list[Path]]


@dataclass(frozen=True)
class Results:
    """What the stages made of a scene, by the name of who was the right person."""

    detections: dict[str, Detections]
    alignments: dict[str, Alignments]


def filmed(folder: Path, *scenes: Scene, performers: dict[str, Performer] | None = None) -> Filmed:
    """Render scenes of one cast and size, one after the other, into a new folder; ``performers`` saves making them."""
    first = scenes[0]
    performers = performers or cast(first)
    folder.mkdir()
    truth: list[tuple[Person, ...]] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for scene in scenes:
            for shot in progress(shoot(scene, performers), total=scene.frames, what="rendering"):
                truth.append(shot.people)
                yield shot.rgb

    (folder / "frames").mkdir()
    frames = reel(folder / "frames", pictures(), facts_of(first.width, first.height, first.rate))
    references = {role.name: reference_pictures(role, performers[role.name], folder) for role in first.roles}
    return Filmed(frames, tuple(truth), references)


def results(film: Filmed, settings: DetectionSettings, alignment: AlignmentSettings) -> Results:
    """Run detection once, and for each person, who is then the right one, matching and alignment."""
    pack = open_pack(settings.pack)
    same = pack.same_person if settings.same_person is None else settings.same_person
    looking, tracker = looking_of(pack, settings), Tracker(settings.gap, same, settings.every)
    tracks, _ = follow(film.frames, settings, tracker, what="detection")
    detections, alignments = {}, {}
    for name, pictures in film.references.items():
        verdicts = judge(tracks, reference_from_pictures(pictures, looking), same, Decided())
        detections[name] = as_tables(tracks, verdicts, {})
        alignments[name] = align(film.frames, detections[name].faces, alignment, clip=name)
    return Results(detections, alignments)


def binned(yaws: pd.Series) -> pd.Series:
    """The bin of :data:`YAWS` of each angle, by its upper bound; NaN beyond the last."""
    return pd.cut(yaws.abs(), list(YAWS), labels=list(YAWS[1:]), include_lowest=True)


def table_of_found(film: Filmed, made: Results) -> pd.DataFrame:
    """For each bin of yaw: how many faces there are to be seen, clear and partly covered, and the share found."""
    some = next(iter(made.detections.values()))
    rows = found(some.faces, film.truth)
    rows = rows[rows["size"] >= 48.0].assign(yaw=binned(rows["yaw"]))
    kinds = {"clear": rows["covered"] <= CLEAR, "partly": (rows["covered"] > CLEAR) & (rows["covered"] <= PARTLY)}
    cells = {}
    for kind, chosen in kinds.items():
        groups = rows[chosen].groupby("yaw", observed=False)["found"]
        cells[kind], cells[f"{kind} found"] = groups.size(), groups.mean()
    return pd.DataFrame(cells)


def table_of_taken(film: Filmed, made: Results) -> pd.DataFrame:
    """For each right person: faces taken, and whose they are; and how many landmarks lie on somebody else."""
    rows = []
    for name, detections in made.detections.items():
        whom = taken(detections.faces, film.truth)["person"]
        there = found(detections.faces, film.truth).query("person == @name and covered <= @PARTLY")
        on_others = sum(
            number is not None and film.truth[row.frame][number].name != name
            for row in rows_of(made.alignments[name].whole())
            for number in [whose(film.truth[row.frame], five_points(np.asarray(row.landmarks).reshape(-1, 3)))]
        )
        rows.append(
            (name, len(there), len(whom), (whom == name).sum(), (whom.notna() & (whom != name)).sum(), on_others)
        )
    return pd.DataFrame(rows, columns=["person", "there", "taken", "right", "another's", "landmarks on another"])


def aligned(film: Filmed, made: Results) -> tuple[list[Person], list[NDArray[np.float32]]]:
    """The truth and the landmarks of every aligned face that is the right person's and not covered."""
    people, landmarks = [], []
    for name, alignments in made.alignments.items():
        for row in rows_of(alignments.whole()):
            person = next(each for each in film.truth[row.frame] if each.name == name)
            if person.covered <= CLEAR:
                people.append(person)
                landmarks.append(np.asarray(row.landmarks, np.float32).reshape(-1, 3))
    return people, landmarks


def table_of_errors(
    people: Sequence[Person], landmarks: Sequence[NDArray[np.floating]], meant: NDArray[np.float64]
) -> pd.DataFrame:
    """For each bin of yaw: landmark error, raw and less convention, in eye distances in the picture and in space.

    Args:
        people, landmarks: as :func:`aligned` gives them.
        meant: the convention, (51, 3) cm.
    """
    vectors = errors(people, landmarks)
    apart = np.array([np.linalg.norm(person.landmarks[36] - person.landmarks[45]) / person.eyes for person in people])
    raw, rest = normalised(people, vectors), normalised(people, vectors - shown(people, meant))
    table = pd.DataFrame(
        {"raw": raw, "raw in picture": raw / apart, "less convention": rest, "less convention in picture": rest / apart}
    )
    groups = table.groupby(binned(pd.Series([person.yaw for person in people])), observed=False)
    return groups.mean().assign(faces=groups.size(), p95=groups["less convention"].quantile(0.95))


@dataclass(frozen=True)
class Steadiness:
    """Figures of :mod:`stages.bench.stability`; jitter in pixels at 256, lag in frames, across in frame pixels."""

    network: float
    jitter: float
    lag: float
    shots: int
    across: float


def steadiness(folder: Path, settings: DetectionSettings, alignment: AlignmentSettings) -> Steadiness:
    """Render the three clips into an existing empty folder, and measure."""
    performers = cast(stability.STILL)
    clips = {"still": (stability.STILL,), "turn": (stability.TURN,), "cut": stability.CUT}
    films = {name: filmed(folder / name, *scenes, performers=performers) for name, scenes in clips.items()}
    made = {name: results(film, settings, alignment) for name, film in films.items()}
    faces = {name: next(iter(each.detections.values())).faces for name, each in made.items()}
    tables = {name: next(iter(each.alignments.values())).whole() for name, each in made.items()}
    unsteadied = alignment.model_copy(update={"smooth_landmarks": 0.0, "smooth_transform": 0.0})
    network = align(films["still"].frames, faces["still"], unsteadied, clip="still").whole()
    side = float(np.mean([1.0 / scale_of(as_matrix(row)) for row in network["transform"]]))
    begins = faces["cut"]["frame"] >= stability.CUT[0].frames
    parts = [
        align(films["cut"].frames, faces["cut"][rows], alignment, clip="cut").whole() for rows in (~begins, begins)
    ]
    return Steadiness(
        network=stability.jitter(points_of(network)[..., :2], side),
        jitter=stability.jitter(points_of(tables["still"])[..., :2], side),
        lag=stability.lag(points_of(tables["turn"]), [people[0] for people in films["turn"].truth]),
        shots=int(films["cut"].frames.index["shot"].nunique()),
        across=stability.across(*(points_of(table)[..., :2] for table in (tables["cut"], *parts))),
    )


def points_of(table: pd.DataFrame) -> NDArray[np.float64]:
    """The landmarks of a table of alignments, (n, 478, 3)."""
    return np.stack(table["landmarks"].tolist()).reshape(len(table), -1, 3).astype(np.float64)


def report(film: Filmed, made: Results, meant: NDArray[np.float64], steady: Steadiness) -> str:
    """All tables as Markdown."""
    seen, errors_ = table_of_found(film, made), table_of_errors(*aligned(film, made), meant)
    lines = ["| yaw to | clear | found | partly covered | found |", "|---:|---:|---:|---:|---:|"]
    for yaw, row in seen.iterrows():
        lines.append(
            f"| {yaw:.0f}° | {row['clear']:.0f} | {row['clear found']:.1%} | {row['partly']:.0f} | "
            f"{row['partly found']:.1%} |".replace("nan%", "")
        )
    lines += ["", "| right person | to be seen | taken | hers | another's | landmarks on another |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for cells in table_of_taken(film, made).itertuples(index=False):
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    lines += ["", "| yaw to | faces | raw | in picture | less convention | in picture | 95 % |"]
    lines += ["|---:|" + "---:|" * 6]
    for yaw, row in errors_.iterrows():
        names = ("raw", "raw in picture", "less convention", "less convention in picture", "p95")
        lines.append(f"| {yaw:.0f}° | {row['faces']:.0f} | {' | '.join(f'{row[name]:.2%}' for name in names)} |")
    lines += ["", "| jitter of the network | steadied | lag of a fast turn | shots told | across the cut |"]
    lines += ["|---:|---:|---:|---:|---:|"]
    lines.append(
        f"| {steady.network:.3f} px | {steady.jitter:.3f} px | {steady.lag:+.2f} frames | {steady.shots} of 2 | "
        f"{steady.across:.3f} px |"
    )
    return "\n".join(lines)


def command(params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml")) -> None:
    """Print what detection, matching and alignment make of performers whose truth is exact."""
    settings = load_params(params)
    with tempfile.TemporaryDirectory() as folder:
        how = settings.detection, settings.alignment
        film = filmed(Path(folder) / "crowd", THREE)
        landmarker = Landmarker(open_pack(), device=how[1].device, threads=how[1].threads)
        meant = convention_of(landmarker)
        print(report(film, results(film, *how), meant, steadiness(Path(folder), *how)))


if __name__ == "__main__":
    main("faces", command)
