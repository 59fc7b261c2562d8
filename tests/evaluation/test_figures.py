"""Small parts of an evaluation: landmark error, controls, untouched samples, summary and curves."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.evaluation.catalogue import METRICS, Metric
from stages.evaluation.controls import COPIED, ORACLE, STATIC, another_moment, at_half_resolution, at_resolution, pasted
from stages.evaluation.curves import Curve, drawn, ticks
from stages.evaluation.ordering import misranked, not_beaten, ranked
from stages.evaluation.performance import landmark_error
from stages.evaluation.plots import worst_frames
from stages.evaluation.settings import FIGURES, EvaluationSettings, Threshold
from stages.evaluation.summary import Metrics, figures_of, of_swap, summarised
from stages.evaluation.thresholds import bars
from stages.evaluation.untouched import changed, changed_outside
from stages.evaluation.wording import written
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

    def test_a_pasted_crop_ends_with_the_mask(self) -> None:
        frame = np.zeros((80, 90, 3), np.uint8)
        transform = np.array([[1 / 40, 0, -0.5], [0, 1 / 40, -0.5]])
        mask = np.zeros((80, 90), bool)
        mask[30:50, 30:50] = True
        done = pasted(frame, np.full((16, 16, 3), 90, np.uint8), transform, mask)
        assert (done[mask] == 90).all()
        assert (done[~mask] == 0).all()

    def test_half_the_resolution_keeps_the_mean_and_loses_the_detail(self) -> None:
        crop = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
        half = at_half_resolution(crop)
        assert half.mean() == pytest.approx(crop.mean(), abs=1.5)
        assert half.std() < 0.7 * crop.std()


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

    def test_what_changed_is_known_by_pixel_whatever_the_plane(self) -> None:
        found = changed(self.frame(), self.frame((0, 3, 5), (1, 10, 20)))
        assert found.sum() == 1 + 4
        assert found[3, 5]
        assert found[20:22, 40:42].all()

    def test_without_faces_nothing_may_change(self) -> None:
        assert changed_outside(self.frame(), self.frame((0, 20, 20)), []) == 1


def table(**more: list[float]) -> pd.DataFrame:
    """A table of four frames, the last two held out."""
    columns = {
        "frame": [0, 1, 2, 3],
        "seconds": [0.0, 0.04, 0.08, 0.12],
        "shot": [0, 0, 0, 0],
        "stretch": [-1, -1, -1, -1],
        "split": [TRAIN, TRAIN, HELD_OUT, HELD_OUT],
        "similarity_source": [0.8, 0.7, 0.6, 0.2],
        "similarity_target": [0.1, 0.2, 0.3, 0.4],
        "changed_outside": [0, 0, 0, 0],
    }
    return pd.DataFrame(columns | more)


def metrics_of(frames: pd.DataFrame, *, passed_exactly: bool = True, taught: bool = False) -> Metrics:
    figures = figures_of(frames, seed=0)
    return summarised(frames, figures, passed_exactly=passed_exactly, likeness_was_taught=taught)


class TestSummary:
    def test_fidelity_is_that_of_frames_training_never_saw(self) -> None:
        metrics = metrics_of(table(psnr=[30.0, 30.0, 20.0, 22.0], psnr_copied_target=[15.0, 15.0, 14.0, 16.0]))
        assert (metrics["psnr"], metrics["psnr_all"]) == (21.0, 25.5)
        assert (metrics["psnr_gain"], metrics["psnr_worst"]) == (6.0, 20.0)

    def test_shares_are_over_all_frames(self) -> None:
        metrics = metrics_of(table(nearer_to_source=[1.0, 1.0, 1.0, 0.0]))
        assert metrics["nearer_to_source"] == 0.75
        assert metrics["untouched_exact"] == 1

    def test_without_held_out_frames_their_figures_are_left_out(self) -> None:
        metrics = metrics_of(table(psnr=[30.0] * 4, psnr_copied_target=[15.0] * 4).assign(split=TRAIN))
        assert "psnr" not in metrics
        assert metrics["psnr_all"] == 30.0

    def test_frames_that_are_only_in_a_stretch_are_not_counted(self) -> None:
        frames = table(similarity_source=[0.8, float("nan"), 0.6, float("nan")])
        metrics = metrics_of(frames)
        assert (metrics["frames"], metrics["frames_held_out"]) == (2, 1)
        assert metrics["similarity_source"] == 0.7

    @pytest.mark.parametrize(("passed", "outside"), [(False, 0), (True, 1)])
    def test_one_touched_frame_breaks_the_promise(self, passed: bool, outside: int) -> None:
        frames = table(changed_outside=[0, outside, 0, 0])
        assert metrics_of(frames, passed_exactly=passed)["untouched_exact"] == 0

    def test_a_figure_whose_controls_rank_wrongly_is_marked(self) -> None:
        wrong = table(seam_energy=[1.0] * 4, seam_energy_copied_target=[1.2] * 4, seam_energy_static_source=[1.1] * 4)
        figures = figures_of(wrong, seed=0).set_index("metric")
        assert figures.loc["seam_energy", "ranks"] == "wrong"
        assert figures.loc["seam_energy", "misranked"] == "copied_target before static_source"
        assert metrics_of(wrong)["untrusted_seam_energy"] == 1
        right = wrong.assign(seam_energy_copied_target=1.0)
        assert figures_of(right, seed=0).set_index("metric").loc["seam_energy", "ranks"] == "right"
        assert "untrusted_seam_energy" not in metrics_of(right)

    def test_a_swap_is_held_against_a_control_over_the_frames_that_both_have(self) -> None:
        nan = float("nan")
        easy = table(seam_energy=[1.0, 1.0, 3.0, 3.0], seam_energy_static_source=[1.5, 1.5, nan, nan])
        row = figures_of(easy, seed=0).set_index("metric").loc["seam_energy"]
        assert (row["value"], row["static_source"], row["not_beaten"]) == (2.0, 1.5, "")
        hard = table(seam_energy=[3.0, 3.0, 1.0, 1.0], seam_energy_static_source=[2.5, 2.5, nan, nan])
        row = figures_of(hard, seed=0).set_index("metric").loc["seam_energy"]
        assert (row["value"], row["not_beaten"]) == (2.0, "static_source")

    def test_a_figure_without_controls_is_neither(self) -> None:
        figures = figures_of(table(mouth_error=[0.1] * 4), seed=0).set_index("metric")
        assert figures.loc["mouth_error", "ranks"] == "unknown"

    def test_the_table_keeps_the_swaps_columns_and_what_is_drawn_beside_them(self) -> None:
        kept = of_swap(table(psnr=[1.0] * 4, psnr_copied_target=[1.0] * 4, yaw_static_source=[1.0] * 4))
        assert {"psnr", "psnr_copied_target"} <= set(kept.columns)
        assert "yaw_static_source" not in kept.columns


class TestOrdering:
    metric = next(each for each in METRICS if each.key == "landmark_error_truth")

    def test_right_order_is_nothing_to_tell(self) -> None:
        values = {ORACLE: 0.01, COPIED: 0.05, STATIC: 0.09}
        assert misranked(self.metric, values) == []
        assert ranked(self.metric, values) == 2

    def test_wrong_and_equal_order_is_told(self) -> None:
        assert misranked(self.metric, {ORACLE: 0.06, COPIED: 0.05, STATIC: 0.06}) == [
            (ORACLE, COPIED),
            (ORACLE, STATIC),
        ]

    def test_a_swap_that_is_no_better_than_what_must_be_bad_is_told(self) -> None:
        assert not_beaten(self.metric, 0.06, {ORACLE: 0.01, COPIED: 0.05, STATIC: 0.09}) == [COPIED]

    @pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
    def test_every_figure_says_how_it_must_rank_its_controls(self, metric: Metric) -> None:
        assert metric.order
        assert not {(worse, better) for better, worse in metric.order} & set(metric.order)
        assert metric.says.endswith(".")


class TestThresholds:
    def test_a_bar_that_is_missed_is_told_with_both_numbers(self) -> None:
        asked = {"psnr": Threshold(least=27.0), "flicker": Threshold(most=1.25), "psnr_frame": Threshold(least=27.0)}
        found = {bar.key: bar for bar in bars(asked, {"psnr": 26.5, "flicker": 1.1})}
        assert [found[key].reached for key in ("psnr", "flicker", "psnr_frame")] == [False, True, True]
        assert found["psnr"].told == "psnr: at least 27.00 dB asked, 26.50 dB measured"
        assert found["psnr_frame"].told == "psnr_frame: at least 27.00 dB asked, not measured of this swap"

    def test_both_sides_can_be_asked(self) -> None:
        (bar,) = bars({"lip_lag": Threshold(least=-0.5, most=0.5)}, {"lip_lag": -0.7})
        assert not bar.reached
        assert bar.asked == "at least -0.50 frames and at most 0.50 frames"

    def test_what_can_be_asked_is_what_is_measured(self) -> None:
        assert {metric.key for metric in METRICS} | {"psnr_gain", "psnr_worst", "untouched_exact"} == FIGURES

    @pytest.mark.parametrize(
        ("thresholds", "told"),
        [
            ({"psnr_fram": {"least": 27}}, "there is no figure 'psnr_fram'; did you mean 'psnr_frame'?"),
            ({"psnr": {}}, "give least, most, or both"),
            ({"psnr": {"lest": 2}}, "lest"),
        ],
    )
    def test_what_is_not_measured_or_not_asked_is_refused(self, thresholds: dict[str, Any], told: str) -> None:
        with pytest.raises(ValidationError) as caught:
            EvaluationSettings.model_validate({"thresholds": thresholds})
        assert told in str(caught.value)


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

    def test_a_line_breaks_where_a_stretch_ends(self) -> None:
        frames = table(flow_error=[1.0, 2.0, 3.0, 4.0], stretch=[0, 0, 1, 1])
        markup = drawn(frames, [Curve("flow_error", "flicker", "--swap", within="stretch")], HELD_OUT)
        lines = list(ElementTree.fromstring(markup).iter("polyline"))
        assert [len(line.attrib["points"].split()) for line in lines] == [2, 2]

    def test_the_worst_frame_is_a_link_on_its_curve(self) -> None:
        frames = table(psnr=[20.0, 25.0, 18.0, 30.0])
        assert worst_frames(frames) == {"psnr": 2, "similarity_source": 3}
        markup = drawn(
            frames, [Curve("psnr", "PSNR", "--swap")], HELD_OUT, {2: ("#frame-2", "worst: frame 2")}, "a < b"
        )
        root = ElementTree.fromstring(markup)
        assert (root.attrib["role"], root.attrib["aria-label"]) == ("group", "a < b")
        (link,), (ring,) = root.iter("a"), root.iter("circle")
        assert link.attrib == {"href": "#frame-2", "aria-label": "worst: frame 2"}
        point = next(root.iter("polyline")).attrib["points"].split()[2].split(",")
        assert [ring.attrib["cx"], ring.attrib["cy"]] == point

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
        (1.084, "times", "1.08 ×"),
        (-0.001, "frames", "-0.00 frames"),
        (2.5, "degrees", "2.50°"),
        (0.00123, "fine", "0.0012"),
    ],
)
def test_figures_read_well(value: float, kind: str, expected: str) -> None:
    assert written(value, kind) == expected  # type: ignore[arg-type]  # a Literal, from parametrize
