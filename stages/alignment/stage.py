"""Reads a clip's frames and detections; writes its alignments (see docs/architecture.md, "alignments")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.alignment.canonical_crop import fit
from stages.alignment.corrections import corrections_of
from stages.alignment.looking import LookAtFaces, Seen, arrays_of, seen_of, spans_with
from stages.alignment.settings import AlignmentSettings
from stages.alignment.smoothing import bridged, parameters_of, places_of, smooth, smooth_in_parts, transforms_of
from stages.artifacts.alignments import ALIGNMENTS, Alignments
from stages.artifacts.decisions import Decisions
from stages.artifacts.detections import Detections
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import SIZE, packed, unpacked
from stages.atomic import whole_folder
from stages.consent import require_clip_consent
from stages.execution.engines import HERE, Engine, opened
from stages.execution.keeping import AsArrays, Keeping
from stages.expression import eyes_open, mouth_open, pose_of
from stages.geometry import Floats
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.progress import bar
from stages.resuming import resumable
from stages.settings import Params

NONE: Final = Decisions()


def place(clip: str) -> Path:
    """Where the alignments of a clip lie."""
    return Path("data/alignment") / clip


def run(name: str, params: Params) -> None:
    """Place dense landmarks on the right person's face and turn it to the canonical crop, steadily over time.

    Raises:
        Problem: no consent; a part that this stage reads is missing or damaged; a decision by hand is about other
            footage or faces.
    """
    require_clip_consent(name, params, "alignment")
    frames = Frames.read(Path("data/extraction") / name)
    detections = Detections.read(Path("data/detection") / name)
    decisions = Decisions.read(name, "landmarks")
    reads = LookAtFaces(frames.folder, params.alignment).reads
    with resumable("alignment", name, reads=reads) as kept, opened(params.execution) as engine:
        keeping = Keeping(engine, kept, AsArrays(arrays_of, seen_of))
        alignments = align(frames, detections.faces, params.alignment, decisions, clip=name, engine=keeping)
        with whole_folder(place(name)) as folder:
            alignments.write(folder)


def align(
    frames: Frames,
    faces: pd.DataFrame,
    settings: AlignmentSettings,
    decisions: Decisions = NONE,
    *,
    clip: str,
    engine: Engine = HERE,
) -> Alignments:
    """The alignments of a clip's taken faces.

    Args:
        frames: the clip's frames.
        faces: its faces, as :class:`stages.artifacts.detections.Detections` holds them.
        settings: how to steady.
        decisions: where landmarks lie, by hand.
        clip: its name, for the bar and for messages.
        engine: who looks; steadying reaches over frames and is done here.

    Raises:
        Problem: a decision is about other footage or faces.
    """
    decisions.require_footage(frames, clip)
    pack = open_pack()
    canonical = read_canonical(pack.files["canonical_face"])
    taken = faces[faces["taken"]].sort_values(["frame", "face"]).reset_index(drop=True)
    by_hand = corrections_of(taken, faces, decisions.landmarks, clip)
    looked: list[Seen] = []
    spans = spans_with(frames, taken)
    with bar(total=sum(map(len, spans)), what=f"alignment {clip}") as shown:
        for span, found in zip(spans, engine.map(LookAtFaces(frames.folder, settings), spans), strict=True):
            looked += found
            shown.update(len(span))
    seen = [replace(face, corrected=points) for face, points in zip(looked, by_hand, strict=True)]
    shots = frames.index["shot"].to_numpy()[taken["frame"].to_numpy()]
    rows: list[tuple[Any, ...]] = []
    for run in runs_of(taken):
        landmarks, transforms = steady([seen[i] for i in run], canonical, settings)
        for i, points, transform in zip(run, landmarks, transforms, strict=True):
            face = taken.iloc[i]
            rows.append(
                (
                    *(int(face[name]) for name in ("frame", "face", "track")),
                    int(shots[i]),
                    points.ravel(),
                    transform.ravel(),
                    *pose_of(points, canonical, frames.facts.width, frames.facts.height),
                    mouth_open(points),
                    *eyes_open(points),
                    seen[i].sharpness,
                    seen[i].exposure,
                    seen[i].sure,
                    seen[i].visible,
                    brought(seen[i].seen, fit(seen[i].landmarks, canonical), transform),
                )
            )
    table = pd.DataFrame(rows, columns=ALIGNMENTS.names).sort_values(["frame", "face"], ignore_index=True)
    facts = {"faces": len(table), "settings": settings.model_dump(exclude={"device", "threads"})}
    facts |= decisions.facts()
    return Alignments(table, facts)


def brought(seen: bytes, transform: Floats, steadied: Floats) -> bytes:
    """What is seen of a face, brought from the crop in which it was seen to the steadied one.

    Args:
        seen: as :func:`stages.artifacts.visibility.packed` has it.
        transform, steadied: (2, 3), frame pixels to the unit crops. Beyond the former, its border goes on.
    """
    to_pixels = geometry.to_pixels(SIZE)
    between = geometry.compose(geometry.invert(transform), steadied)
    move = geometry.compose(geometry.compose(geometry.invert(to_pixels), between), to_pixels)
    return packed(np.asarray(geometry.warp(unpacked(seen), move, SIZE, SIZE), np.float32))


def runs_of(taken: pd.DataFrame) -> list[list[int]]:
    """The rows of each track, cut where frames are missing: what is steadied together. A track has no cut in it."""
    runs = []
    for _, rows in taken.groupby("track", sort=True):
        breaks = np.flatnonzero(np.diff(rows["frame"].to_numpy()) > 1) + 1
        runs += [part.tolist() for part in np.split(rows.index.to_numpy(), breaks)]
    return runs


def steady(seen: list[Seen], canonical: Floats, settings: AlignmentSettings) -> tuple[NDArray[np.floating], Floats]:
    """Landmarks (n, 478, 3) float32 and transforms (n, 2, 3) of a run of frames, steadied.

    Corrections go in before, so that the frames around follow; and after unsure frames were bridged, which would undo
    them. A corrected frame then counts in full: a person has looked at it.
    """
    sure = np.array([face.sure for face in seen])
    points = bridged(np.stack([face.landmarks.ravel() for face in seen]), sure, settings.confidence)
    points = points.reshape(len(seen), -1, 3)
    for row, face in enumerate(seen):
        for number, place in face.corrected.items():
            points[row, number, :2] = place
    counts = np.where([bool(face.corrected) for face in seen], 1.0, sure)
    rough = parameters_of(np.stack([fit(each, canonical) for each in points]))
    places = places_of(rough)
    steadied = transforms_of(smooth(rough, counts, places, settings.smooth_transform))
    done = 0
    for part in smooth_in_parts(points.reshape(len(seen), -1).copy(), counts, places, settings.smooth_landmarks):
        points[done : done + len(part)] = part.reshape(len(part), -1, 3)
        done += len(part)
    return points, steadied
