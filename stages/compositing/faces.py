"""The faces that are to be placed: what alignment and conversion know about each, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing.masks import Mask, face_size, raw_mask, shaped
from stages.compositing.motion import motions
from stages.compositing.settings import MaskSettings
from stages.compositing.steadiness import Weights, runs
from stages.problems import Problem

MASK_SIZE = 256
"""Side of a mask in pixels while it is shaped: fine enough that its steps vanish in the feather of a 1080p close-up."""


def faces_to_place(converted: Converted, alignments: Alignments, frames: Frames) -> pd.DataFrame:
    """A row per converted face, by frame and face: the small columns of both tables, and its motion.

    ``aligned`` is the row of the alignments, by which landmarks and what is seen can be had, ``motion_x`` and
    ``motion_y`` are what :func:`stages.compositing.motion.motions` says.

    Raises:
        Problem: a converted face has no alignment or no frame, so the artifacts do not belong together.
    """
    known = alignments.table[["frame", "face", "track", "shot", "yaw", "transform"]]
    known = known.assign(aligned=known.index)
    faces = converted.index.merge(known, on=["frame", "face"], how="left", validate="one_to_one")
    lost = faces[faces["track"].isna() | (faces["frame"] >= len(frames))]
    if len(lost):
        raise Problem(
            f"{len(lost)} converted faces have no alignment or frame, the first in frame {lost['frame'].iloc[0]}",
            where=converted.folder,
            mend="it was made from another version of the clip: run `dvc repro`",
        )
    faces = faces.sort_values(["frame", "face"], kind="stable").reset_index(drop=True)
    moved = motions(faces, middles(alignments, faces["aligned"].to_numpy(np.int64)), frames)
    return faces.assign(motion_x=moved[:, 0], motion_y=moved[:, 1])


def middles(alignments: Alignments, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of the landmarks of some rows, (n, 2) in frame pixels; so many at a time are in memory."""
    found = [points.astype(np.float64)[:, :, :2].mean(axis=1) for points in alignments.each_landmarks(rows)]
    return np.concatenate([np.zeros((0, 2)), *found])


def motion_of(faces: pd.DataFrame, row: int) -> NDArray[np.float64]:
    """How far a face moves in its frame, (2,) in frame pixels."""
    return np.array([faces["motion_x"].iloc[row], faces["motion_y"].iloc[row]])


def transform_of(faces: pd.DataFrame, row: int) -> NDArray[np.float64]:
    """Frame pixels to the unit crop, (2, 3)."""
    return geometry.as_matrix(np.asarray(faces["transform"].iloc[row], dtype=np.float64))


def outline_of(faces: pd.DataFrame, row: int) -> NDArray[np.float64]:
    """The landmarks of a face in unit-crop coordinates, (478, 2); of a table with wide columns."""
    points = np.asarray(faces["landmarks"].iloc[row], dtype=np.float64).reshape(-1, 3)[:, :2]
    return geometry.apply(transform_of(faces, row), points)


def weights_over_time(faces: pd.DataFrame, frames: Frames, sigma: float) -> Weights:
    """Who counts for whom when something of these faces is smoothed over ``sigma`` seconds."""
    base = Fraction(frames.facts.time_base)
    pts = frames.index["pts"].to_numpy()
    seconds = np.array([float(int(pts[frame]) * base) for frame in faces["frame"]], np.float64)
    return Weights(seconds, runs(faces), sigma)


def steady_masks(converted: Converted, faces: pd.DataFrame, weights: Weights, settings: MaskSettings) -> Iterator[Mask]:
    """The finished mask of every face in order, (MASK_SIZE, MASK_SIZE) float32, smoothed over time, then shaped.

    Reads ahead only as far as the smoothing reaches and forgets what no later face needs.
    """
    raw = (
        raw_mask(mask, outline_of(faces, row), MASK_SIZE, settings)
        for row, (_, mask) in enumerate(converted.each(faces))
    )
    for here, mean in enumerate(means_over_time(raw, weights)):
        yield shaped(mean, face_size(outline_of(faces, here)) * MASK_SIZE, settings)


def shown_in(converted: Converted, faces: pd.DataFrame) -> Iterator[Mask]:
    """How surely each converted crop shows a face, (s, s) float32 in 0..1, in order, one at a time."""
    for picture in converted.shown(faces):
        yield picture.astype(np.float32) / np.float32(255.0)


def means_over_time(masks: Iterator[Mask], weights: Weights) -> Iterator[Mask]:
    """Weighted means of masks that come in order; in memory are those that a present or later mean needs."""
    needed_from = np.array([min(row for row, _ in weights[here]) for here in range(len(weights))], dtype=np.intp)
    keep_from = np.minimum.accumulate(needed_from[::-1])[::-1]
    known: dict[int, Mask] = {}
    read = 0
    for here in range(len(weights)):
        last = max(row for row, _ in weights[here])
        while read <= last:
            known[read] = next(masks)
            read += 1
        for row in [row for row in known if row < keep_from[here]]:
            del known[row]
        mean = np.zeros_like(known[here])
        for row, weight in weights[here]:
            mean += np.float32(weight) * known[row]
        yield mean
