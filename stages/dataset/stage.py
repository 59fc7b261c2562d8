"""Reads a clip's frames and alignments; writes its face set (see docs/architecture.md, "face set")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import contact_sheet
from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.decisions import Decisions, spans_of
from stages.artifacts.face_set import HELD_OUT, TRAIN, FaceSet
from stages.artifacts.frames import Frames
from stages.artifacts.kept import KeptShards
from stages.atomic import whole_folder
from stages.consent import require_clip_consent
from stages.dataset import sheets
from stages.dataset.index import IndexWriter, name_of
from stages.dataset.masks import face_mask
from stages.dataset.selection import DUPLICATE, GUARD, KEPT, DuplicateFilter, by_hand, parts, reasons, shares_inside
from stages.dataset.settings import DatasetSettings
from stages.execution.work import tables_of
from stages.geometry import apply, as_matrix, crop
from stages.problems import Problem
from stages.progress import progress
from stages.resuming import resumable
from stages.settings import Params

NONE: Final = Decisions()
ALIGNED: Final = Path("data/alignment")


def place(identity: str, clip: str) -> Path:
    """Where the face set of a clip lies."""
    return Path("data/dataset") / identity / clip


def run(name: str, params: Params) -> None:
    """Build the face set of a clip: aligned crops with masks, filtered, in a training and a held-out part.

    Raises:
        Problem: no consent; too few usable faces; a part that this stage reads is missing or damaged; a decision by
            hand is about other footage, or leaves out nothing.
    """
    clip = params.clip(name)
    settings = params.dataset.wholly_held_out() if clip.held_out else params.dataset
    require_clip_consent(name, params, "dataset")
    frames = Frames.read(Path("data/extraction") / name)
    alignments = Alignments.read(ALIGNED / name)
    decisions = Decisions.read(name, "drop")
    reads = (*tables_of(frames.folder), ALIGNED / name / "alignments.parquet")
    with (
        resumable("dataset", name, settings, decisions, reads=reads) as kept,
        whole_folder(place(clip.identity, name)) as folder,
    ):
        build(frames, alignments, settings, folder, decisions, KeptShards(kept, "safetensors"), clip=name)


def build(
    frames: Frames,
    alignments: Alignments,
    settings: DatasetSettings,
    folder: Path,
    decisions: Decisions = NONE,
    kept: KeptShards | None = None,
    *,
    clip: str,
) -> None:
    """Write a clip's face set into an existing folder.

    Args:
        frames, alignments: of the clip.
        settings: the filter's limits, the split, the crops.
        folder: to write into.
        decisions: which frames to leave out, by hand.
        kept: shards of crops that a killed run left; their pictures are not looked at again.
        clip: its name, for the bar and for messages.

    Raises:
        Problem: fewer usable faces than ``settings.minimum``; a decision is about other footage, or leaves out nothing.
    """
    decisions.require_footage(frames, clip)
    table = alignments.table
    told = by_hand(table, decisions.drop, len(frames), clip)
    landmarks = alignments.each_landmarks(table.index)
    inside = [shares_inside(points, frames.facts.width, frames.facts.height) for points in landmarks]
    filtered = reasons(table, np.concatenate([np.zeros(0), *inside]), settings.filter)
    why = pd.Series([hand or reason for hand, reason in zip(told, filtered, strict=True)], table.index, dtype=object)
    usable = table[why == KEPT]
    usable = usable.assign(split=parts(usable["frame"].to_numpy(), settings.split, table["frame"].to_numpy()))
    why[usable.index[usable["split"] == KEPT]] = GUARD
    usable = usable[usable["split"] != KEPT]

    index, duplicates = _crops(frames, alignments, usable, settings, folder, kept, clip)
    why[duplicates] = DUPLICATE
    dropped = table.assign(reason=why)[why != KEPT]
    _check_enough(index, Counter(dropped["reason"]), settings.minimum, clip)
    FaceSet.write_dropped(folder, dropped)
    FaceSet.write_statistics(folder, statistics(index, dropped, settings) | decisions.facts())
    about = f"{clip}; footage {frames.fingerprint}"
    contact_sheet.write(sheets.kept(FaceSet.read(folder), settings.filter, about), folder / "contact-sheet.png")
    contact_sheet.write(sheets.dropped(frames, dropped, index, settings, about), folder / "dropped.png")


def _crops(
    frames: Frames,
    alignments: Alignments,
    usable: pd.DataFrame,
    settings: DatasetSettings,
    folder: Path,
    kept: KeptShards | None,
    clip: str,
) -> tuple[pd.DataFrame, list[Any]]:
    """Write the crops and their index; that without its wide columns, and the labels of the duplicates among the rows,
    which are left out."""
    duplicates: list[Any] = []
    new = DuplicateFilter(settings.filter.difference)
    with FaceSet.crops_into(folder, kept) as shards, IndexWriter(folder) as index:
        places = {of: shards.place(row) for row, of in enumerate(shards.there)}
        reached = _reached(usable, shards.there)
        for label, face in usable[:reached].iterrows():
            if (of := name_of(face)) in places:
                index.add(face, places[of], _landmarks(alignments, face))
            else:
                duplicates.append(label)
        if reached:
            new.is_new(shards.last("crops"))
        faces = usable[reached:].groupby("frame")
        numbers = usable["frame"][reached:].unique().tolist()
        for frame in progress(frames.pick(numbers), total=len(numbers), what=f"dataset {clip}"):
            picture = frame.rgb()
            for label, face in faces.get_group(frame.number).iterrows():
                aligned = crop(picture, as_matrix(face["transform"]), settings.size)
                if not new.is_new(aligned):
                    duplicates.append(label)
                    continue
                landmarks = _landmarks(alignments, face)
                mask = face_mask(landmarks, settings.size, settings.forehead)
                index.add(face, shards.add(name_of(face), crops=aligned, masks=mask), landmarks)
    return index.narrow(), duplicates


def _reached(usable: pd.DataFrame, there: Sequence[tuple[Any, ...]]) -> int:
    """How many of the rows come before the end of what a killed run left."""
    return [name_of(face) for _, face in usable.iterrows()].index(there[-1]) + 1 if there else 0


def _landmarks(alignments: Alignments, face: pd.Series) -> NDArray[np.float64]:
    """(478, 2) in unit-crop coordinates."""
    (points,) = alignments.landmarks([cast(int, face.name)])
    return apply(as_matrix(face["transform"]), points[:, :2])


def statistics(index: pd.DataFrame, dropped: pd.DataFrame, settings: DatasetSettings) -> dict[str, Any]:
    """What the face set holds, in numbers.

    Args:
        index: the faces that are in it.
        dropped: those that are not, with the ``reason``.
        settings: it was made with.

    Returns:
        Counts; how many faces were dropped for each reason, and which frames, as a decisions file takes them; how many
        are turned which way, and how many show which of the rarer expressions; how pose and quality are spread.
    """
    spread = {
        name: {f"p{percent}": round(float(np.percentile(index[name], percent)), 4) for percent in (0, 5, 50, 95, 100)}
        for name in POSE_AND_QUALITY
    }
    by_reason = {str(reason): rows["frame"] for reason, rows in dropped.groupby("reason", sort=True)}
    return {
        "faces": len(index),
        "train": int((index["split"] == TRAIN).sum()),
        "held_out": int((index["split"] == HELD_OUT).sum()),
        "dropped": {reason: len(frames) for reason, frames in by_reason.items()},
        "dropped_frames": {reason: ", ".join(map(str, spans_of(frames))) for reason, frames in by_reason.items()},
        "poses": {pose.name: int(pose.of(index).sum()) for pose in sheets.POSES},
        "expressions": {kind.name: int(kind.of(index).sum()) for kind in sheets.EXPRESSIONS},
        "spread": spread,
        "settings": settings.model_dump(),
    }


def _check_enough(index: pd.DataFrame, dropped: Counter[str], minimum: int, clip: str) -> None:
    if len(index) >= minimum:
        return
    told = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common() if count)
    mends = ["give a longer or better clip", *(["loosen dataset.filter"] if set(dropped) - {GUARD} else [])]
    mends += ["lower dataset.split.guard"] if dropped[GUARD] else []
    raise Problem(
        f"only {len(index)} usable faces, at least {minimum} are needed" + (f" (dropped: {told})" if told else ""),
        where=f"params.yaml, clips.{clip}",
        mend=f"{', '.join(mends)}, or lower dataset.minimum in params.yaml",
    )
