"""Reads a clip's frames; writes its faces and tracks (see docs/architecture.md, "faces" and "tracks")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from stages import contact_sheet
from stages.artifacts.decisions import Decisions, at
from stages.artifacts.detections import FACES, TRACKS, Detections
from stages.artifacts.frames import Frames
from stages.atomic import whole_folder
from stages.consent import consent_path, require_clip_consent
from stages.consent.evidence import require_enrolled_face
from stages.detection import sheet
from stages.detection.identity import (
    Verdict,
    judge,
    reference_from_pictures,
    reference_from_tracks,
    require_tracks,
    told,
)
from stages.detection.looking import LookForFaces, Sight, arrays_of, looking_of, sights_of
from stages.detection.settings import DetectionSettings
from stages.detection.sparing import first_looks, missed, second_looks
from stages.detection.tracking import Track, Tracker, in_sight
from stages.execution.engines import HERE, Engine, opened
from stages.execution.keeping import AsArrays, Keeping
from stages.execution.work import spans_of
from stages.packs import open_pack
from stages.pixel_shape import PixelShape
from stages.problems import Problem
from stages.progress import bar
from stages.resuming import resumable
from stages.settings import Params

NONE: Final = Decisions()


def place(clip: str) -> Path:
    """Where the detections of a clip lie."""
    return Path("data/detection") / clip


def run(name: str, params: Params) -> None:
    """Find every face of a clip, follow it over time and say which is the right person.

    Raises:
        Problem: no consent; no enrolled face; no face in the clip; none of its faces is the identity's; a decision by
            hand is about other footage or tracks.
    """
    clip = params.clip(name)
    record = require_clip_consent(name, params, "detection")
    pictures = params.identities[clip.identity].reference
    require_enrolled_face(record, pictures, consent_path(clip.identity), unenrolled=params.detection.unenrolled)
    frames = Frames.read(Path("data/extraction") / name)
    decisions = Decisions.read(name, "person")
    reads = LookForFaces(frames.folder, params.detection).reads
    with resumable("detection", name, reads=reads) as kept, opened(params.execution) as engine:
        keeping = Keeping(engine, kept, AsArrays(arrays_of, sights_of))
        detections = detect(
            frames, params.detection, pictures, decisions, clip=name, identity=clip.identity, engine=keeping
        )
        with whole_folder(place(name)) as folder:
            detections.write(folder)
            contact_sheet.write(sheet.draw(frames, detections, name), folder / "tracks.png")


def detect(
    frames: Frames,
    settings: DetectionSettings,
    pictures: Sequence[Path],
    decisions: Decisions = NONE,
    *,
    clip: str,
    identity: str,
    engine: Engine = HERE,
) -> Detections:
    """The faces and tracks of a clip.

    Args:
        frames: the clip's frames.
        settings: how to look.
        pictures: of the identity; if there are none, the clip's dominant face is taken for the right person.
        decisions: which tracks are the right person, by hand.
        clip, identity: their names, for the bar and for messages.
        engine: who looks.

    Raises:
        Problem: no face in the clip; none of its faces is the identity's; a picture is of no use; a decision is about
            other footage or tracks.
    """
    decisions.require_footage(frames, clip)
    pack = open_pack(settings.pack)
    same = pack.same_person if settings.same_person is None else settings.same_person
    given = reference_from_pictures(pictures, looking_of(pack, settings)) if pictures else None
    tracker = Tracker(settings.gap, same, settings.every, PixelShape.of(frames.facts).widening)
    tracks, tilted = follow(frames, settings, tracker, what=f"detection {clip}", engine=engine)
    if not tracks:
        raise Problem(
            f"no face was found in any of its {len(frames)} frames",
            where=f"params.yaml, clips.{clip}",
            mend="give a clip of a face, or lower detection.minimum_face or detection.score in params.yaml",
        )
    require_tracks(tracks, decisions.person, clip)
    reference = given or reference_from_tracks(tracks, decisions.person)
    verdicts = judge(tracks, reference, same, decisions.person)
    if not any(verdict.taken for verdict in verdicts):
        nearest = max(verdict.similarity for verdict in verdicts)
        raise Problem(
            f"none of its faces is '{identity}': the nearest has similarity {nearest:.3f}, needed is {same:.3f}",
            where=f"params.yaml, clips.{clip}",
            mend=f"check identities.{identity}.reference, lower detection.same_person in params.yaml, or say which "
            f"track is the right person in {at(clip, 'person.right')}: {told(tracks)} (docs/decisions.md)",
        )
    facts: dict[str, Any] = {"pack": pack.name, "licence": pack.licence, "same_person": same}
    facts |= {"reference": reference.origin} | ({"tilted_looks": tilted} if tilted else {})
    return as_tables(tracks, verdicts, facts | {"frames": len(frames)} | decisions.facts())


def follow(
    frames: Frames, settings: DetectionSettings, tracker: Tracker, *, what: str, engine: Engine = HERE
) -> tuple[list[Track], int]:
    """The tracks of all faces of a clip, in the order in which they begin, and at how many frames it was looked for
    tilted heads.

    Looking may be spread over an engine's workers; following is done here, frame after frame. With ``every`` above 1 it
    looks twice: at each n-th frame, then at those between of which these do not tell enough. Where an upright look may
    have missed somebody, it looks again, for heads on their side and upside down.
    """
    shots = frames.index["shot"].to_numpy()
    seen: dict[int, Sight] = {}
    again: set[int] = set()
    first = first_looks(shots, settings.every)
    with bar(total=0, what=what) as shown:

        def look(numbers: list[int], *, tilted: bool) -> None:
            shown.total = (shown.total or 0) + len(numbers)
            shown.refresh()
            work = LookForFaces(frames.folder, settings, tilted)
            for sights in engine.map(work, spans_of(frames, numbers)):
                seen.update((sight.frame, sight) for sight in sights)
                shown.update(len(sights))
            if tilted:
                again.update(numbers)

        def look_at(numbers: list[int]) -> None:
            look(numbers, tilted=settings.tilted == "always")
            while settings.tilted == "missed" and (left := sorted(set(missed(seen, shots)) - again)):
                look(left, tilted=True)

        look_at(first)
        look_at(second_looks(seen, shots, tracker.same))
    for number in sorted(seen):
        tracker.add(number, int(shots[number]), seen[number].found, seen[number].embeddings)
    return tracker.tracks, len(again)


def as_tables(tracks: list[Track], verdicts: list[Verdict], facts: dict[str, Any]) -> Detections:
    """The artifact.

    A person is in one place at a time: where several taken tracks share a frame, only one's face is taken there: one
    that was decided on by hand before the others, then the most similar. Faces that were hidden behind another's are
    left out; the facts say how many (``hidden_faces``).
    """
    kept, hidden = in_sight(tracks)
    worth = [(verdict.by_hand, verdict.similarity) for verdict in verdicts]
    rows = [(face.frame, number, face) for number, faces in enumerate(kept) for face in faces]
    rows.sort(key=lambda row: (row[0], row[1]))
    best: dict[int, int] = {}
    for frame, number, _ in rows:
        if verdicts[number].taken and (frame not in best or worth[number] > worth[best[frame]]):
            best[frame] = number
    table: list[tuple[Any, ...]] = []
    previous, face_number = -1, 0
    for frame, number, face in rows:
        face_number = face_number + 1 if frame == previous else 0
        previous = frame
        taken = best.get(frame) == number
        table.append((frame, face_number, number, face.score, *face.box.tolist(), face.points.ravel(), taken))
    people = [
        (
            number,
            track.faces[0].frame,
            track.faces[-1].frame,
            len(kept[number]),
            verdict.similarity,
            verdict.taken,
            verdict.reason,
            verdict.embedding,
        )
        for number, (track, verdict) in enumerate(zip(tracks, verdicts, strict=True))
    ]
    return Detections(
        pd.DataFrame(table, columns=FACES.names),
        pd.DataFrame(people, columns=TRACKS.names),
        facts | {"frames_with_the_person": len(best)} | ({"hidden_faces": hidden} if hidden else {}),
    )
