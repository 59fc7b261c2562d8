"""The way of one frame: its place in the clip, the faces in it, their transforms, and what was made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.lineage.records import Artifact, Records, Step
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.detections import Detections
from stages.artifacts.evaluation import Evaluation
from stages.artifacts.face_set import FaceSet
from stages.artifacts.frames import Frames
from stages.geometry import as_matrix
from stages.problems import Problem


@dataclass(frozen=True)
class Link:
    """What one step knows of the frame.

    Attributes:
        stage: the step.
        artifact: the folder that it was read from, as recorded.
        facts: the frame's, or a face's, row in it.
    """

    stage: str
    artifact: Artifact
    facts: dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One frame's way, from what was asked for back to the clip.

    Attributes:
        seconds: its presentation time, exactly.
        clip: the clip's file, and that file's SHA-256 when it was extracted.
    """

    path: str
    frame: int
    seconds: Fraction
    clip: str
    clip_sha256: str | None
    links: tuple[Link, ...]


def follow(root: Path, path: str, number: int) -> Way:
    """Follow a frame of a swap's or a clip's artifact.

    Args:
        root: the repository's folder.
        path: the artifact, or a file in it, from the repository's folder.
        number: of the frame, from 0 in presentation order.

    Raises:
        Problem: nothing made the path, it has no frames, there is no such frame, or an artifact is not there.
    """
    records = Records.read(root)
    made = [records.steps[stage] for stage in records.makers(path)]
    if not made:
        records.output(path)  # says that it is unknown
    swap = next((found for step in made if (found := step.setting("swaps"))), None)
    clip = swap[1]["clip"] if swap else _clip_of(made, path)
    places = _Places(root, records, swap[0] if swap else None, clip)
    source = Frames.read(places.folder("extraction"))
    if number >= len(source):
        raise Problem(
            f"there is no frame {number}", where=path, mend=f"its frames are numbered from 0 to {len(source) - 1}"
        )
    more = source.facts.model_extra or {}
    first = source.index.iloc[number]
    return Way(
        path,
        number,
        int(first["pts"]) * Fraction(source.facts.time_base),
        str(more.get("source", "")),
        more.get("source_sha256"),
        tuple(_links(places, source, number)),
    )


class _Places:
    """Where the artifacts of a clip and of a swap of it are, as recorded."""

    def __init__(self, root: Path, records: Records, swap: str | None, clip: str) -> None:
        self.root, self.records = root, records
        self.names = dict.fromkeys(("extraction", "detection", "alignment", "dataset"), clip)
        if swap is not None:
            self.names |= dict.fromkeys(("conversion", "compositing", "encoding", "evaluation"), swap)

    def step(self, stage: str) -> Step | None:
        """The step of this clip or swap, None where it was never run, or is not wanted."""
        return self.records.steps.get(f"{stage}@{self.names.get(stage)}")

    def output(self, stage: str) -> Artifact:
        """The first output of that step."""
        step = self.step(stage)
        if step is None:
            raise Problem("it was not made yet", where=f"{stage}@{self.names.get(stage)}", mend="run `dvc repro`")
        return step.outputs[0]

    def folder(self, stage: str) -> Path:
        """The folder of that output."""
        output = self.output(stage)
        place = self.root / output.path
        return place if output.files is not None else place.parent

    def link(self, stage: str, facts: dict[str, Any]) -> Link:
        """What the step knows."""
        return Link(f"{stage}@{self.names[stage]}", self.output(stage), facts)


def _links(places: _Places, source: Frames, number: int) -> Iterator[Link]:
    if places.step("evaluation"):
        measured = Evaluation.read(places.folder("evaluation")).frames
        for row in _rows(measured, number):
            yield places.link("evaluation", row)
    if places.step("compositing"):
        finished = Frames.read(places.folder("compositing"))
        yield from (places.link("compositing", row) for row in _rows(finished.index, number))
    if places.step("conversion"):
        converted = Converted.read(places.folder("conversion"))
        yield from (places.link("conversion", row) for row in _rows(converted.index, number))
    if places.step("dataset"):
        faces = FaceSet.read(places.folder("dataset"))
        kept = faces.index[["frame", "face", "shard", "row", "split"]]
        yield from (places.link("dataset", row) for row in _rows(kept, number))
    if places.step("alignment"):
        aligned = Alignments.read(places.folder("alignment")).table
        for row in _rows(aligned, number):
            yield places.link("alignment", row | _as_similarity(row["transform"]))
    if places.step("detection"):
        found = Detections.read(places.folder("detection"))
        yield from (places.link("detection", row) for row in _rows(found.faces, number))
    for row in _rows(source.index.drop(columns="changed"), number):
        yield places.link("extraction", row)


def _rows(table: pd.DataFrame, number: int) -> Iterator[dict[str, Any]]:
    for row in table[table["frame"] == number].to_dict("records"):
        yield {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """As JSON has it, which knows no arrays and no NaN."""
    if isinstance(value, np.ndarray):
        return [_plain(part) for part in value.tolist()]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


def _as_similarity(transform: list[float]) -> dict[str, float]:
    """What a transform to the unit crop says: its side in frame pixels across, and the turn of the face in degrees."""
    a, b = as_matrix(transform)[:, 0]
    return {"crop_side": 1 / math.hypot(a, b), "turned": math.degrees(math.atan2(b, a))}


def _clip_of(made: list[Step], path: str) -> str:
    for step in made:
        stage, _, name = step.stage.partition("@")
        if stage in ("extraction", "detection", "alignment", "dataset"):
            return name
    raise Problem("it is not about the frames of one clip", where=path, mend="name a deliverable, or a clip's artifact")
