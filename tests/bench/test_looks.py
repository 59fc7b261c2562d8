"""The bench of looks: each way is the looks that it names, and those that it shares with another are taken once."""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.bench.looks import WAYS, placed, runs_of
from stages.packs import Detector, Landmarker, five_points, open_pack
from tests.film import collins, moved
from tests.film import placed as picture_of


def test_a_way_is_the_looks_that_it_names() -> None:
    landmarker = Landmarker(open_pack(), device="cpu", threads=1)
    frame = picture_of((collins(), moved(110, 120, scale=0.8, degrees=5)))
    five = Detector(open_pack(), device="cpu", threads=1).detect([frame])[0].points
    assert len(five) == 1
    found = placed(landmarker, frame, five)
    by_hand = landmarker.refine(frame, five, mirror="never")[0]
    by_hand = landmarker.refine(frame, five_points(by_hand), passes=2)[0]
    np.testing.assert_array_equal(found["P|TM"][0], by_hand)
    assert {way: runs_of(way) for way in WAYS} == {"M|MM": "6", "P|TM": "4 or 5", "P|PM": "4", "P|M": "3"}


def test_ways_that_begin_alike_share_their_looks() -> None:
    class Counting:
        looks = 0

        def refine(self, frame: Any, points: Any, *, mirror: str) -> Any:
            self.looks += 1
            return np.zeros((len(points), 478, 3), np.float32), np.ones(len(points), np.float32)

    counting = Counting()
    placed(counting, np.zeros((8, 8, 3), np.uint8), np.zeros((1, 5, 2)))  # type: ignore[arg-type]
    assert counting.looks == len({way[: end + 1] for way in WAYS for end, look in enumerate(way) if look != "|"})
