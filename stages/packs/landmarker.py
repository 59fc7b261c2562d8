"""Places 478 dense landmarks on a face (MediaPipe's face mesh with irises)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from stages.geometry import Floats, apply, compose, crop, invert, scale_of, umeyama
from stages.onnx import Device, open_session
from stages.packs.canonical import read_canonical
from stages.packs.pack import Pack
from stages.topology import (
    CHIN,
    FOREHEAD,
    LEFT_EYE_CORNERS,
    RIGHT_EYE_CORNERS,
    RIGID,
    five_points,
    mirror_of,
)

SIZE: Final = 256
POINTS: Final = 478
BATCH: Final = 16
FILLED: Final = 0.74
"""Share of the crop's height between forehead and chin. The network was trained on boxes grown by about a half, which
gives 0.67; a little closer it is surer of faces that are turned away, and no less exact."""

SURE: Final = 0.5

TURNED: Final = 20.0
"""Degrees to either side from which a look that only finds a face is taken in the mirror, too."""

Mirror = Literal["always", "turned", "never"]


class Landmarker:
    """The landmark network.

    Where it places landmarks, it sees a face as it is and mirrored, and the mean of both answers counts: what the
    network does otherwise on a face's left side than on its right, half a degree of roll for some people, cancels out,
    and so does half of its noise's power. Where it only finds a face, for itself or for others, one look is enough,
    unless the face is turned away.

    Args:
        pack: the pack.
        device: where it runs.
        threads: on the CPU.

    Raises:
        Problem: the network can not be opened.
    """

    def __init__(self, pack: Pack, *, device: Device = "auto", threads: int = 2) -> None:
        self._session = open_session(pack.files["landmarks"], device=device, threads=threads)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()[:2]]
        canonical = read_canonical(pack.files["canonical_face"])
        self._mirror = mirror_of(canonical)
        face = canonical[:, :2]
        self._template = 0.5 + face * FILLED / (face[CHIN, 1] - face[FOREHEAD, 1])

    def refine(
        self,
        frame: NDArray[np.uint8],
        points: NDArray[np.floating],
        *,
        passes: int = 1,
        mirror: Mirror = "always",
        tilt: Floats | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks of faces of which some points are known roughly.

        Each face is turned upright and scaled to the size that the network knows, by the points known so far; each
        further pass does so by the landmarks of the pass before.

        Args:
            frame: (h, w, 3) uint8 RGB.
            points: (n, 5, 2) as a detector gives them, or (n, 478, 2 or 3) landmarks, in frame pixels.
            passes: how often to look.
            mirror: whether the last pass looks in the mirror too; those before it do so at turned faces.
            tilt: (n,) degrees by which faces are tilted in a last pass that always looks in the mirror: against the
                clock in the look as they are, with it in the other, so that what tilting does to an answer cancels out.

        Returns:
            (n, 478, 3) float32: x, y in frame pixels, z in the same scale; (n,) float32 as in :meth:`place`.
        """
        known: NDArray[np.floating] = np.asarray(points)
        sure = np.zeros(len(known), np.float32)
        landmarks = np.zeros((len(known), POINTS, 3), np.float32)
        for left in reversed(range(passes if len(known) else 0)):
            transforms = [self._upright(face) for face in known]
            if tilt is not None and mirror == "always" and not left:
                placed, now = self._tilted(frame, transforms, tilt)
            else:
                crops = np.stack([crop(frame, transform, SIZE) for transform in transforms])
                placed, now = self.place(crops, mirror="turned" if left else mirror)
                placed = _in_frame(placed, transforms)
            for index in np.flatnonzero(now >= np.minimum(sure, SURE)):  # a pass that loses the face is not followed
                landmarks[index], sure[index] = placed[index], now[index]
            known = landmarks
        return landmarks, sure

    def _tilted(
        self, frame: NDArray[np.uint8], transforms: Sequence[Floats], degrees: Floats
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks in frame pixels by two looks at faces tilted one way and, mirrored, the other way."""
        ways = [
            [compose(each, _turn(angle)) for each, angle in zip(transforms, angles, strict=True)]
            for angles in ((-degrees).tolist(), degrees.tolist())
        ]
        plain, other = (np.stack([crop(frame, each, SIZE) for each in way]) for way in ways)
        points, sure = self._seen(np.concatenate([plain, other[:, :, ::-1]]))
        here, there = np.split(points, 2)
        placed = _in_frame(here, ways[0]) + _in_frame(self._back(there), ways[1])
        return np.asarray(placed / 2, np.float32), np.asarray(np.mean(np.split(sure, 2), axis=0), np.float32)

    def place(
        self, crops: NDArray[np.uint8], *, mirror: Mirror = "always"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks on crops of upright faces that fill about two thirds of them.

        Args:
            crops: (n, 256, 256, 3) uint8 RGB.
            mirror: at which faces to look in the mirror too.

        Returns:
            (n, 478, 3) float32: x, y in crop pixels, z in the same scale, smaller towards the camera; and (n,)
            float32: how sure it is that there is a face, 0..1.
        """
        if mirror == "always":  # both looks in one run, which is quicker than two
            points, sure = self._seen(np.concatenate([crops, crops[:, :, ::-1]]))
            (points, mirrored), (sure, mirrored_sure) = np.split(points, 2), np.split(sure, 2)
            both = np.asarray((points + self._back(mirrored)) / 2, np.float32)
            return both, np.asarray((sure + mirrored_sure) / 2, np.float32)
        points, sure = self._seen(crops)
        if mirror == "turned" and (again := np.flatnonzero(turned(points) > TURNED)).size:
            mirrored, mirrored_sure = self._seen(crops[again, :, ::-1])
            points[again] = (points[again] + self._back(mirrored)) / 2
            sure[again] = (sure[again] + mirrored_sure) / 2
        return points, sure

    def _back(self, mirrored: NDArray[np.float32]) -> NDArray[np.float32]:
        """Landmarks that were seen in the mirror, as they are outside of it."""
        back = mirrored[:, self._mirror]
        back[..., 0] = SIZE - back[..., 0]
        return back

    def _seen(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As :meth:`place`, of the crops as they are."""
        starts = range(0, len(crops), BATCH)
        found = [self._run(crops[start : start + BATCH].astype(np.float32) / 255.0) for start in starts]
        if not found:
            return np.zeros((0, POINTS, 3), np.float32), np.zeros(0, np.float32)
        points, sure = zip(*found, strict=True)
        return np.concatenate(points).astype(np.float32), np.concatenate(sure).astype(np.float32)

    def _run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        mesh, logit = self._session.run(self._outputs, {self._input: np.ascontiguousarray(batch)})
        return mesh.reshape(-1, POINTS, 3).copy(), 1.0 / (1.0 + np.exp(-logit.reshape(-1)))

    def _upright(self, face: NDArray[np.floating]) -> Floats:
        """The similarity from frame pixels to the network's crop as a unit crop, by five points or by landmarks."""
        if len(face) == POINTS:
            return umeyama(face[list(RIGID), :2], self._template[list(RIGID)])
        five = five_points(np.concatenate([self._template, np.zeros((POINTS - len(self._template), 2))]))
        return umeyama(face, five)


def _turn(degrees: float) -> Floats:
    """The turn of a unit crop about its middle, (2, 3); positive is with the clock."""
    angle = np.radians(degrees)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([linear, 0.5 - linear @ np.full((2, 1), 0.5)], axis=1)


def _in_frame(points: NDArray[np.float32], transforms: Sequence[Floats]) -> NDArray[np.float32]:
    """Landmarks (n, 478, 3) in crop pixels, as they lie in the frame; ``transforms``: frame pixels to unit crops."""
    result = points / np.float32(SIZE)
    for face, transform in zip(result, transforms, strict=True):
        face[:, :2] = apply(invert(transform), face[:, :2])
        face[:, 2] /= scale_of(transform)
    return result


def turned(landmarks: NDArray[np.floating]) -> Floats:
    """How far faces (n, 478, 3) are turned to either side, degrees (n,): the slope of the line through their eyes."""
    across = np.asarray(landmarks[:, LEFT_EYE_CORNERS[0]] - landmarks[:, RIGHT_EYE_CORNERS[0]], np.float64)
    return np.degrees(np.abs(np.arctan2(across[:, 2], np.hypot(across[:, 0], across[:, 1]))))
