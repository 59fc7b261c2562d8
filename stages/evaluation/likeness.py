"""Whom a face looks like: cosine similarity of embeddings to the source, to the target, and to strangers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.face_set import FaceSet, clips_of
from stages.evaluation.sampling import spread
from stages.packs import Recogniser, five_points
from stages.problems import Problem

Embedding = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """A recogniser and whom it knows.

    Attributes:
        recogniser: that describes faces.
        source, target: what stands for the two identities, (d,) of length 1.
        strangers: (n, d), of people who are neither; n may be 0.
        prefix: that the columns' names begin with.
    """

    recogniser: Recogniser
    source: Embedding
    target: Embedding
    strangers: NDArray[np.float32]
    prefix: str = ""

    def embedding(self, picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> Embedding:
        """Of the face in a frame (h, w, 3) uint8 RGB with landmarks (478, 2 or 3), frame pixels; (d,) of length 1."""
        (vector,) = self.recogniser.embed(picture, five_points(landmarks)[None])
        return np.asarray(vector, np.float32)

    def figures(self, face: Embedding, suffix: str = "") -> dict[str, float]:
        """Cosine similarities -1..1, and as 0 or 1 whether the source is nearer than the target, and than anyone."""
        to_source, to_target = float(face @ self.source), float(face @ self.target)
        row = {
            f"{self.prefix}similarity_source{suffix}": to_source,
            f"{self.prefix}similarity_target{suffix}": to_target,
            f"{self.prefix}nearer_to_source{suffix}": float(to_source > to_target),
        }
        if len(self.strangers):
            nearest = max(to_target, float((self.strangers @ face).max()))
            row[f"{self.prefix}retrieved{suffix}"] = float(to_source > nearest)
        return row


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
        landmarks = sets[which].landmarks(rows)[0] * crop.shape[0]
        vectors.append(recogniser.embed(crop, five_points(landmarks)[None])[0])
    if not vectors:
        raise Problem("there are no faces in it", where=folder, mend="check the clip: is the person to be seen in it?")
    return mean_direction(np.stack(vectors))


def mean_direction(vectors: NDArray[np.float32]) -> Embedding:
    """The mean of embeddings (n, d), brought to length 1."""
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def spreads(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each embedding (n, d) lies from the mean of all, 1 - cosine, (n,): their variance on the sphere."""
    return np.asarray(1.0 - vectors @ mean_direction(vectors), np.float32)
