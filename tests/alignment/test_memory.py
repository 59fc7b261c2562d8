"""Alignment's memory: what a frame of a long shot adds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stages.alignment.looking import Seen
from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align_into
from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import ALL_SEEN
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from tests.film import film

LANDMARKS = 478 * 3 * 4
"""Bytes of a face's landmarks, as they lie in the table."""


class Knowing:
    """An engine that has seen all faces already, each a little elsewhere."""

    def __init__(self) -> None:
        canonical = read_canonical(open_pack().files["canonical_face"])
        face = np.concatenate([canonical, np.zeros((478 - len(canonical), 3))]) * [8, -8, 8] + [200, 200, 0]
        self._face = face.astype(np.float32)

    def map(self, work: Any, spans: Iterable[Any]) -> Iterator[Any]:
        for span in spans:
            yield [Seen(self._face + np.float32(number % 7), 1.0, 1.0, 0.5, 1.0, ALL_SEEN) for number, _ in span]


def peak_of(frames: Frames, folder: Path, count: int) -> int:
    """Bytes that alignment holds at most, of a clip with one face in each frame."""
    index = pd.concat([frames.index.iloc[:1]] * count, ignore_index=True).assign(frame=range(count))
    points = [np.zeros(10, np.float32) for _ in range(count)]
    faces = pd.DataFrame({"frame": range(count), "face": 0, "track": 0, "points": points, "taken": True})
    engine = Knowing()
    folder.mkdir()
    tracemalloc.start()
    long = Frames(frames.folder, index, frames.facts)
    align_into(folder, long, faces, AlignmentSettings(), clip="long", engine=engine)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(Alignments.read(folder).table) == count
    return peak


def test_a_frame_adds_a_share_of_its_landmarks(tmp_path: Path) -> None:
    """However long the shot is, those of a bounded number of frames are in memory."""
    frames = film(tmp_path / "frames", [np.zeros((64, 64, 3), np.uint8)])
    short, long = (peak_of(frames, tmp_path / str(count), count) for count in (2500, 3500))
    assert (long - short) / 1000 < LANDMARKS / 3
