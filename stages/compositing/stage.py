"""Reads converted crops, frames and alignments; writes finished frames (see docs/architecture.md, "frames")."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames, FrameWriter
from stages.atomic import whole_folder
from stages.compositing.faces import faces_to_place, steady_masks, transform_of, weights_over_time
from stages.compositing.matching import matches
from stages.compositing.placing import Layer, put
from stages.compositing.settings import CompositingSettings
from stages.consent import require_consent
from stages.progress import progress
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
    swap = params.swap(name)
    require_consent(swap.source, "source")
    require_consent(swap.target, "target")
    frames = Frames.read(Path("data/extraction") / swap.clip)
    alignments = Alignments.read(Path("data/alignment") / swap.clip)
    converted = Converted.read(Path("data/conversion") / name)
    with whole_folder(place(name)) as folder:
        composite(frames, alignments, converted, folder, params.compositing, what=f"compositing {name}")


def composite(
    frames: Frames,
    alignments: Alignments,
    converted: Converted,
    folder: Path,
    settings: CompositingSettings,
    *,
    what: str = "compositing",
) -> None:
    """Finished frames into an existing folder: every frame of the clip, the taken faces in them replaced.

    Two passes: one measures colours and sharpness, which are then smoothed over time; one places the faces. Memory
    holds one frame and the masks within the reach of their smoothing.
    """
    faces = faces_to_place(converted, alignments, frames)
    matched = matches(frames, faces, converted, settings, what)
    masks = steady_masks(converted, faces, weights_over_time(faces, frames, settings.mask.steady), settings.mask)
    crops = (crop for crop, _ in converted.each(faces))
    rows_of = faces.groupby("frame").groups
    shots = frames.index["shot"].tolist()
    changed_frames = 0
    with FrameWriter(folder, frames.facts) as writer:
        for frame in progress(frames, total=len(frames), what=what):
            changed = False
            for row in rows_of.get(frame.number, ()):
                crop = matched[row].applied(next(crops), settings.colour.method)
                layer = Layer(crop, next(masks), transform_of(faces, row))
                changed |= put(frame.picture, layer, frames.facts, settings.blend)
            changed_frames += changed
            writer.add(
                frame.picture,
                pts=frame.pts,
                duration=frame.duration,
                shot=shots[frame.number],
                changed=changed,
            )
        writer.close(changed=changed_frames, faces=len(faces))
