"""Where the eyes look, from irises that are set by hand; pose and openings are tested where alignment uses them."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.expression import LEFT_IRIS, RIGHT_IRIS, gaze
from stages.packs import Landmarker, open_pack
from stages.rendering.landmarks import five_points
from stages.topology import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from stages.video import decode
from tests.conftest import REPOSITORY


def face(right: float, left: float) -> NDArray[np.float64]:
    """Landmarks whose eyes are 40 pixels wide, each iris so many pixels to the picture's right of its eye's middle."""
    landmarks = np.zeros((478, 3))
    landmarks[list(RIGHT_EYE_CORNERS), :2] = [(100, 200), (140, 200)]  # the person's right is the picture's left
    landmarks[list(LEFT_EYE_CORNERS), :2] = [(240, 200), (200, 200)]
    landmarks[RIGHT_IRIS, :2] = (120 + right, 203)
    landmarks[LEFT_IRIS, :2] = (220 + left, 203)
    return landmarks


def test_eyes_in_the_middle_look_straight_ahead_whatever_their_height() -> None:
    assert gaze(face(0, 0)) == pytest.approx(0.0)


def test_it_is_the_irises_place_in_parts_of_the_eyes_width() -> None:
    assert gaze(face(10, 10)) == pytest.approx(0.25)
    assert gaze(face(-4, -12)) == pytest.approx(-0.2)


def test_eyes_that_turn_to_the_nose_look_straight_ahead_together() -> None:
    assert gaze(face(6, -6)) == pytest.approx(0.0)


@given(angle=st.floats(-180, 180), scale=st.floats(0.2, 5))
@hypothesis_settings(max_examples=30, deadline=None)
def test_it_does_not_depend_on_roll_or_size(angle: float, scale: float) -> None:
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    looked = face(5, 7)
    turned = looked.copy()
    turned[:, :2] = looked[:, :2] @ turn + [30, -12]
    assert gaze(turned) == pytest.approx(gaze(looked))


def test_it_follows_the_exact_gaze_of_a_rendered_performer() -> None:
    """Only to the side: the sample's own irises, through the pack's network, against the truth that was rendered."""
    folder = REPOSITORY / "data/performances/ada"
    truth = pq.read_table(folder / "truth.parquet").to_pandas()
    landmarker = Landmarker(open_pack(), device="cpu", threads=1)
    found, exact = [], []
    for frame in islice(decode(folder / "clip.mp4"), 0, 200, 8):
        row = truth.iloc[frame.number]
        if max(row["blink_left"], row["blink_right"]) > 0.3:
            continue
        points = five_points(np.asarray(row["landmarks"], np.float32).reshape(70, 2))
        landmarks, _ = landmarker.refine(frame.rgb(), points[None], passes=2)
        found.append(gaze(landmarks[0]))
        exact.append(float(row["gaze_yaw"]))
    assert len(found) >= 15
    assert np.corrcoef(found, exact)[0, 1] > 0.95
