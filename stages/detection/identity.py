"""Says which tracks are the right person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.detection.looking import Looking
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


def reference_from_tracks(tracks: Sequence[Track]) -> Reference:
    """The embedding of the track that takes most of the clip."""
    dominant = max(range(len(tracks)), key=lambda number: tracks[number].extent)
    return Reference(tracks[dominant].descriptor(BEST_FACES), f"track {dominant}, the clip's dominant face")


def judge(tracks: Sequence[Track], reference: Reference, same_person: float) -> list[Verdict]:
    """Compare every track with the reference; the right person's are those at least ``same_person`` alike."""
    verdicts = []
    for track in tracks:
        embedding = track.descriptor(BEST_FACES)
        similarity = float(embedding @ reference.embedding)
        taken = similarity >= same_person
        reason = (
            f"similarity {similarity:.3f} to {reference.origin}, {'at least' if taken else 'below'} {same_person:.3f}"
        )
        verdicts.append(Verdict(similarity, taken, reason, embedding))
    return verdicts
