"""Looks at frames: where their faces are, whether they are faces, and what they are like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.detection.settings import DetectionSettings
from stages.execution.work import tables_of
from stages.packs import Detector, Found, Landmarker, Pack, Recogniser, five_points, open_pack
from stages.packs.landmarker import Mirror
from stages.pixel_shape import PixelShape

CERTAIN: Final = 0.9
"""From this certainty on, the landmarks of the first pass are good enough to describe a face by."""

MORE_PASSES: Final = 2

ONE_FACE: Final = 0.75
"""Distances of the eyes from each other or from the mouth, up to which the middles of the five points of two candidates
are one face's."""


def confirm(
    landmarker: Landmarker, frame: NDArray[np.uint8], points: NDArray[np.floating], mirror: Mirror = "never"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Landmarks (n, 478, 3) of candidates known by five points (n, 5, 2), and how sure it is that they are faces (n,).

    One look; where it is not certain, more.
    """
    landmarks, sure = landmarker.refine(frame, points, mirror=mirror)
    again = np.flatnonzero(sure < CERTAIN)  # a tilted head comes upright step by step
    if again.size:
        more, surer = landmarker.refine(frame, landmarks[again], passes=MORE_PASSES)
        better = surer > sure[again]
        landmarks[again[better]], sure[again[better]] = more[better], surer[better]
    return landmarks, sure


def distinct(points: NDArray[np.floating]) -> list[int]:
    """The numbers of those faces (n, 5, 2) that do not lie where one before them lies.

    The detector now and then puts two boxes about one face, which overlap too little to be told as one: about the face,
    and about head and shoulders. The landmark network finds the same face in both. And a face on its side is now and
    then found a second time as one that is turned another way, which is less sure.
    """
    kept: list[int] = []
    for number, face in enumerate(points):
        apart = [np.linalg.norm((face - points[other]).mean(axis=0)) for other in kept]
        across, down = face[1] - face[0], face[3:].mean(axis=0) - face[:2].mean(axis=0)
        if not apart or min(apart) > ONE_FACE * max(np.linalg.norm(across), np.linalg.norm(down)):
            kept.append(number)
    return kept


@dataclass(frozen=True)
class Looking:
    """The three networks that look at a frame together.

    The detector's five points are rough where a head is tilted or small, and now and then it takes a printed pattern
    for a face. The landmark network mends the first and tells the second.

    Attributes:
        detector: finds candidates.
        landmarker: says whether they are faces, and where the five points really are.
        recogniser: describes them by these points.
        confirmed: least certainty of the landmark network that a candidate is a face, 0..1.
    """

    detector: Detector
    landmarker: Landmarker
    recogniser: Recogniser
    confirmed: float

    def at(self, frame: NDArray[np.uint8], *, tilted: bool = False) -> tuple[Found, NDArray[np.float32]]:
        """The faces of a frame (h, w, 3) uint8 RGB, and their embeddings (n, d) float32 of length 1.

        Args:
            frame: to look at.
            tilted: look for faces on their side and upside down, too.
        """
        found = self.detector.detect([frame], tilted=tilted)[0]
        landmarks, sure = confirm(self.landmarker, frame, found.points)
        faces = np.flatnonzero(sure >= self.confirmed)
        faces = faces[distinct(five_points(landmarks[faces]))]
        kept = Found(found.scores[faces], found.boxes[faces], five_points(landmarks[faces]))
        return kept, self.recogniser.embed(frame, kept.points)


def looking_of(pack: Pack, settings: DetectionSettings) -> Looking:
    """The networks of a pack, as the settings have them run.

    Raises:
        Problem: a network can not be opened.
    """
    device, threads = settings.device, settings.threads
    return Looking(
        Detector(pack, score=settings.score, minimum_face=settings.minimum_face, device=device, threads=threads),
        Landmarker(pack, device=device, threads=threads),
        Recogniser(pack, device=device, threads=threads),
        settings.confirmed,
    )


@dataclass(frozen=True)
class Sight:
    """What was seen in one frame.

    Attributes:
        frame: its number.
        found: the faces.
        embeddings: (n, d) float32 of length 1.
    """

    frame: int
    found: Found
    embeddings: NDArray[np.float32]


def arrays_of(sights: Sequence[Sight]) -> dict[str, NDArray[Any]]:
    """Sights as arrays, those of all faces one after the other."""
    return {
        "frame": np.array([sight.frame for sight in sights], np.int64),
        "faces": np.array([len(sight.found) for sight in sights], np.int64),
        "scores": np.concatenate([sight.found.scores for sight in sights]),
        "boxes": np.concatenate([sight.found.boxes for sight in sights]),
        "points": np.concatenate([sight.found.points for sight in sights]),
        "embeddings": np.concatenate([sight.embeddings for sight in sights]),
    }


def sights_of(arrays: Mapping[str, NDArray[Any]]) -> list[Sight]:
    """What :func:`arrays_of` was given."""
    ends = np.cumsum(arrays["faces"])[:-1]
    parts = (np.split(arrays[name], ends) for name in ("scores", "boxes", "points", "embeddings"))
    return [
        Sight(int(frame), Found(scores, boxes, points), embeddings)
        for frame, scores, boxes, points, embeddings in zip(arrays["frame"], *parts, strict=True)
    ]


@dataclass(frozen=True)
class LookForFaces:
    """The work of a span, frame numbers that ascend: one :class:`Sight` for each.

    Attributes:
        frames: folder of the clip's frames.
        settings: how to look.
        tilted: for faces on their side and upside down, too.
    """

    frames: Path
    settings: DetectionSettings
    tilted: bool = False

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        pack = open_pack(self.settings.pack)
        return *tables_of(self.frames), *sorted({*pack.files.values(), *pack.folder.glob("*.onnx")})

    def begin(self) -> Callable[[Sequence[int]], list[Sight]]:
        """Open frames and networks.

        Raises:
            Problem: one of them can not be opened; later, a shard is damaged.
        """
        frames = Frames.read(self.frames)
        looking = looking_of(open_pack(self.settings.pack), self.settings)
        shape = PixelShape.of(frames.facts)

        def look(span: Sequence[int]) -> list[Sight]:
            seen = []
            for frame in frames.pick(span):
                found, embeddings = looking.at(shape.picture(frame.rgb()), tilted=self.tilted)
                boxes = shape.back(found.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
                seen.append(Sight(frame.number, Found(found.scores, boxes, shape.back(found.points)), embeddings))
            return seen

        return look
