"""Follows faces from frame to frame: the boxes' overlap says where, the embeddings say who.

Faces of a frame are matched with the tracks of its shot all at once (Kuhn 1955, as scipy has it), so two people who
cross keep their tracks even where their boxes overlap. No track goes over a cut.

A face that is alone follows its track by place, however it turns. Where people pass each other, place does not tell who
goes on and who has vanished behind whom: there a face must be like its track, or it begins one of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from stages.packs import Found

LEAST_OVERLAP: Final = 0.3
"""Boxes of one face in neighbouring frames overlap (IoU) at least so much, however fast it moves."""

COVERED: Final = 0.3
"""Share of a face's box that another's box may cover: beyond, the two are passing each other."""

RECENT: Final = 0.8
"""Weight of the past in a track's running embedding."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """One face in one frame; coordinates in frame pixels.

    Attributes:
        frame: number of the frame.
        score: of the detector, 0 where the face was interpolated between two that were seen.
        box: (4,) x0, y0, x1, y1.
        points: (5, 2).
        embedding: (d,) of length 1, None where the face was interpolated.
    """

    frame: int
    score: float
    box: Floats
    points: Floats
    embedding: Floats | None


@dataclass
class Track:
    """One face over time, within one shot."""

    shot: int
    faces: list[Face] = field(default_factory=list)
    running: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    looks: int = 0
    """How many frames of the clip had been looked at when it was seen last."""

    def add(self, face: Face) -> None:
        """Append a face that was seen."""
        assert face.embedding is not None
        mixed = face.embedding if not self.faces else RECENT * self.running + (1 - RECENT) * face.embedding
        self.running = np.asarray(mixed / np.linalg.norm(mixed), np.float32)
        self.faces.append(face)

    def descriptor(self, best: int) -> Floats:
        """The embedding of the whole track: the mean over its ``best`` largest and surest faces, of length 1."""
        seen = sorted(self.faces, key=lambda face: -face.score * float(face.box[3] - face.box[1]))
        mean = np.mean([face.embedding for face in seen[:best] if face.embedding is not None], axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    @property
    def extent(self) -> float:
        """How much of the clip the face takes: the sum of its heights over time, in pixels."""
        return float(sum(face.box[3] - face.box[1] for face in self.faces))


def overlap(first: Floats, second: Floats) -> Floats:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    inside = _inside(first, second)
    area = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    return np.asarray(inside / np.maximum(area[0][:, None] + area[1][None, :] - inside, 1e-9), np.float32)


def covered(first: Floats, second: Floats) -> Floats:
    """Share of each box (n, 4) that each other box (m, 4) covers: (n, m)."""
    area = (first[:, 2:] - first[:, :2]).prod(axis=1)
    return np.asarray(_inside(first, second) / np.maximum(area[:, None], 1e-9), np.float32)


def passing(boxes: Floats) -> NDArray[np.bool_]:
    """Which of the boxes (n, 4) of a frame's faces another one of them covers by :data:`COVERED` or more, (n,)."""
    others = covered(boxes, boxes) - np.eye(len(boxes), dtype=np.float32)
    return np.asarray(others.max(axis=1) >= COVERED)


def _inside(first: Floats, second: Floats) -> Floats:
    """Areas of the intersections of boxes (n, 4) and (m, 4): (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2), np.float32)


class Tracker:
    """Takes the faces of one frame after the other.

    Args:
        gap: frames that a face may be hidden and still be followed.
        same_person: cosine similarity from which two embeddings are one person's.
        every: so far apart frames are looked at where nothing happens; those between hide no face.
        widening: of the clip's pixels (:class:`stages.pixel_shape.PixelShape`).
    """

    def __init__(self, gap: int, same_person: float, every: int = 1, widening: float = 1.0) -> None:
        self._gap, self._apart = gap, max(gap, every)
        self._square = np.array([widening, 1.0], np.float32)
        self._looks = 0
        self.same = same_person
        self._alive: list[Track] = []
        self.tracks: list[Track] = []

    def add(self, frame: int, shot: int, found: Found, embeddings: Floats) -> None:
        """Match the faces of a frame; what matches nothing begins a track.

        Args:
            frame: its number; frames ascend.
            shot: its shot.
            found: the faces.
            embeddings: (n, d) of length 1.
        """
        self._looks += 1
        self._alive = [
            track
            for track in self._alive
            if track.shot == shot
            and frame - track.faces[-1].frame <= self._apart + 1
            and self._looks - track.looks <= self._gap + 1
        ]
        faces = [
            Face(frame, float(found.scores[i]), found.boxes[i], found.points[i], embeddings[i])
            for i in range(len(found))
        ]
        matched = self._match(faces)
        for index, face in enumerate(faces):
            track = matched.get(index)
            if track is None:
                track = Track(shot)
                self._alive.append(track)
                self.tracks.append(track)
            track.add(face)
            track.looks = self._looks

    def _match(self, faces: list[Face]) -> dict[int, Track]:
        if not faces or not self._alive:
            return {}
        boxes = np.stack([face.box for face in faces])
        last = np.stack([track.faces[-1].box for track in self._alive])
        alike = (
            np.stack([face.embedding for face in faces if face.embedding is not None])
            @ np.stack([track.running for track in self._alive]).T
        )
        shared = overlap(boxes, last)
        centres = (boxes[:, None, :2] + boxes[:, None, 2:] - last[None, :, :2] - last[None, :, 2:]) / 2
        near = np.linalg.norm(centres * self._square, axis=2) < (last[:, 3] - last[:, 1])[None]
        same = alike >= self.same
        candidates = (shared >= LEAST_OVERLAP) | (near & same)
        contested = passing(boxes)[:, None] | (candidates.sum(axis=1) > 1)[:, None] | (candidates.sum(axis=0) > 1)[None]
        allowed = candidates & (same | ~contested)
        # similarities of one pack may all lie between 0.85 and 1: what they tell is measured from the pack's own bound
        likeness = np.clip((alike - self.same) / (1.0 - self.same), -1.0, 1.0)
        worth = np.where(allowed, 1.0 + shared + likeness, 0.0)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        return {
            int(row): self._alive[column] for row, column in zip(rows, columns, strict=True) if allowed[row, column]
        }


def filled(track: Track) -> list[Face]:
    """The track's faces with those between them that were not looked at or not found, interpolated linearly."""
    faces = track.faces[:1]
    for before, after in zip(track.faces, track.faces[1:], strict=False):
        span = after.frame - before.frame
        for step in range(1, span):
            share = np.float32(step / span)
            box = before.box + share * (after.box - before.box)
            points = before.points + share * (after.points - before.points)
            faces.append(Face(before.frame + step, 0.0, box, points, None))
        faces.append(after)
    return faces


def in_sight(tracks: Sequence[Track]) -> tuple[list[list[Face]], int]:
    """The faces of each track, :func:`filled` where nobody stands before them.

    A face that was not seen while another's was seen in its place is hidden behind that one: what lies there is the
    other person. Between two looks that agree nobody looked: who was seen on both sides stands there, too.

    Returns:
        The faces by track, and how many were left out as hidden.
    """
    looked = {face.frame for track in tracks for face in track.faces}
    seen: dict[int, list[tuple[int, Floats]]] = {}
    standing: set[tuple[int, int]] = set()
    for number, track in enumerate(tracks):
        frames = [face.frame for face in track.faces]
        for face in filled(track):
            place = bisect_left(frames, face.frame)
            if face.embedding is not None or looked.isdisjoint(range(frames[place - 1] + 1, frames[place])):
                seen.setdefault(face.frame, []).append((number, face.box))
                standing.add((number, face.frame))
    kept, hidden = [], 0
    for number, track in enumerate(tracks):
        faces = filled(track)
        clear = [face for face in faces if (number, face.frame) in standing or not _behind(face, number, seen)]
        hidden += len(faces) - len(clear)
        kept.append(clear)
    return kept, hidden


def _behind(face: Face, number: int, seen: Mapping[int, list[tuple[int, Floats]]]) -> bool:
    """Whether a face of another track was seen in an interpolated face's place."""
    boxes = [box for other, box in seen.get(face.frame, ()) if other != number]
    return bool(boxes) and float(covered(face.box[None], np.stack(boxes)).max()) >= COVERED
