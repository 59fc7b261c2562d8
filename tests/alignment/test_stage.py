"""The alignment stage on a film whose movement is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align
from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.detection.settings import DetectionSettings
from stages.detection.stage import detect
from stages.geometry import as_matrix, compose
from tests.film import collins, film, hopper, moved, placed

COUNT, CUT, HIDDEN = 14, 8, 11
SETTINGS = AlignmentSettings(device="cpu")


def place(number: int) -> np.ndarray:
    """Even movement, and another place after the cut."""
    if number < CUT:
        return moved(110 + 4 * number, 120, scale=0.8 + 0.02 * number, degrees=3 * number - 10)
    return moved(210, 110 + 2 * (number - CUT), scale=0.7, degrees=-15)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Collins, moving, with a cut; in one frame she is hidden. Hopper is small in a corner."""
    pictures = [
        placed((hopper(), moved(50, 60, scale=0.4)), *([] if number == HIDDEN else [(collins(), place(number))]))
        for number in range(COUNT)
    ]
    return film(tmp_path_factory.mktemp("film") / "frames", pictures, shot_of=lambda number: int(number >= CUT))


@pytest.fixture(scope="module")
def faces(frames: Frames) -> pd.DataFrame:
    return detect(frames, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces


@pytest.fixture(scope="module")
def alignments(frames: Frames, faces: pd.DataFrame) -> Alignments:
    return align(frames, faces, SETTINGS, clip="x")


def test_every_taken_face_is_aligned_to_the_same_crop(alignments: Alignments) -> None:
    """Portrait -> frame -> unit crop is one and the same similarity in every frame, on both sides of the cut."""
    table = alignments.table
    assert list(table["frame"]) == list(range(COUNT))
    assert list(table["shot"]) == [int(number >= CUT) for number in range(COUNT)]
    sure = table[table["frame"] != HIDDEN]
    chained = np.stack([compose(place(row.frame), as_matrix(row.transform)) for row in sure.itertuples()])
    corners = np.array([[60, 60, 1], [140, 60, 1], [100, 160, 1]]).T
    spread = (chained @ corners).std(axis=0)
    assert spread.max() < 0.012


def test_a_hidden_face_is_bridged_and_says_so(alignments: Alignments) -> None:
    hidden = alignments.table.set_index("frame").loc[HIDDEN]
    assert hidden["confidence"] < 0.5
    chained = compose(place(HIDDEN), as_matrix(hidden["transform"]))
    around = compose(place(HIDDEN - 1), as_matrix(alignments.table.set_index("frame").loc[HIDDEN - 1]["transform"]))
    np.testing.assert_allclose(chained, around, atol=0.02)


def test_roll_follows_the_turn_of_the_picture(alignments: Alignments) -> None:
    table = alignments.table[alignments.table["frame"] < CUT]
    rolls = table["roll"].to_numpy() - [3 * number - 10 for number in table["frame"]]
    assert np.ptp(rolls) < 4.0


def test_twice_gives_the_same_bytes(
    frames: Frames, faces: pd.DataFrame, alignments: Alignments, tmp_path: Path
) -> None:
    for name, made in (("first", alignments), ("second", align(frames, faces, SETTINGS, clip="y"))):
        (tmp_path / name).mkdir()
        made.write(tmp_path / name)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    again = Alignments.read(tmp_path / "first")
    np.testing.assert_array_equal(np.stack(again.table["landmarks"]), np.stack(alignments.table["landmarks"]))


def test_without_taken_faces_the_table_is_empty(frames: Frames, faces: pd.DataFrame) -> None:
    none = align(frames, faces.assign(taken=False), SETTINGS, clip="x")
    assert len(none.table) == 0
