"""Small parts of an evaluation: landmark error, controls, untouched samples, summary and curves."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import av
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.evaluation.controls import another_moment, at_resolution
from stages.evaluation.curves import Curve, drawn, ticks
from stages.evaluation.explained import CONTROLS, HEADLINES, METRICS, written
from stages.evaluation.performance import landmark_error
from stages.evaluation.summary import HELD_OUT_MEANS, MEANS, summarised
from stages.evaluation.untouched import changed_outside
from stages.fidelity import hull
from stages.video import NativeFrame, VideoFacts


class TestLandmarkError:
    landmarks = np.random.default_rng(0).uniform(100, 200, (478, 3)).astype(np.float32)

    def test_equal_landmarks_have_none(self) -> None:
        assert landmark_error(self.landmarks, self.landmarks) == 0.0

    @given(scale=st.floats(0.2, 5), x=st.floats(-50, 50))
    @hypothesis_settings(max_examples=20, deadline=None)
    def test_it_does_not_depend_on_the_size_of_the_face(self, scale: float, x: float) -> None:
        moved = self.landmarks + np.array([3.0, 4.0, 0.0], np.float32)
        first = landmark_error(moved, self.landmarks)
        assert landmark_error(moved * scale + x, self.landmarks * scale + x) == pytest.approx(first, rel=1e-3)

    def test_it_is_the_distance_in_parts_of_the_eyes(self) -> None:
        expected = np.zeros((478, 2))
        expected[263] = (50.0, 0.0)
        assert landmark_error(expected + np.array([3.0, 4.0]), expected) == pytest.approx(5.0 / 50.0)


class TestControls:
    @given(count=st.integers(2, 300))
    @hypothesis_settings(max_examples=30, deadline=None)
    def test_every_frame_is_shuffled_to_another_one(self, count: int) -> None:
        moments = [another_moment(position, count) for position in range(count)]
        assert sorted(moments) == list(range(count))
        assert all(moment != position for position, moment in enumerate(moments))

    def test_the_ceiling_is_the_truth_outside_the_crop_and_softer_inside(self) -> None:
        truth = np.random.default_rng(1).integers(0, 255, (80, 90, 3)).astype(np.uint8)
        transform = np.array([[1 / 40, 0, -0.5], [0, 1 / 40, -0.5]])
        low = at_resolution(truth, np.full((16, 16, 3), 90, np.uint8), transform)
        assert (low[20:60, 20:60] == 90).all()
        low[20:60, 20:60] = truth[20:60, 20:60]
        assert (low == truth).all()


class TestUntouched:
    facts = VideoFacts(width=64, height=48, pixel_format="yuv420p", time_base="1/25", rate="25/1")
    transform = np.array([[1 / 16, 0, -1.0], [0, 1 / 16, -1.0]])  # the crop is x and y from 16 to 32

    def frame(self, *spots: tuple[int, int, int]) -> NativeFrame:
        """A grey frame with samples (plane, y, x) changed."""
        picture = av.VideoFrame(64, 48, "yuv420p")
        made = NativeFrame(0, 0, 1, picture, self.facts)
        for plane in made.planes():
            plane[:] = 100
        for plane, y, x in spots:
            made.planes()[plane][y, x] = 101
        return made

    def test_changes_in_the_crop_are_allowed(self) -> None:
        assert changed_outside(self.frame(), self.frame((0, 16, 16), (0, 31, 31), (1, 15, 8)), [self.transform]) == 0

    @pytest.mark.parametrize("spot", [(0, 15, 20), (0, 20, 32), (2, 16, 9), (1, 0, 0)])
    def test_one_sample_outside_is_found(self, spot: tuple[int, int, int]) -> None:
        assert changed_outside(self.frame(), self.frame(spot), [self.transform]) == 1

    def test_without_faces_nothing_may_change(self) -> None:
        assert changed_outside(self.frame(), self.frame((0, 20, 20)), []) == 1


def table(**more: list[float]) -> pd.DataFrame:
    """A table of four frames, the last two held out."""
    columns = {
        "frame": [0, 1, 2, 3],
        "seconds": [0.0, 0.04, 0.08, 0.12],
        "split": [TRAIN, TRAIN, HELD_OUT, HELD_OUT],
        "similarity_source": [0.8, 0.7, 0.6, 0.2],
        "similarity_target": [0.1, 0.2, 0.3, 0.4],
        "changed_outside": [0, 0, 0, 0],
    }
    return pd.DataFrame(columns | more)


class TestSummary:
    def test_fidelity_is_that_of_frames_training_never_saw(self) -> None:
        frames = table(psnr=[30.0, 30.0, 20.0, 22.0], psnr_copied_target=[15.0, 15.0, 14.0, 16.0])
        metrics = summarised(frames, passed_exactly=True)
        assert (metrics["psnr"], metrics["psnr_all"]) == (21.0, 25.5)
        assert (metrics["psnr_gain"], metrics["psnr_worst"]) == (6.0, 20.0)

    def test_shares_are_over_all_frames(self) -> None:
        metrics = summarised(table(), passed_exactly=True)
        assert metrics["nearer_to_source"] == 0.75
        assert metrics["untouched_exact"] == 1

    def test_without_held_out_frames_their_figures_are_left_out(self) -> None:
        frames = table(psnr=[30.0] * 4, psnr_copied_target=[15.0] * 4).assign(split=TRAIN)
        metrics = summarised(frames, passed_exactly=True)
        assert "psnr" not in metrics
        assert metrics["psnr_all"] == 30.0

    @pytest.mark.parametrize(("passed", "outside"), [(False, 0), (True, 1)])
    def test_one_touched_frame_breaks_the_promise(self, passed: bool, outside: int) -> None:
        frames = table(changed_outside=[0, outside, 0, 0])
        assert summarised(frames, passed_exactly=passed)["untouched_exact"] == 0

    def test_every_explained_metric_can_be_had(self) -> None:
        columns = {name: [1.0, 2.0, 3.0, 4.0] for name in (*HELD_OUT_MEANS, *MEANS)}
        known = summarised(table(**columns), passed_exactly=True, likeness_was_taught=True)
        assert {each.key for each in METRICS} <= set(known)
        assert set(HEADLINES) <= set(known)
        assert {f"psnr{suffix}" for suffix, _, _ in CONTROLS} <= set(known)


class TestCurves:
    def test_it_is_well_formed_and_within_its_box(self) -> None:
        markup = drawn(table(psnr=[20.0, 25.0, 22.0, 30.0]), [Curve("psnr", "PSNR", "--swap")], HELD_OUT)
        root = ElementTree.fromstring(markup)
        (line,) = root.iter("polyline")
        points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        assert len(points) == 4
        assert all(0 <= x <= 720 and 0 <= y <= 230 for x, y in points)
        assert points[3][1] < points[1][1] < points[0][1]
        assert sum(each.attrib.get("class") == "held" for each in root.iter("rect")) == 2

    def test_columns_that_are_missing_and_frames_without_a_figure_are_left_out(self) -> None:
        frames = table(psnr=[20.0, float("nan"), 22.0, 30.0])
        markup = drawn(frames, [Curve("psnr", "PSNR", "--swap"), Curve("none", "none", "--third")], HELD_OUT)
        (line,) = ElementTree.fromstring(markup).iter("polyline")
        assert len(line.attrib["points"].split()) == 3

    def test_a_constant_or_a_single_frame_is_drawn(self) -> None:
        assert "polyline" in drawn(table(psnr=[5.0] * 4).head(1), [Curve("psnr", "PSNR", "--swap")], HELD_OUT)

    @given(low=st.floats(-1e3, 1e3), span=st.floats(1e-3, 1e4))
    @hypothesis_settings(max_examples=50, deadline=None)
    def test_ticks_are_few_and_lie_within(self, low: float, span: float) -> None:
        found = ticks(low, low + span)
        assert 1 <= len(found) <= 8
        assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)


def test_the_hull_is_where_the_points_are() -> None:
    mask = hull(np.array([[2.0, 2.0], [8.0, 2.0], [8.0, 6.0], [2.0, 6.0]]), 12, 10)
    assert mask[3:5, 3:7].all()
    assert not mask[:1].any()
    assert not mask[7:].any()
    assert not mask[:, 9:].any()


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (21.456, "decibel", "21.46 dB"),
        (0.9512, "share", "95.1 %"),
        (7, "count", "7"),
        (0, "yes", "NO"),
        (0.81, "plain", "0.810"),
    ],
)
def test_figures_read_well(value: float, kind: str, expected: str) -> None:
    assert written(value, kind) == expected  # type: ignore[arg-type]  # a Literal, from parametrize
