"""The bench of tilts: a turned frame's points are known, and what is found there is counted as what it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stages.bench.tilts import Count, Upright, lines
from stages.detection.looking import looking_of
from stages.detection.settings import DetectionSettings
from stages.packs import Found, open_pack
from tests.film import collins, moved, placed

FACE = np.array([[0, 0], [40, 0], [20, 20], [5, 40], [35, 40]], np.float32) + 100


class Seeing:
    """Finds what it was told."""

    def __init__(self, *points: np.ndarray) -> None:
        self._points = np.array(points, np.float32).reshape(-1, 5, 2)

    def at(self, picture: Any, *, tilted: bool) -> tuple[Found, np.ndarray]:
        count = len(self._points)
        return Found(np.ones(count), np.zeros((count, 4)), self._points), np.zeros((count, 4))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("points", "found", "wrong"),
    [
        ([], 0, 0),
        ([FACE + 3], 1, 0),
        ([FACE + 30], 0, 1),
        ([240 - FACE], 0, 1),
        ([FACE + 1, 240 - FACE], 1, 1),
        ([FACE, FACE + 300], 1, 0),
    ],
    ids=["nothing", "near", "beside", "the other way up", "both ways up", "somebody far away"],
)
def test_what_is_found_is_told_from_what_is_wrong(points: list[np.ndarray], found: int, wrong: int) -> None:
    count = Count()
    picture = np.zeros((8, 8, 3), np.uint8)
    count.look(Seeing(*points), picture, FACE.astype(np.float64), tilted=True)  # type: ignore[arg-type]
    assert (count.looks, count.found, count.wrong) == (1, found, wrong)


def test_the_table_says_that_tilted_heads_are_found_by_looks_for_them_alone() -> None:
    looking = looking_of(open_pack(), DetectionSettings(device="cpu", minimum_face=40))
    picture = placed((collins(), moved(160, 120, scale=0.8)))
    frame = Upright(picture, looking.at(picture)[0].points[0])
    turned, points = frame.turned(90)
    assert turned.shape[0] == turned.shape[1] == 400
    across = frame.points[1] - frame.points[0]
    np.testing.assert_allclose(points[1] - points[0], [across[1], -across[0]], atol=1e-4)
    head, _, *rows = lines([frame], looking, step=90)
    assert head.startswith("| tilt | found upright | wrong |")
    shares = [[cell.strip() for cell in row.split("|")[1:6]] for row in rows]
    assert [each[0] for each in shares] == ["0°", "90°", "180°"]
    assert shares[0][1] == shares[0][3] == "100%"
    assert [each[1] for each in shares[1:]] == ["0%", "0%"]
    assert [each[3:] for each in shares[1:]] == [["100%", "0%"]] * 2
