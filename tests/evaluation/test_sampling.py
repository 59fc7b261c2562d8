"""Which frames are measured: spread evenly, held-out ones first, one face a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.evaluation.sampling import OTHER, chosen_faces, chosen_stretches, spread, with_split


def tables(count: int, held_out: set[int], dropped: set[int] = frozenset()) -> tuple[pd.DataFrame, pd.DataFrame]:  # type: ignore[assignment]  # frozen: a default
    """Faces of ``count`` frames and the splits of those that were not dropped."""
    faces = pd.DataFrame({"frame": range(count), "face": 0})
    kept = [number for number in range(count) if number not in dropped]
    split = [HELD_OUT if number in held_out else TRAIN for number in kept]
    return faces, pd.DataFrame({"frame": kept, "face": 0, "split": split})


def test_half_of_the_frames_are_held_out_ones() -> None:
    chosen = chosen_faces(with_split(*tables(100, set(range(40, 60)))), 20)
    assert chosen["split"].value_counts().to_dict() == {HELD_OUT: 10, TRAIN: 10}
    assert chosen["frame"].tolist() == sorted(chosen["frame"])


@pytest.mark.parametrize(
    ("held_out", "expected"), [(set(range(3)), 3), (set(range(95)), 15), (set(), 0), (set(range(100)), 20)]
)
def test_where_one_kind_is_short_the_other_fills_up(held_out: set[int], expected: int) -> None:
    chosen = chosen_faces(with_split(*tables(100, held_out)), 20)
    assert len(chosen) == 20
    assert (chosen["split"] == HELD_OUT).sum() == expected


def test_frames_that_the_face_set_dropped_are_neither() -> None:
    chosen = chosen_faces(with_split(*tables(10, {1}, dropped={2, 3})), 10)
    assert chosen.set_index("frame")["split"].loc[[2, 3]].tolist() == [OTHER, OTHER]


def test_of_several_faces_in_a_frame_the_first_is_taken() -> None:
    faces, splits = tables(4, {0})
    twice = pd.concat([faces, faces.assign(face=1)]).sort_values(["frame", "face"])
    chosen = chosen_faces(with_split(twice, splits), 10)
    assert chosen["face"].tolist() == [0] * 4


@given(count=st.integers(0, 200), wanted=st.integers(1, 250))
@hypothesis_settings(max_examples=50, deadline=None)
def test_spread_is_even_and_complete(count: int, wanted: int) -> None:
    places = spread(count, wanted)
    assert len(places) == min(count, wanted)
    if len(places) > 1:
        assert (places[0], places[-1]) == (0, count - 1)
        assert np.ptp(np.diff(places)) <= 1


def found(frames: list[int], shots: list[int], wanted: int = 3, length: int = 20) -> list[list[int]]:
    return chosen_stretches(pd.DataFrame({"frame": frames, "shot": shots}), wanted, length)


def test_stretches_are_spread_over_the_clip() -> None:
    stretches = found(list(range(200)), [0] * 200)
    assert [stretch[0] for stretch in stretches] == [0, 80, 180]
    assert all(len(stretch) == 20 for stretch in stretches)


def test_no_stretch_goes_over_a_cut_or_a_gap() -> None:
    frames = [*range(30), *range(40, 70)]
    shots = [0] * 15 + [1] * 45
    assert found(frames, shots, wanted=9) == [
        list(range(15)),
        list(range(15, 30)),
        list(range(40, 60)),
    ]


def test_runs_that_are_too_short_tell_nothing() -> None:
    assert found([0, 1, 2, 10, 11], [0] * 5) == []
    assert found([], []) == []
    assert found(list(range(50)), [0] * 50, wanted=0) == []
