"""How each converted face is brought to the colours and the sharpness of the target, steadily over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing import colour, sharpness
from stages.compositing.faces import outline_of, transform_of, weights_over_time
from stages.compositing.masks import raw_mask
from stages.compositing.occlusion import kept_free, network_files, network_for, visible_in
from stages.compositing.settings import CompositingSettings, MaskSettings
from stages.compositing.steadiness import Weights, smoothed
from stages.execution.engines import HERE, Engine
from stages.execution.work import spans_of, tables_of
from stages.progress import bar, progress

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """What is done to one converted crop.

    Attributes:
        mapping: (3, 4), the affine map of colours (see :func:`stages.compositing.colour.transfer`).
        detail: factor of its fine detail.
    """

    mapping: NDArray[np.float64]
    detail: float

    def applied(self, crop: NDArray[np.uint8], method: colour.Method) -> Floats:
        """The crop (r, r, 3) uint8, matched, as float32 0..1."""
        rgb = colour.recoloured(crop.astype(np.float32) / 255.0, self.mapping, method)
        return sharpness.with_detail(rgb, self.detail)


def matches(
    frames: Frames,
    faces: pd.DataFrame,
    converted: Converted,
    settings: CompositingSettings,
    what: str,
    engine: Engine = HERE,
) -> list[Match]:
    """Measure all faces and their targets, smooth what was measured within shots, and say what to do to each.

    Statistics are taken in the crop, under the mask of both, so that hair, hands and background do not count.

    Args:
        what: the work in a few words, for the bar.
        engine: who measures.
    """
    if len(faces) == 0 or not needs_measuring(settings):
        return [Match(np.eye(3, 4), 1.0)] * len(faces)
    work, found = MeasureFaces(frames.folder, converted.folder, settings), []
    with bar(total=len(faces), what=f"{what}: measuring", unit="face") as shown:
        for part in engine.map(work, spans_of_faces(frames, faces)):
            found.append(part)
            shown.update(len(part))
    return matches_of(np.concatenate(found), weights_over_time(faces, frames, settings.colour.steady), settings)


def needs_measuring(settings: CompositingSettings) -> bool:
    """Whether anything is matched at all."""
    return settings.colour.method != "none" or settings.sharpness != 0.0


def matches_of(found: NDArray[np.float64], weights: Weights, settings: CompositingSettings) -> list[Match]:
    """What to do to each face, from what was :func:`measured` of all, (n, 2, 13), and who counts for whom over time."""
    method, result = settings.colour.method, []
    slow = smoothed(found, weights)
    for row in slow:
        source, target = (colour.Statistics(part[:3], part[3:12].reshape(3, 3)) for part in row)
        mapping = colour.transfer(source, target, method, settings.colour.strength)
        # The map of log RGB is also one of contrast: that part of the way is already gone.
        contrast = float(np.cbrt(abs(np.linalg.det(mapping[:, :3])))) if method == "covariance" else 1.0
        result.append(Match(mapping, sharpness.gain(row[0, 12] * contrast, row[1, 12], settings.sharpness)))
    return result


def measured(
    frames: Frames, faces: pd.DataFrame, converted: Converted, settings: CompositingSettings, what: str | None = None
) -> NDArray[np.float64]:
    """What is measured of every face, (n, 2, 13): of the converted and of the target's, the mean (3) and covariance
    (9) of its colours and its detail (1). Of the settings the colour's method counts, and the mask's occlusion. Without
    a word for it, there is no bar."""
    method, network = settings.colour.method, network_for(settings.mask)
    numbers = faces["frame"].drop_duplicates().tolist()
    rows_of = faces.groupby("frame").groups
    crops = converted.each(faces)
    result = np.zeros((len(faces), 2, 13))
    pictures = frames.pick(numbers)
    for frame in progress(pictures, total=len(numbers), what=f"{what}: measuring") if what else pictures:
        picture = frame.rgb()
        for row in rows_of[frame.number].tolist():
            crop, decoder = next(crops)
            size = crop.shape[0]
            mask = raw_mask(decoder, outline_of(faces, row), size, MaskSettings())
            if network is not None:
                mask = mask * kept_free(visible_in(picture, transform_of(faces, row), network), size)
            pair = [crop, geometry.crop(picture, transform_of(faces, row), size)]
            for which, picture_of_face in enumerate(pair):
                view = picture_of_face.astype(np.float32) / 255.0
                found = colour.statistics(view, colour.typical(view, mask), method)
                result[row, which] = [*found.mean, *found.covariance.ravel(), sharpness.detail(view, mask)]
    return result


@dataclass(frozen=True)
class MeasureFaces:
    """The work of a span, the rows of the faces of some frames: what is :func:`measured` of each, (n, 2, 13).

    Attributes:
        frames, converted: folders of the two artifacts.
        settings: of the stage.
    """

    frames: Path
    converted: Path
    settings: CompositingSettings

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        return *tables_of(self.frames), *tables_of(self.converted), *network_files(self.settings.mask)

    def begin(self) -> Callable[[pd.DataFrame], NDArray[np.float64]]:
        """Open both artifacts.

        Raises:
            Problem: one of them is missing or damaged.
        """
        frames, converted = Frames.read(self.frames), Converted.read(self.converted)
        return lambda faces: measured(frames, faces, converted, self.settings)


def spans_of_faces(frames: Frames, faces: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The faces, which are sorted by frame, cut into spans of frames."""
    numbers = faces["frame"].to_numpy()
    for span in spans_of(frames, np.unique(numbers).tolist()):
        first, last = np.searchsorted(numbers, [span[0], span[-1] + 1])
        yield faces.iloc[first:last].reset_index(drop=True)
