"""Reads converted crops, frames and alignments; writes finished frames (see docs/architecture.md, "frames")."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames, FrameWriter
from stages.atomic import whole_folder
from stages.compositing.inputs import Inputs
from stages.compositing.matching import matches
from stages.compositing.placing import put
from stages.compositing.settings import CompositingSettings
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
    inputs = Inputs.read(name, params)
    with whole_folder(place(name)) as folder:
        _composite(inputs, folder, params.compositing, what=f"compositing {name}")


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
    _composite(Inputs.of(frames, alignments, converted), folder, settings, what=what)


def _composite(inputs: Inputs, folder: Path, settings: CompositingSettings, *, what: str) -> None:
    frames, faces = inputs.frames, inputs.faces
    layers = inputs.layers(matches(frames, faces, inputs.converted, settings, what), settings)
    faces_in = faces.groupby("frame").size()
    shots = frames.index["shot"].tolist()
    changed_frames = 0
    with FrameWriter(folder, frames.facts) as writer:
        for frame in progress(frames, total=len(frames), what=what):
            changed = False
            for _ in range(int(faces_in.get(frame.number, 0))):
                changed |= put(frame.picture, next(layers), frames.facts, settings.blend)
            changed_frames += changed
            writer.add(
                frame.picture,
                pts=frame.pts,
                duration=frame.duration,
                shot=shots[frame.number],
                changed=changed,
            )
        writer.close(changed=changed_frames, faces=len(faces))
