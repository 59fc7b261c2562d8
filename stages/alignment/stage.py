"""Reads a clip's frames and detections; writes its alignments (see docs/architecture.md, "alignments")."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from stages import contact_sheet, geometry
from stages.alignment import sheet
from stages.alignment.corrections import corrections_of
from stages.alignment.looking import LookAtFaces, arrays_of, seen_of, spans_with
from stages.alignment.settings import AlignmentSettings
from stages.alignment.steadying import LOOKED, MEASURES, Steadied, Steadying, table_of
from stages.artifacts.alignments import Alignments, AlignmentsWriter
from stages.artifacts.decisions import Decisions
from stages.artifacts.detections import Detections
from stages.artifacts.files import write_facts
from stages.artifacts.frames import Frames
from stages.artifacts.rows import RowWriter, StoredRows
from stages.artifacts.visibility import packed, unpacked
from stages.atomic import whole_folder
from stages.consent import require_clip_consent
from stages.execution.engines import HERE, Engine, opened
from stages.execution.keeping import AsArrays, Keeping
from stages.expression import eyes_open, gaze, mouth_open, pose_of
from stages.geometry import Floats
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.pixel_shape import PixelShape
from stages.progress import bar
from stages.resuming import resumable
from stages.settings import Params
from stages.video import VideoFacts

NONE: Final = Decisions()


def place(clip: str) -> Path:
    """Where the alignments of a clip lie."""
    return Path("data/alignment") / clip


def run(name: str, params: Params) -> None:
    """Place dense landmarks on the right person's face and turn it to the canonical crop, steadily over time.

    Raises:
        Problem: no consent; a part that this stage reads is missing or damaged; a decision by hand is about other
            footage or faces.
    """
    require_clip_consent(name, params, "alignment")
    frames = Frames.read(Path("data/extraction") / name)
    detections = Detections.read(Path("data/detection") / name)
    decisions = Decisions.read(name, "landmarks")
    reads = LookAtFaces(frames.folder, params.alignment).reads
    with resumable("alignment", name, reads=reads) as kept, opened(params.execution) as engine:
        keeping = Keeping(engine, kept, AsArrays(arrays_of, seen_of))
        with whole_folder(place(name)) as folder:
            align_into(folder, frames, detections.faces, params.alignment, decisions, clip=name, engine=keeping)
            contact_sheet.write(sheet.drawn(frames, Alignments.read(folder), name), folder / "hidden.png")


def align(
    frames: Frames,
    faces: pd.DataFrame,
    settings: AlignmentSettings,
    decisions: Decisions = NONE,
    *,
    clip: str,
    engine: Engine = HERE,
) -> Alignments:
    """As :func:`align_into`, in memory: for a short clip."""
    with tempfile.TemporaryDirectory() as folder:
        align_into(Path(folder), frames, faces, settings, decisions, clip=clip, engine=engine)
        made = Alignments.read(Path(folder))
        return Alignments.of(made.whole(), made.facts)


def align_into(
    folder: Path,
    frames: Frames,
    faces: pd.DataFrame,
    settings: AlignmentSettings,
    decisions: Decisions = NONE,
    *,
    clip: str,
    engine: Engine = HERE,
) -> None:
    """Write the alignments of a clip's taken faces into an existing folder.

    Memory holds what is small of each face; landmarks and what is seen lie in a file until they are steadied.

    Args:
        folder: to write into.
        frames: the clip's frames.
        faces: its faces, as :class:`stages.artifacts.detections.Detections` holds them.
        settings: how to steady.
        decisions: where landmarks lie, by hand.
        clip: its name, for the bars and for messages.
        engine: who looks; steadying reaches over frames and is done here.

    Raises:
        Problem: a decision is about other footage or faces.
    """
    decisions.require_footage(frames, clip)
    taken = faces[faces["taken"]].sort_values(["frame", "face"]).reset_index(drop=True)
    shape = PixelShape.of(frames.facts)
    by_hand = corrections_of(taken, faces, decisions.landmarks, clip, shape)
    canonical = read_canonical(open_pack().files["canonical_face"])
    with tempfile.TemporaryDirectory(prefix=".looked-", dir=folder) as scratch:
        looked = Path(scratch) / "looked.parquet"
        measures = _looked_into(looked, frames, taken, settings, clip, engine)
        with StoredRows(looked, ("landmarks", "seen")) as rows:
            steadying = Steadying(taken, rows, measures["sure"].to_numpy(), by_hand, canonical, settings)
            shots = frames.index["shot"].to_numpy()[taken["frame"].to_numpy()]
            known = taken[["frame", "face", "track"]].assign(shot=shots).join(measures)
            known = known.rename(columns={"sure": "confidence"})
            with (
                AlignmentsWriter(folder) as writer,
                bar(total=len(taken), what=f"alignment {clip}, steadying", unit="face") as shown,
            ):
                for window, steadied in steadying.windows():
                    writer.add(known[window].assign(**_told(steadied, canonical, frames.facts, shape)))
                    shown.update(len(steadied.landmarks))
    facts = {"faces": len(taken), "settings": settings.model_dump(exclude={"device", "threads"})}
    write_facts(folder / "facts.json", facts | decisions.facts())


def _looked_into(
    path: Path, frames: Frames, taken: pd.DataFrame, settings: AlignmentSettings, clip: str, engine: Engine
) -> pd.DataFrame:
    """Write what is seen of the faces, as :data:`~stages.alignment.steadying.LOOKED`; give its :data:`MEASURES`."""
    measures: list[pd.DataFrame] = []
    spans = spans_with(frames, taken)
    with (
        RowWriter(path, LOOKED, compression=None) as writer,
        bar(total=sum(map(len, spans)), what=f"alignment {clip}") as shown,
    ):
        for span, found in zip(spans, engine.map(LookAtFaces(frames.folder, settings), spans), strict=True):
            part = table_of(found)
            writer.add(part)
            measures.append(part[[*MEASURES]])
            shown.update(len(span))
    return pd.concat(measures, ignore_index=True) if measures else pd.DataFrame(columns=[*MEASURES], dtype=float)


def _told(steadied: Steadied, canonical: Floats, facts: VideoFacts, shape: PixelShape) -> dict[str, Any]:
    """The columns of :data:`~stages.artifacts.alignments.ALIGNMENTS` that are told from steadied faces."""
    wide = round(facts.width * shape.widening)
    poses = [pose_of(points, canonical, wide, facts.height) for points in steadied.landmarks]
    eyes = [eyes_open(points) for points in steadied.landmarks]
    seen = zip(steadied.seen, steadied.as_seen, steadied.transforms, strict=True)
    return {
        "landmarks": list(shape.back(steadied.landmarks).reshape(len(poses), -1)),
        "transform": list(shape.transforms(steadied.transforms).reshape(len(poses), -1)),
        **dict(zip(("yaw", "pitch", "roll"), np.transpose(poses), strict=True)),
        "mouth_open": [mouth_open(points) for points in steadied.landmarks],
        **dict(zip(("eye_open_left", "eye_open_right"), np.transpose(eyes), strict=True)),
        "gaze": [gaze(points) for points in steadied.landmarks],
        "seen": [brought(*each) for each in seen],
    }


def brought(seen: bytes, transform: Floats, steadied: Floats) -> bytes:
    """What is seen of a face, brought from the crop in which it was seen to the steadied one.

    Args:
        seen: as :func:`stages.artifacts.visibility.packed` has it.
        transform, steadied: (2, 3), square pixels to the unit crops. Beyond the former, its border goes on.
    """
    picture = unpacked(seen)
    side = len(picture)
    to_pixels = geometry.to_pixels(side)
    between = geometry.compose(geometry.invert(transform), steadied)
    move = geometry.compose(geometry.compose(geometry.invert(to_pixels), between), to_pixels)
    return packed(np.asarray(geometry.warp(picture, move, side, side), np.float32))
