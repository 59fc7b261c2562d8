"""What is kept, what is held out, and where the mask lies."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.dataset.masks import face_mask, outline
from stages.dataset.selection import GUARD, KEPT, DuplicateFilter, parts, reasons, shares_inside
from stages.dataset.settings import DatasetSettings, FilterSettings, SplitSettings
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.topology import FOREHEAD

FACE = read_canonical(open_pack().files["canonical_face"])[:, :2] / 24 + 0.5
LANDMARKS = np.concatenate([FACE, np.full((10, 2), 0.5)])


def table(**changed: float) -> pd.DataFrame:
    """Five good faces and one with changed values."""
    good = {"confidence": 1.0, "sharpness": 100.0, "exposure": 0.5, "visible": 0.8, "yaw": 0.0}
    return pd.DataFrame([good] * 5 + [good | changed])


def told(rows: pd.DataFrame, width: int) -> list[str]:
    """Why each is dropped, of a frame of this width; all landmarks lie 50 pixels from its edges."""
    inside = shares_inside(np.full((len(rows), 478, 3), [50.0, 50.0, 0.0]), width, 100)
    return reasons(rows, inside, FilterSettings())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"confidence": 0.2}, "landmarks are not sure"),
        ({"sharpness": 5.0}, "blurred"),
        ({"exposure": 0.01}, "too dark"),
        ({"exposure": 0.99}, "too bright"),
        ({"visible": 0.6}, "covered"),
        ({"visible": 0.7}, KEPT),
        ({"yaw": -80.0}, "turned too far"),
        ({"yaw": 40.0}, KEPT),
    ],
)
def test_each_fault_has_its_reason(changed: dict[str, float], reason: str) -> None:
    assert told(table(**changed), 100) == [KEPT] * 5 + [reason]


def test_faces_at_the_edge_are_dropped() -> None:
    assert told(table(), 40) == ["cut by the frame's edge"] * 6
    assert told(table().iloc[:0], 40) == []


@settings(max_examples=40, deadline=None)
@given(
    st.sets(st.integers(0, 2000), min_size=1, max_size=600),
    st.floats(0, 0.4),
    st.integers(1, 40),
    st.integers(1, 20),
)
def test_no_neighbour_of_a_training_frame_is_held_out(numbers: set[int], share: float, block: int, guard: int) -> None:
    frames = np.array(sorted(numbers))
    split = parts(frames, SplitSettings(held_out=share, block=block, guard=guard))
    assert len(split) == len(frames)
    assert set(split) <= {"train", "held-out", KEPT}
    told = [(frame, part) for frame, part in zip(frames, split, strict=True) if part != KEPT]
    for (before, first), (after, second) in pairwise(told):
        if first != second:
            assert after - before > guard


@pytest.mark.parametrize("count", [60, 325, 3000])
def test_the_held_out_share_is_the_one_asked_for(count: int) -> None:
    split = parts(np.arange(count), SplitSettings(held_out=0.1, block=12, guard=5))
    assert split.count("held-out") / count == pytest.approx(0.1, abs=0.02)
    assert split[0] == split[-1] == "train"
    assert GUARD != KEPT


def test_a_clip_that_shows_somebody_else_in_its_middle_has_held_out_faces() -> None:
    frames = np.array([*range(56), *range(100, 150)])
    split = parts(frames, SplitSettings(held_out=0.1, block=15, guard=5))
    assert split.count("held-out") == pytest.approx(0.1 * len(frames), abs=1)
    assert split.count("train") > 0.7 * len(frames)


def test_what_is_left_out_moves_no_block_but_where_nothing_would_be_held_out() -> None:
    shown, settings = np.arange(150), SplitSettings(held_out=0.1, block=15, guard=5)
    whole = dict(zip(shown, parts(shown, settings), strict=True))
    some = np.delete(shown, [3, 4, 40, 70, 71, 120])
    assert dict(zip(some, parts(some, settings, shown), strict=True)) == {each: whole[each] for each in some.tolist()}
    held_out = [each for each in shown.tolist() if whole[each] == "held-out"]
    without = np.delete(shown, held_out)
    assert parts(without, settings, shown).count("held-out") == pytest.approx(13, abs=1)


def test_without_a_share_nothing_is_held_out() -> None:
    assert set(parts(np.arange(100), SplitSettings(held_out=0.0))) == {"train"}
    assert parts(np.array([], int), SplitSettings()) == []


def test_a_clip_can_be_held_out_whole() -> None:
    whole = DatasetSettings().wholly_held_out()
    assert parts(np.arange(100), whole.split) == ["held-out"] * 100
    assert whole.filter == DatasetSettings().filter


def test_duplicates_are_told_by_any_part_of_the_face() -> None:
    crop = np.random.default_rng(0).integers(60, 180, (64, 64, 3), dtype=np.uint8)
    mouth = crop.copy()
    mouth[44:52, 28:36] += 40
    grain = (crop + np.random.default_rng(1).integers(-1, 2, crop.shape)).astype(np.uint8)
    seen = DuplicateFilter(3.0)
    assert [seen.is_new(one) for one in (crop, crop, grain, mouth, mouth, crop)] == [
        True,
        False,
        False,
        True,
        False,
        True,
    ]
    assert all(DuplicateFilter(0.0).is_new(crop) for _ in range(3))


@pytest.mark.parametrize("size", [64, 256])
def test_the_mask_covers_the_face_and_its_forehead(size: int) -> None:
    mask = face_mask(LANDMARKS, size, 0.35)
    places = np.clip((LANDMARKS * size).astype(int), 0, size - 1)
    assert (mask[places[:, 1], places[:, 0]] > 100).mean() > 0.97
    above = (LANDMARKS[FOREHEAD] - [0, 0.05]) * size
    assert mask[int(above[1]), int(above[0])] == 255
    assert face_mask(LANDMARKS, size, 0.0)[int(above[1]), int(above[0])] == 0
    assert (mask[0] == 0).all()
    assert (mask[:, 0] == 0).all()


def test_the_masks_area_is_that_of_its_outline() -> None:
    """Antialiased: the area does not depend on the size, and the edge has values between."""
    x, y = outline(LANDMARKS, 0.35).T
    area = 0.5 * abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))))
    for size in (32, 100, 256):
        mask = face_mask(LANDMARKS, size, 0.35)
        assert mask.mean() / 255 == pytest.approx(area, rel=0.005)
        assert ((mask > 0) & (mask < 255)).any()


def test_the_mask_moves_with_the_landmarks() -> None:
    shifted = face_mask(LANDMARKS + np.array([8, 4]) / 64, 64, 0.35)
    still = face_mask(LANDMARKS, 64, 0.35)[:-4, :-8]
    np.testing.assert_allclose(shifted[4:, 8:].astype(int), still.astype(int), atol=1)
