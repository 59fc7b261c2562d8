"""Whom a face looks like: cosine similarity of embeddings to the mean face of the source and of the target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.face_set import FaceSet, clips_of
from stages.evaluation.sampling import spread
from stages.packs import Recogniser, five_points
from stages.problems import Problem

Embedding = NDArray[np.float32]


def reference(folder: Path, recogniser: Recogniser, count: int) -> Embedding:
    """What stands for an identity: the mean embedding of faces spread evenly over its face sets, of length 1.

    Args:
        folder: of the identity, with a face set per clip.
        recogniser: that describes the faces.
        count: faces in all, at most.

    Raises:
        Problem: the identity has no faces.
    """
    sets = [FaceSet.read(clip) for clip in clips_of(folder)]
    places = [(which, row) for which, each in enumerate(sets) for row in range(len(each.index))]
    vectors = []
    for position in spread(len(places), count):
        which, row = places[position]
        rows = sets[which].index.iloc[[row]]
        (crop,) = sets[which].crops(rows)
        landmarks = np.asarray(rows["landmarks"].iloc[0], np.float32).reshape(-1, 2) * crop.shape[0]
        vectors.append(recogniser.embed(crop, five_points(landmarks)[None])[0])
    if not vectors:
        raise Problem("there are no faces in it", where=folder, mend="check the clip: is the person to be seen in it?")
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def similarity(
    picture: NDArray[np.uint8], landmarks: NDArray[np.floating], recogniser: Recogniser, references: list[Embedding]
) -> list[float]:
    """Cosine similarity of a face in a frame to each reference.

    Args:
        picture: (h, w, 3) uint8 RGB.
        landmarks: (478, 2 or 3) of the face, frame pixels.
        recogniser: that made the references.
        references: embeddings of length 1.

    Returns:
        -1..1 each, in the order of the references.
    """
    (vector,) = recogniser.embed(picture, five_points(landmarks)[None])
    return [float(vector @ each) for each in references]
