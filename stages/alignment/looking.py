"""Looks at the right person's face in frames: where its landmarks are, and how good its picture is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.alignment.canonical_crop import fit
from stages.alignment.edges import sharpened
from stages.alignment.following import Following
from stages.alignment.measures import exposure, share_seen, sharpness
from stages.alignment.settings import AlignmentSettings
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import FINE, SIZE, packed
from stages.execution.work import spans_of, tables_of
from stages.geometry import apply, beyond, crop
from stages.packs import Landmarker, open_pack
from stages.packs.canonical import read_canonical
from stages.pixel_shape import PixelShape
from stages.visible_face import NETWORK, PLACE, VisibleFace

MEASURED_AT: Final = SIZE
"""Size in pixels of the crop on which quality is measured, so that it compares between clips."""

FacesOfFrame = tuple[int, NDArray[np.float32]]
"""A frame's number, and the five points (n, 5, 2) of each face in it that is looked at."""


@dataclass(frozen=True)
class Seen:
    """What one frame gives.

    Attributes:
        landmarks: (478, 3) in the frame's pixels made square.
        sure: how sure they are, 0..1.
        sharpness, exposure: of the face.
        visible: the share of it before which nothing passes.
        seen: how surely each pixel shows it, in the crop that fits these landmarks, as
            :func:`stages.artifacts.visibility.packed` has it.
    """

    landmarks: NDArray[np.float32]
    sure: float
    sharpness: float
    exposure: float
    visible: float
    seen: bytes


def arrays_of(seen: Sequence[Seen]) -> dict[str, NDArray[Any]]:
    """What was seen, as arrays."""
    quality = [(face.sure, face.sharpness, face.exposure, face.visible) for face in seen]
    return {
        "landmarks": np.stack([face.landmarks for face in seen]),
        "quality": np.array(quality, np.float64),
        "seen": np.frombuffer(b"".join(face.seen for face in seen), np.uint8),
        "lengths": np.array([len(face.seen) for face in seen], np.int64),
    }


def seen_of(arrays: Mapping[str, NDArray[Any]]) -> list[Seen]:
    """What :func:`arrays_of` was given."""
    parts = [part.tobytes() for part in np.split(arrays["seen"], np.cumsum(arrays["lengths"])[:-1])]
    rows = zip(arrays["landmarks"], *arrays["quality"].T.tolist(), parts, strict=True)
    return [Seen(*row) for row in rows]


@dataclass(frozen=True)
class LookAtFaces:
    """The work of a span of frames with faces: what is :class:`Seen` of each face, in order.

    Attributes:
        frames: folder of the clip's frames.
        settings: where the network runs.
    """

    frames: Path
    settings: AlignmentSettings

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        return *tables_of(self.frames), *open_pack().files.values(), PLACE / NETWORK

    def begin(self) -> Callable[[Sequence[FacesOfFrame]], list[Seen]]:
        """Open frames and networks.

        Raises:
            Problem: one of them can not be opened; later, a shard is damaged.
        """
        frames, pack = Frames.read(self.frames), open_pack()
        canonical = read_canonical(pack.files["canonical_face"])
        landmarker = Landmarker(pack, device=self.settings.device, threads=self.settings.threads)
        shape = PixelShape.of(frames.facts)
        visibility = VisibleFace.open(device=self.settings.device, threads=self.settings.threads)

        def look(span: Sequence[FacesOfFrame]) -> list[Seen]:
            seen, follow = [], Following(landmarker)
            for frame, (number, points) in zip(frames.pick([number for number, _ in span]), span, strict=True):
                picture = shape.picture(frame.rgb())
                for landmarks, sure in zip(*follow.at(number, picture, shape.points(points)), strict=True):
                    transform = fit(landmarks, canonical)
                    small = crop(picture, transform, MEASURED_AT)
                    visible = sharpened(visibility.look(small[None])[0], small, crop(picture, transform, FINE))
                    # nothing passes before what is out of the picture: there the crop repeats the last pixels
                    visible[beyond(transform, FINE, picture.shape[1], picture.shape[0])] = 1.0
                    share = share_seen(visible, apply(transform, landmarks[:, :2]))
                    quality = float(sure), sharpness(small), exposure(small), share
                    seen.append(Seen(landmarks, *quality, packed(visible)))
            return seen

        return look


def spans_with(frames: Frames, taken: pd.DataFrame) -> list[list[FacesOfFrame]]:
    """The frames of taken faces, which are sorted by frame, cut into spans."""
    points = taken.groupby("frame")["points"].agg(list)
    return [
        [(number, np.stack(points[number]).reshape(-1, 5, 2)) for number in span]
        for span in spans_of(frames, points.index.tolist())
    ]
