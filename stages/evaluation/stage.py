"""Reads the deliverable and all that led to it; writes metrics, a table by frame and the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.evaluation import Evaluation
from stages.artifacts.face_set import FaceSet
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.truth import Truth
from stages.atomic import whole_folder
from stages.consent import require_swap_consent
from stages.evaluation.likeness import reference
from stages.evaluation.measuring import Instruments, Row, measured
from stages.evaluation.report import Report
from stages.evaluation.sampling import chosen_faces, spread
from stages.evaluation.settings import EvaluationSettings
from stages.evaluation.stills import Still
from stages.evaluation.summary import summarised
from stages.evaluation.untouched import frames_passed_exactly
from stages.evaluation.views import views
from stages.onnx import open_session
from stages.packs import Landmarker, Pack, Recogniser, open_pack
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params


def place(swap: str) -> Path:
    """Where the evaluation of a swap lies."""
    return Path("data/evaluation") / swap


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


def run(name: str, params: Params) -> None:
    """Measure a swap, with controls, and write its report.

    Raises:
        Problem: no consent; an artifact is missing, damaged or belongs to another version of the clip; no face was
            replaced.
    """
    swap = params.swap(name)
    require_swap_consent(name, params, "evaluation")
    evidence = Evidence(
        target=Frames.read(Path("data/extraction") / swap.clip),
        alignments=Alignments.read(Path("data/alignment") / swap.clip),
        face_set=FaceSet.read(Path("data/dataset") / swap.target / swap.clip),
        converted=Converted.read(Path("data/conversion") / name),
        finished=Frames.read(Path("data/compositing") / name),
        deliverable=Deliverable.read(Path("data/encoding") / name),
        model=SwapModel.read(Path("data/training") / swap.pair),
        truth=Truth.read(Path("data/truth") / swap.truth),
        source_faces=Path("data/dataset") / swap.source,
        target_faces=Path("data/dataset") / swap.target,
    )
    about = {
        "swap": name,
        "pair": swap.pair,
        "source": swap.source,
        "target": swap.target,
        "clip": swap.clip,
        "truth": swap.truth,
        "settings": {
            stage: getattr(params, stage).model_dump(mode="json") for stage in ("compositing", "encoding", "evaluation")
        },
    }
    with whole_folder(place(name)) as folder:
        evaluate(evidence, params.evaluation, about, what=f"evaluation {name}").write(folder)


def evaluate(
    evidence: Evidence, settings: EvaluationSettings, about: dict[str, Any], *, what: str = "evaluation"
) -> Evaluation:
    """Metrics, frames and report of a swap.

    Args:
        evidence: what is measured.
        settings: of the stage.
        about: ``swap``, ``source``, ``target``, ``clip``, ``truth``, ``settings``: what the report says of the swap.
        what: the work in a few words, for the bar.

    Raises:
        Problem: no face was replaced, or the artifacts do not belong together.
    """
    faces = _faces(evidence, settings.frames)
    pack = open_pack(settings.pack)
    instruments = _instruments(evidence, settings, pack, str(about["target"]))
    crops = [crop for crop, _ in evidence.converted.each(faces)]
    if crops[0].shape[0] != evidence.model.output_size:
        raise Problem(
            f"its crops have {crops[0].shape[0]} pixels, the swap model gives {evidence.model.output_size}",
            where=evidence.converted.folder,
            mend="it was made by another model: run `dvc repro`",
        )
    transforms: dict[int, list[NDArray[np.float64]]] = {}
    replaced = evidence.alignments.table
    for frame, transform in zip(replaced["frame"].tolist(), replaced["transform"], strict=True):
        transforms.setdefault(frame, []).append(geometry.as_matrix(np.asarray(transform, np.float64)))
    shown = set(faces["frame"].iloc[spread(len(faces), settings.pictures)])
    seen = views(faces, evidence.target, evidence.finished, evidence.deliverable, evidence.truth)
    table: list[Row] = []
    stills: list[Still] = []
    for view, figures in progress(measured(seen, crops, transforms, instruments), total=len(faces), what=what):
        table.append(figures)
        if view.number in shown:
            stills.append(Still.of(view, figures, settings.picture_width, settings.picture_quality))
    frames = pd.DataFrame(table)
    passed = frames_passed_exactly(evidence.target, evidence.finished)
    metrics = summarised(
        frames, passed_exactly=passed, likeness_was_taught=_taught_by(pack, evidence.model.facts.get("recogniser"))
    )
    report = Report(about, metrics, frames, stills, evidence.deliverable.facts, _lineage(evidence))
    if "psnr" not in frames:  # dvc.yaml plots this column for every swap, known truth or not
        frames = frames.assign(psnr=float("nan"), ssim=float("nan"))
    return Evaluation(metrics, frames, report.html())


def _faces(evidence: Evidence, wanted: int) -> pd.DataFrame:
    """The faces to measure, with what is known of each."""
    known = evidence.alignments.table[["frame", "face", "transform", "landmarks"]]
    faces = evidence.converted.index.merge(known, on=["frame", "face"], how="inner").sort_values(["frame", "face"])
    if len(faces) == 0:
        raise Problem(
            "no face was replaced, so there is nothing to measure",
            where=evidence.converted.folder,
            mend="check that the right person was found: data/detection/<clip>/tracks.parquet tells why not",
        )
    return chosen_faces(faces, evidence.face_set.index, wanted)


def _taught_by(pack: Pack, teacher: str | None) -> bool:
    """Whether a model whose identity term used the recogniser of this SHA-256, if it had one, learnt from the pack's.

    Only the open pack's recogniser can be learnt through; an InsightFace pack has another and names no file for it.
    """
    return teacher is not None and "recognition" in pack.files and sha256_of(pack.files["recognition"]) == teacher


def _instruments(evidence: Evidence, settings: EvaluationSettings, pack: Pack, target: str) -> Instruments:
    recogniser = Recogniser(pack, device=settings.device, threads=settings.threads)
    return Instruments(
        recogniser=recogniser,
        landmarker=Landmarker(pack, device=settings.device, threads=settings.threads),
        source=reference(evidence.source_faces, recogniser, settings.references),
        target=reference(evidence.target_faces, recogniser, settings.references),
        model=evidence.model,
        wrong=open_session(evidence.model.network(target), device=settings.device, threads=settings.threads),
    )


def _lineage(evidence: Evidence) -> dict[str, str]:
    """Names and hashes of what the swap was made from, for the report."""
    facts = evidence.target.facts.model_extra or {}
    lineage = {
        "clip": f"{facts.get('source', '')} sha256 {facts.get('source_sha256', '')}",
        "model": f"sha256 {sha256_of(evidence.model.folder / 'model.json')}",
        "deliverable": f"sha256 {evidence.deliverable.facts.get('sha256', '')}",
    }
    return {name: value for name, value in lineage.items() if value.split()[-1] != "sha256"}
