"""``python -m stages.bench.placing``: what compositing one face of a 1080p frame takes of one core.

A swap's clip is enlarged until the face is 400 pixels across, and laid into frames of 1920 x 1080; its converted crops
stay as the model gave them. Then each part is timed alone, in processor time, which other programs change less than the
clock does:

- *measuring*: colours, light and detail of both faces, and what passes before them (first pass).
- *preparing*: masks, what passes before the face again, and the crop as it will be placed (second pass).
- *placing*: to warp and blend it into the frame's channels.

Decoding a frame, which each of the two passes does once, is told by itself and is in no other column; to code the
finished frames is in none.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import av
import cv2
import numpy as np
import pandas as pd
import typer

from stages import geometry
from stages.artifacts.frames import Frames, FrameWriter
from stages.bench.program import main
from stages.compositing.inputs import Inputs
from stages.compositing.masks import face_size
from stages.compositing.matching import Matches, sampled
from stages.compositing.measuring import measured
from stages.compositing.placing import put
from stages.compositing.settings import CompositingSettings
from stages.compositing.variants import variant
from stages.settings import load_params

WIDTH: Final = 1920
HEIGHT: Final = 1080
SIZE: Final = 400
CHANGES: Final = (
    "mask.occlusion=none",
    "light.method=none",
    "colour.method=histogram",
    "colour.method=sliced",
    "blend.method=alpha",
    "blend.method=gradient",
    "motion_blur=0",
    "focus=0",
    "grain=0",
    "texture=0.5",
)


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one core a face: decoding its frame once, and the three parts."""

    decoding: float
    measuring: float
    preparing: float
    placing: float

    @property
    def together(self) -> float:
        """Of the three parts."""
        return self.measuring + self.preparing + self.placing


def enlarged(inputs: Inputs, count: int, folder: Path, size: float = SIZE) -> Inputs:
    """The first frames of a clip with a face, in frames of 1920 x 1080 with a face of ``size`` pixels in their middle.

    Args:
        inputs: of a swap.
        count: how many frames.
        folder: an existing one, for the frames.
        size: see :func:`stages.compositing.masks.face_size`.
    """
    first = inputs.faces["frame"].isin(inputs.faces["frame"].unique()[:count])
    inputs = inputs.some(np.flatnonzero(first))
    faces = inputs.faces
    points = [np.reshape(each, (-1, 3)).astype(np.float64) for each in faces["landmarks"]]
    factor = size / float(np.median([face_size(np.ascontiguousarray(each[:, :2])) for each in points]))
    middle = np.median(np.concatenate(points)[:, :2], axis=0)
    move = np.concatenate([factor * np.eye(2), (np.array([WIDTH, HEIGHT]) / 2 - factor * middle)[:, None]], axis=1)
    facts = inputs.frames.facts.model_copy(update={"width": WIDTH, "height": HEIGHT, "pixel_format": "yuv420p"})
    rows: list[int] = []
    writer = FrameWriter(folder, facts)
    for frame in inputs.frames.pick(faces["frame"].drop_duplicates().tolist()):
        large = cv2.warpAffine(
            frame.rgb(), move, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        picture = av.VideoFrame.from_ndarray(np.asarray(large, np.uint8), format="rgb24").reformat(format="yuv420p")
        writer.add(picture, pts=frame.pts, duration=frame.duration, shot=0)
        rows.append(frame.number)
    writer.close()
    number_of = {old: new for new, old in enumerate(rows)}
    moved = [
        np.concatenate([geometry.apply(move, each[:, :2]), factor * each[:, 2:]], axis=1).ravel() for each in points
    ]
    back = geometry.invert(move)
    turned = [geometry.compose(back, geometry.as_matrix(each)).ravel() for each in faces["transform"]]
    faces = faces.assign(
        frame=faces["frame"].map(number_of),
        shot=0,
        landmarks=pd.Series(moved, faces.index, dtype=object),
        transform=pd.Series(turned, faces.index, dtype=object),
        motion_x=factor * faces["motion_x"],
        motion_y=factor * faces["motion_y"],
    )
    return replace(inputs, frames=Frames.read(folder), faces=faces)


def cost(inputs: Inputs, settings: CompositingSettings) -> Cost:
    """What each part takes for all faces of some frames, a face; numpy and OpenCV keep to one thread."""
    frames, faces, facts = inputs.frames, inputs.faces, inputs.frames.facts
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        pictures, decoding = _spent(lambda: list(frames))
        found, measuring = _spent(lambda: measured(frames, faces, inputs.converted, settings))
        matched, matching = _spent(lambda: list(Matches(found, faces, sampled(faces), frames, settings)))
        layers, preparing = _spent(lambda: list(inputs.layers(matched, settings)))
        of_face = [pictures[number] for number in faces["frame"]]
        _, placing = _spent(
            lambda: [
                put(frame.picture, layer, facts, settings.blend) for frame, layer in zip(of_face, layers, strict=True)
            ]
        )
    finally:
        cv2.setNumThreads(before)
    measuring += matching - decoding
    return Cost(*(1e3 * each / len(faces) for each in (decoding, measuring, preparing, placing)))


def _spent(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began


def table_of(costs: dict[str, Cost]) -> str:
    """Markdown, a row a variant."""
    lines = ["| settings | measuring | preparing | placing | together |", "|---|---:|---:|---:|---:|"]
    for name, each in costs.items():
        cells = (each.measuring, each.preparing, each.placing, each.together)
        lines.append(f"| {name} | " + " | ".join(f"{cell:.1f} ms" for cell in cells) + " |")
    decoding = float(np.median([each.decoding for each in costs.values()]))
    return "\n".join([*lines, "", f"decoding a frame, once in each of two passes: {decoding:.1f} ms"])


def command(
    swap: Annotated[str, typer.Option(help="whose converted crops; `dvc repro` must have made them")] = "ada-on-ben",
    changes: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE[,KEY=VALUE ...] to compare")] = None,
    frames: Annotated[int, typer.Option(min=2, help="how many")] = 48,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print what each part of compositing takes of one core for a 400-pixel face in a 1080p frame."""
    settings = load_params(params)
    chosen = {"default": settings.compositing}
    chosen |= dict(variant(text, settings.compositing) for text in changes or CHANGES)
    with tempfile.TemporaryDirectory() as folder:
        inputs = enlarged(Inputs.read(swap, settings), frames, Path(folder))
        cost(inputs, settings.compositing)  # what is only done once, is done
        print(table_of({name: cost(inputs, each) for name, each in chosen.items()}))


if __name__ == "__main__":
    main("placing", command)
