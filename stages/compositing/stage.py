"""Reads converted crops, frames and alignments; writes finished frames (see docs/architecture.md, "frames")."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.atomic import whole_folder
from stages.compositing.inputs import Inputs
from stages.compositing.joining import PartJoiner, arrays_of, part_of
from stages.compositing.matching import matches
from stages.compositing.measuring import Measured
from stages.compositing.settings import CompositingSettings
from stages.compositing.spans import PlaceFaces, spans_of_frames
from stages.execution.engines import HERE, Engine, opened
from stages.execution.keeping import AsArrays, Keeping
from stages.progress import bar
from stages.resuming import resumable
from stages.settings import Params


def place(swap: str) -> Path:
    """Where the finished frames of a swap lie."""
    return Path("data/compositing") / swap


def run(name: str, params: Params) -> None:
    """Put the converted faces of a swap back into its target's frames.

    Raises:
        Problem: no consent; an artifact is missing, damaged or belongs to another version of the clip; the clip's
            pixel format can not be written.
    """
    inputs = Inputs.read(name, params)
    reads = PlaceFaces(inputs.frames.folder, inputs.converted.folder, params.compositing).reads
    with (
        resumable("compositing", name, reads=reads) as kept,
        whole_folder(place(name)) as folder,
        opened(params.execution) as engine,
    ):
        measuring = Keeping(engine, kept, AsArrays(Measured.arrays, Measured.of_arrays))
        placing = Keeping(engine, kept, AsArrays(arrays_of, part_of))
        _composite(inputs, folder, params.compositing, measuring, placing, what=f"compositing {name}")


def composite(
    frames: Frames,
    alignments: Alignments,
    converted: Converted,
    folder: Path,
    settings: CompositingSettings,
    *,
    what: str = "compositing",
    engine: Engine = HERE,
) -> None:
    """Finished frames into an existing folder: every frame of the clip, the taken faces in them replaced.

    Two passes, which an engine's workers may share: one measures colours, light and sharpness, which are then smoothed
    over time here; one places the faces. Memory holds a coded span of frames, the masks within the reach of their
    smoothing, and 2 kB of measurements a face; of several workers as many spans as are in flight.
    """
    _composite(Inputs.of(frames, alignments, converted), folder, settings, engine, engine, what=what)


def _composite(
    inputs: Inputs, folder: Path, settings: CompositingSettings, measuring: Engine, placing: Engine, *, what: str
) -> None:
    frames, faces, converted = inputs.frames, inputs.faces, inputs.converted
    matched = matches(inputs, settings, what, measuring)
    work, changed = PlaceFaces(frames.folder, converted.folder, settings), 0
    with PartJoiner(folder, frames.facts) as writer, bar(total=len(frames), what=what) as shown:
        for part in placing.map(work, spans_of_frames(inputs, matched, settings)):
            writer.take(part)
            changed += int(part.index["changed"].sum())
            shown.update(len(part.index))
        writer.close(changed=changed, faces=len(faces))
