"""Says which tracks are the right person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.artifacts.decisions import Person, at
from stages.detection.looking import Looking
from stages.detection.sparing import DOUBTED
from stages.detection.tracking import Track
from stages.problems import Problem

BEST_FACES: Final = 20
"""Faces of a track that its embedding is the mean of."""


@dataclass(frozen=True)
class Reference:
    """What tracks are compared with: an embedding of length 1, and in words where it is from."""

    embedding: NDArray[np.float32]
    origin: str


@dataclass(frozen=True)
class Verdict:
    """What was decided about one track."""

    similarity: float
    taken: bool
    reason: str
    embedding: NDArray[np.float32]
    by_hand: bool = False


def reference_from_pictures(paths: Sequence[Path], looking: Looking) -> Reference:
    """The mean embedding of the largest face in each picture.

    Raises:
        Problem: a picture is missing, unreadable or without a face.
    """
    embeddings = []
    for path in paths:
        coded = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR) if coded.size else None
        if picture is None:
            raise Problem("this reference picture can not be read", where=path, mend="give a JPEG or PNG file")
        rgb = np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8)
        found, described = looking.at(rgb)
        if not len(found) or float(found.scores.max()) < DOUBTED:
            found, described = looking.at(rgb, tilted=True)
        if not len(found):
            raise Problem(
                "there is no face in this reference picture",
                where=path,
                mend="give a picture of the face from the front",
            )
        largest = int(np.argmax(found.boxes[:, 3] - found.boxes[:, 1]))
        embeddings.append(described[largest])
    mean = np.mean(embeddings, axis=0)
    return Reference(np.asarray(mean / np.linalg.norm(mean), np.float32), f"{len(paths)} reference pictures")


def reference_from_tracks(tracks: Sequence[Track], person: Person) -> Reference:
    """The embedding of the track that takes most of the clip.

    A person's word goes first: among tracks said to be right if there are any, never one that is said to be wrong.

    Args:
        tracks: of the clip; not all of them may be said to be wrong.
        person: what was decided by hand.
    """
    right, wrong = ({name.track for name in names} for names in (person.right, person.wrong))
    allowed = right or set(range(len(tracks))) - wrong
    dominant = max(sorted(allowed), key=lambda number: tracks[number].extent)
    origin = "right by hand" if right else "the clip's dominant face"
    return Reference(tracks[dominant].descriptor(BEST_FACES), f"track {dominant}, {origin}")


def judge(tracks: Sequence[Track], reference: Reference, same_person: float, person: Person) -> list[Verdict]:
    """Compare every track with the reference; the right person's are those at least ``same_person`` alike.

    What was decided by hand stands, whatever the similarity.
    """
    by_hand = {name.track: True for name in person.right} | {name.track: False for name in person.wrong}
    verdicts = []
    for number, track in enumerate(tracks):
        embedding = track.descriptor(BEST_FACES)
        similarity = float(embedding @ reference.embedding)
        if number in by_hand:
            taken = by_hand[number]
            why = "by hand: " + ("the right person" if taken else "not the right person")
            reason = f"{why} (similarity {similarity:.3f} to {reference.origin})"
        else:
            taken = similarity >= same_person
            which = "at least" if taken else "below"
            reason = f"similarity {similarity:.3f} to {reference.origin}, {which} {same_person:.3f}"
        verdicts.append(Verdict(similarity, taken, reason, embedding, number in by_hand))
    return verdicts


def require_tracks(tracks: Sequence[Track], person: Person, clip: str) -> None:
    """Make sure that the tracks that were decided on are there, and that others are left to decide on.

    Raises:
        Problem: there is no such track, or it begins at another frame; all tracks are said to be wrong.
    """
    for kind, names in (("right", person.right), ("wrong", person.wrong)):
        for number, name in enumerate(names):
            begins = tracks[name.track].faces[0].frame if name.track < len(tracks) else None
            if begins == name.first:
                continue
            found = "there is no such track" if begins is None else f"it begins at frame {begins}"
            raise Problem(
                f"track {name.track} was decided on as one that begins at frame {name.first}, but {found}: "
                "the tracks are not those that were looked at",
                where=at(clip, "person", kind, number),
                mend=f"decide anew; there are {told(tracks)}",
            )
    if len(person.wrong) == len(tracks):
        raise Problem(
            "all tracks of the clip are said to be wrong",
            where=at(clip, "person", "wrong"),
            mend="leave one that is the right person, or take the clip out of params.yaml",
        )


def told(tracks: Sequence[Track], most: int = 12) -> str:
    """The tracks that take most of the clip, as a decisions file names them."""
    largest = sorted(range(len(tracks)), key=lambda number: -tracks[number].extent)[:most]
    names = [f"{{track: {number}, first: {tracks[number].faces[0].frame}}}" for number in sorted(largest)]
    return ", ".join(names) + (f" and {len(tracks) - most} smaller ones" if len(tracks) > most else "")
