"""What an evaluation looks at: the artifacts, which faces of them, and where these lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.face_set import FaceSet
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.truth import Truth
from stages.evaluation.flow import face_box
from stages.evaluation.sampling import chosen_faces, chosen_stretches, with_split
from stages.evaluation.settings import EvaluationSettings
from stages.problems import Problem


@dataclass(frozen=True)
class Evidence:
    """Everything that an evaluation looks at."""

    target: Frames
    alignments: Alignments
    face_set: FaceSet
    converted: Converted
    finished: Frames
    deliverable: Deliverable
    model: SwapModel
    truth: Truth | None
    source_faces: Path
    target_faces: Path


def faces_to_measure(evidence: Evidence, settings: EvaluationSettings) -> pd.DataFrame:
    """The faces to measure, with what is known of each: those that are measured in full, and those in stretches."""
    known = evidence.alignments.table[["frame", "face", "shot", "transform"]]
    known = known.assign(aligned=known.index)
    faces = evidence.converted.index.merge(known, on=["frame", "face"], how="inner").sort_values(["frame", "face"])
    if len(faces) == 0:
        raise Problem(
            "no face was replaced, so there is nothing to measure",
            where=evidence.converted.folder,
            mend="check that the right person was found: data/detection/<clip>/tracks.parquet tells why not",
        )
    every = with_split(faces, evidence.face_set.index)
    full = set(chosen_faces(every, settings.frames)["frame"])
    stretches = chosen_stretches(every, settings.stretches, settings.stretch_frames)
    within = {frame: number for number, stretch in enumerate(stretches) for frame in stretch}
    every = every.assign(full=every["frame"].isin(full), stretch=every["frame"].map(within).fillna(-1).astype(int))
    chosen = every[every["full"] | (every["stretch"] >= 0)].reset_index(drop=True)
    return evidence.alignments.widened(chosen, "aligned")


def boxes_of(faces: pd.DataFrame, target: Frames) -> dict[int, tuple[int, int, int, int]]:
    """What holds the face all through each stretch."""
    boxes = {}
    for stretch in sorted(set(faces["stretch"].tolist()) - {-1}):
        rows = faces[faces["stretch"] == stretch]
        transforms = [geometry.as_matrix(np.asarray(transform, np.float64)) for transform in rows["transform"]]
        boxes[stretch] = face_box(transforms, target.facts.width, target.facts.height)
    return boxes


def transforms_of(alignments: Alignments) -> dict[int, list[NDArray[np.float64]]]:
    """By frame, those of all its replaced faces."""
    result: dict[int, list[NDArray[np.float64]]] = {}
    for frame, transform in zip(alignments.table["frame"].tolist(), alignments.table["transform"], strict=True):
        result.setdefault(frame, []).append(geometry.as_matrix(np.asarray(transform, np.float64)))
    return result


def lineage_of(evidence: Evidence) -> dict[str, str]:
    """Names and hashes of what the swap was made from, for the report."""
    facts = evidence.target.facts.model_extra or {}
    lineage = {
        "clip": f"{facts.get('source', '')} sha256 {facts.get('source_sha256', '')}",
        "model": f"sha256 {sha256_of(evidence.model.folder / 'model.json')}",
        "deliverable": f"sha256 {evidence.deliverable.facts.get('sha256', '')}",
    }
    return {name: value for name, value in lineage.items() if value.split()[-1] != "sha256"}
