"""Reads the deliverable and all that led to it; writes metrics, a table by frame and the report."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

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
from stages.evaluation.album import Album
from stages.evaluation.controls import still_face
from stages.evaluation.evidence import Evidence, boxes_of, faces_to_measure, lineage_of, transforms_of
from stages.evaluation.instruments import Converts, Instruments, Row
from stages.evaluation.likeness import Embedding, Likeness, reference
from stages.evaluation.measuring import measured
from stages.evaluation.over_time import OverTime
from stages.evaluation.report import Report
from stages.evaluation.right_answer import require_right_answer
from stages.evaluation.settings import EvaluationSettings
from stages.evaluation.strangers import strangers_for
from stages.evaluation.summary import figures_of, of_swap, summarised, with_likeness
from stages.evaluation.thresholds import Bar, bars
from stages.evaluation.untouched import frames_passed_exactly
from stages.evaluation.views import views
from stages.onnx import open_session
from stages.packs import Landmarker, Pack, Recogniser, open_pack
from stages.packs.canonical import read_canonical
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params

log = logging.getLogger(__name__)


def place(swap: str) -> Path:
    """Where the evaluation of a swap lies."""
    return Path("data/evaluation") / swap


def run(name: str, params: Params) -> None:
    """Measure a swap, with controls, and write its report.

    What misses a threshold is written all the same; then the run fails.

    Raises:
        Problem: no consent; an artifact is missing, damaged or belongs to another version of the clip; no face was
            replaced; a threshold is missed.
    """
    swap = params.swap(name)
    require_swap_consent(name, params, "evaluation")
    require_right_answer(name, params)
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
        done = evaluate(evidence, params.evaluation, about, what=f"evaluation {name}")
        done.write(folder)
    _hold_to(bars(params.evaluation.thresholds, done.metrics), name)


def _hold_to(asked: list[Bar], name: str) -> None:
    """Raise a Problem if a bar was missed."""
    missed = [bar for bar in asked if not bar.reached]
    for bar in asked:
        if bar.value is None:
            log.warning("%s", bar.told)
    if missed:
        raise Problem(
            "the swap misses what params.yaml asks of it: " + "; ".join(bar.told for bar in missed),
            where=place(name) / "report.html",
            mend="look at the report and better the swap, or change evaluation.thresholds; the deliverable is kept and "
            f"marked as failed, and `dvc commit evaluation@{name}` keeps this evaluation as it is",
        )


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
    faces = faces_to_measure(evidence, settings)
    full = faces[faces["full"]]
    pack = open_pack(settings.pack)
    instruments = _instruments(evidence, settings, pack, str(about["target"]))
    converts = Converts(*(list(each) for each in zip(*evidence.converted.each(full), strict=True)))
    if converts.crops[0].shape[0] != evidence.model.output_size:
        raise Problem(
            f"its crops have {converts.crops[0].shape[0]} pixels, the swap model gives {evidence.model.output_size}",
            where=evidence.converted.folder,
            mend="it was made by another model: run `dvc repro`",
        )
    seen = views(faces, evidence.target, evidence.finished, evidence.deliverable, evidence.truth)
    table: list[Row] = []
    album = Album(settings, evidence.source_faces)
    faces_seen: dict[int, dict[str, Embedding]] = {}
    with OverTime(boxes_of(faces, evidence.target), converts, instruments) as over_time:
        looked = measured(seen, converts, transforms_of(evidence.alignments), instruments, over_time)
        for each in progress(looked, total=len(faces), what=what):
            table.append(each.row)
            faces_seen[each.view.number] = each.faces
            if each.view.full:
                album.add(each)
    scores = pd.DataFrame(over_time.scores.values(), index=list(over_time.scores))
    frames = with_likeness(pd.DataFrame(table), faces_seen).merge(scores, how="left", left_on="frame", right_index=True)
    figures = figures_of(frames, settings.seed)
    metrics = summarised(
        frames,
        figures,
        passed_exactly=frames_passed_exactly(evidence.target, evidence.finished),
        likeness_was_taught=_taught_by(pack, evidence.model.facts.get("recogniser")),
    )
    asked = bars(settings.thresholds, metrics)
    if asked:
        metrics["thresholds_missed"] = sum(not bar.reached for bar in asked)
    lineage = lineage_of(evidence)
    if settings.second_recogniser is not None:
        judge = settings.second_recogniser
        lineage["second judge"] = f"{judge.name} sha256 {sha256_of(judge)}"
    report = Report(about, metrics, figures, frames, asked, album.chosen(frames), evidence.deliverable.facts, lineage)
    shown = of_swap(frames)
    if "psnr" not in shown:  # dvc.yaml plots this column for every swap, known truth or not
        shown = shown.assign(psnr=float("nan"), ssim=float("nan"))
    return Evaluation(metrics, shown, report.html(), figures)


def _taught_by(pack: Pack, teacher: str | None) -> bool:
    """Whether a model whose identity term used the recogniser of this SHA-256, if it had one, learnt from the pack's.

    Only the open pack's recogniser can be learnt through; an InsightFace pack has another and names no file for it.
    """
    return teacher is not None and "recognition" in pack.files and sha256_of(pack.files["recognition"]) == teacher


def _instruments(evidence: Evidence, settings: EvaluationSettings, pack: Pack, target: str) -> Instruments:
    own = sha256_of(pack.files["recognition"]) if "recognition" in pack.files else None
    return Instruments(
        likeness=_likeness(evidence, settings, pack, own),
        second=_second(evidence, settings, own),
        landmarker=Landmarker(pack, device=settings.device, threads=settings.threads),
        canonical=read_canonical(pack.files["canonical_face"]),
        model=evidence.model,
        wrong=open_session(evidence.model.network(target), device=settings.device, threads=settings.threads),
        still=still_face(evidence.source_faces, evidence.model.output_size),
        threads=settings.threads,
    )


def _likeness(
    evidence: Evidence, settings: EvaluationSettings, judge: Pack | Path, sha256: str | None, prefix: str = ""
) -> Likeness:
    recogniser = Recogniser(judge, device=settings.device, threads=settings.threads)
    return Likeness(
        recogniser,
        source=reference(evidence.source_faces, recogniser, settings.references),
        target=reference(evidence.target_faces, recogniser, settings.references),
        strangers=strangers_for(recogniser, sha256),
        prefix=prefix,
    )


def _second(evidence: Evidence, settings: EvaluationSettings, own: str | None) -> Likeness | None:
    """The second judge, if the settings name one; it must not be the first."""
    judge = settings.second_recogniser
    if judge is None:
        return None
    if own is not None and judge.is_file() and sha256_of(judge) == own:
        raise Problem(
            "it is the pack's own recogniser, which judges already",
            where=f"params.yaml, evaluation.second_recogniser: {judge}",
            mend="name another one, or leave it out",
        )
    return _likeness(evidence, settings, judge, None, "second_")
