"""Reads a clip's frames and alignments; writes its face set (see docs/architecture.md, "face set")."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.face_set import FACE_SET, HELD_OUT, TRAIN, FaceSet
from stages.artifacts.frames import Frames
from stages.atomic import whole_folder
from stages.consent import require_consent
from stages.dataset import contact_sheet
from stages.dataset.masks import face_mask
from stages.dataset.selection import DUPLICATE, GUARD, KEPT, DuplicateFilter, parts, reasons
from stages.dataset.settings import DatasetSettings
from stages.geometry import apply, as_matrix, crop
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params


def place(identity: str, clip: str) -> Path:
    """Where the face set of a clip lies."""
    return Path("data/dataset") / identity / clip


def run(name: str, params: Params) -> None:
    """Build the face set of a clip: aligned crops with masks, filtered, in a training and a held-out part.

    Raises:
        Problem: no consent; too few usable faces; a part that this stage reads is missing or damaged.
    """
    identity = params.clip(name).identity
    require_consent(identity, "training")
    frames = Frames.read(Path("data/extraction") / name)
    alignments = Alignments.read(Path("data/alignment") / name)
    with whole_folder(place(identity, name)) as folder:
        build(frames, alignments, params.dataset, folder, clip=name)


def build(frames: Frames, alignments: Alignments, settings: DatasetSettings, folder: Path, *, clip: str) -> None:
    """Write a clip's face set into an existing folder.

    Raises:
        Problem: fewer usable faces than ``settings.minimum``.
    """
    table = alignments.table
    why = reasons(table, frames.facts.width, frames.facts.height, settings.filter)
    usable = table[[reason == KEPT for reason in why]].sort_values(["frame", "face"])
    split = parts(usable["frame"].to_numpy(), settings.split)
    dropped = Counter(reason for reason in why if reason != KEPT)
    dropped[GUARD] += split.count(KEPT)
    usable = usable.assign(split=split)
    usable = usable[usable["split"] != KEPT]

    kept: list[tuple[Any, ...]] = []
    new = DuplicateFilter(settings.filter.difference)
    numbers = usable["frame"].to_numpy()
    wanted = np.unique(numbers).tolist()
    with FaceSet.crops_into(folder) as shards:
        for frame in progress(frames.pick(wanted), total=len(wanted), what=f"dataset {clip}"):
            picture = frame.rgb()
            for _, face in usable[numbers == frame.number].iterrows():
                transform = as_matrix(face["transform"])
                aligned = crop(picture, transform, settings.size)
                if not new.is_new(aligned):
                    dropped[DUPLICATE] += 1
                    continue
                landmarks = apply(transform, np.reshape(face["landmarks"], (-1, 3))[:, :2])
                mask = face_mask(landmarks, settings.size, settings.forehead)
                shard, row = shards.add(crops=aligned, masks=mask)
                measured = [face[name] for name in POSE_AND_QUALITY]
                place = (face["frame"], face["face"], shard, row, face["split"])
                kept.append((*place, *measured, landmarks.astype(np.float32).ravel()))

    index = pd.DataFrame(kept, columns=FACE_SET.names)
    _check_enough(index, dropped, settings.minimum, clip)
    FaceSet.write_index(folder, index, statistics(index, dropped, settings))
    counts = f"{clip}: {(index['split'] == TRAIN).sum()} to train on, {(index['split'] == HELD_OUT).sum()} held out"
    contact_sheet.write(contact_sheet.draw(FaceSet.read(folder), counts), folder / "contact-sheet.png")


def statistics(index: pd.DataFrame, dropped: Counter[str], settings: DatasetSettings) -> dict[str, Any]:
    """What the face set holds, in numbers: counts, why faces were dropped, how pose and quality are spread."""
    spread = {
        name: {f"p{percent}": round(float(np.percentile(index[name], percent)), 4) for percent in (0, 5, 50, 95, 100)}
        for name in POSE_AND_QUALITY
    }
    return {
        "faces": len(index),
        "train": int((index["split"] == TRAIN).sum()),
        "held_out": int((index["split"] == HELD_OUT).sum()),
        "dropped": {reason: count for reason, count in sorted(dropped.items()) if count},
        "spread": spread,
        "settings": settings.model_dump(),
    }


def _check_enough(index: pd.DataFrame, dropped: Counter[str], minimum: int, clip: str) -> None:
    if len(index) >= minimum:
        return
    told = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common() if count)
    raise Problem(
        f"only {len(index)} usable faces, at least {minimum} are needed" + (f" (dropped: {told})" if told else ""),
        where=f"params.yaml, clips.{clip}",
        mend="give a longer or better clip, or loosen dataset.filter in params.yaml",
    )
