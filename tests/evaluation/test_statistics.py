"""Figures as sums over frames: means, ratios, correlations, lags, and how sure they are."""

from __future__ import annotations

from itertools import islice

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.evaluation.bootstrap import blocks_of, draws, interval
from stages.evaluation.statistics import Correlation, Lag, Mean, RootRatio
from stages.evaluation.summary import value_of, with_derived
from stages.expression import mouth_open
from stages.packs import Landmarker, open_pack
from stages.picture_bytes import jpeg
from stages.rendering.landmarks import five_points
from stages.video import decode
from tests.conftest import REPOSITORY


def mouthed(lag: float, frames: int = 120, noise: float = 0.0) -> pd.DataFrame:
    """A mouth that opens and shuts, and the same one ``lag`` frames late, in two stretches."""
    times = np.arange(frames, dtype=float)

    def mouth(at: np.ndarray) -> np.ndarray:
        return np.abs(np.sin(at / 3.1)) * 0.3 + 0.1 * np.sin(at / 7.7)

    trembling = np.random.default_rng(0).normal(0, noise, frames)
    columns = {
        "frame": np.arange(frames),
        "seconds": times / 25,
        "shot": 0,
        "stretch": (times >= frames // 2).astype(int),
        "mouth": mouth(times - lag) + trembling,
        "mouth_copied_target": mouth(times),
    }
    return pd.DataFrame(columns)


class TestLag:
    statistic = Lag("mouth", "mouth_copied_target")

    def test_a_clip_that_is_two_frames_late_reads_two(self) -> None:
        assert value_of(self.statistic, mouthed(2.0)) == pytest.approx(2.0, abs=0.1)

    def test_so_does_a_rendered_clip_that_was_coded_again(self) -> None:
        """Landmarks of the clip against those of its pictures, spoilt by JPEG, two frames late."""
        folder = REPOSITORY / "data/performances/ben"
        truth = pq.read_table(folder / "truth.parquet").to_pandas()
        landmarker = Landmarker(open_pack(), device="cpu", threads=1)
        clean, spoilt = [], []
        for frame in islice(decode(folder / "clip.mp4"), 100, 140):
            points = five_points(np.asarray(truth["landmarks"].iloc[frame.number], np.float32).reshape(70, 2))[None]
            picture = frame.rgb()
            coded = cv2.imdecode(np.frombuffer(jpeg(picture, "test", quality=40), np.uint8), cv2.IMREAD_COLOR_RGB)
            for series, shown in ((clean, picture), (spoilt, coded)):
                series.append(mouth_open(landmarker.refine(np.asarray(shown, np.uint8), points)[0][0]))
        table = pd.DataFrame({"frame": range(38), "stretch": 0, "mouth": spoilt[:-2], "mouth_copied_target": clean[2:]})
        assert value_of(self.statistic, table) == pytest.approx(2.0, abs=0.25)

    @pytest.mark.parametrize("lag", [-3.0, -0.5, 0.0, 0.4, 1.5, 5.0])
    def test_lags_between_frames_and_to_either_side_are_read(self, lag: float) -> None:
        assert value_of(self.statistic, mouthed(lag, noise=0.01)) == pytest.approx(lag, abs=0.2)

    def test_its_control_reads_two(self) -> None:
        delayed = self.statistic.of_control("delayed_target")
        assert value_of(delayed, with_derived(mouthed(0.0))) == pytest.approx(2.0, abs=0.1)

    def test_frames_of_different_stretches_are_not_compared(self) -> None:
        """One stretch is 3 early, the other 3 late: across the cut, nothing fits; within, neither peak wins alone."""
        late, early = mouthed(3.0), mouthed(-3.0)
        apart = pd.concat([late[late["stretch"] == 0], early[early["stretch"] == 1].assign(stretch=-1)])
        assert value_of(self.statistic, apart) == pytest.approx(3.0, abs=0.2)

    def test_a_mouth_that_stays_shut_tells_no_lag(self) -> None:
        assert np.isnan(value_of(self.statistic, mouthed(0.0).assign(mouth=0.1)))


class TestCorrelation:
    @given(slope=st.floats(0.1, 5), shift=st.floats(-10, 10))
    @hypothesis_settings(max_examples=25, deadline=None)
    def test_it_is_pearsons_and_knows_no_scale(self, slope: float, shift: float) -> None:
        table = mouthed(1.0, noise=0.05)
        right = np.corrcoef(table["mouth"], table["mouth_copied_target"])[0, 1]
        scaled = table.assign(mouth=table["mouth"] * slope + shift)
        found = value_of(Correlation(("mouth",), "_copied_target"), scaled)
        assert found == pytest.approx(right, abs=1e-6)

    def test_signals_that_do_not_move_are_left_out_of_the_mean(self) -> None:
        table = mouthed(0.0).assign(roll=0.0, roll_copied_target=0.0)
        assert value_of(Correlation(("mouth", "roll"), "_copied_target"), table) == pytest.approx(1.0)
        assert np.isnan(value_of(Correlation(("roll",), "_copied_target"), table))

    def test_a_controls_own_columns_are_taken(self) -> None:
        table = mouthed(0.0).assign(mouth_static_source=lambda rows: -rows["mouth"])
        control = Correlation(("mouth",), "_copied_target").of_control("static_source")
        assert value_of(control, table) == pytest.approx(-1.0)


class TestMeanAndRatio:
    table = pd.DataFrame({"x": [1.0, 3.0, np.nan, 9.0], "y": [4.0, np.nan, 1.0, 1.0], "split": [TRAIN, HELD_OUT] * 2})

    def test_frames_without_a_figure_have_no_part_in_the_mean(self) -> None:
        assert value_of(Mean("x"), self.table) == pytest.approx(13 / 3)
        assert value_of(Mean("x", HELD_OUT), self.table) == pytest.approx(6.0)

    def test_a_ratio_takes_frames_that_have_both(self) -> None:
        assert value_of(RootRatio("x", "y"), self.table) == pytest.approx(np.sqrt((1 + 9) / (4 + 1)))

    def test_what_is_missing_is_not_a_number(self) -> None:
        assert np.isnan(value_of(Mean("nothing"), self.table))
        assert np.isnan(value_of(RootRatio("x", "nothing"), self.table))


class TestBootstrap:
    def test_the_interval_holds_the_figure_and_follows_from_the_seed(self) -> None:
        table = mouthed(0.0, noise=0.05)
        blocks = blocks_of(table)
        one, again, other = (
            interval(Mean("mouth"), table, blocks, draws(int(blocks.max()) + 1, seed)) for seed in (1, 1, 2)
        )
        assert one.low < value_of(Mean("mouth"), table) < one.high
        assert one == again
        assert one != other

    def test_of_one_shot_seconds_are_drawn_of_many_shots_shots(self) -> None:
        table = mouthed(0.0, frames=100)
        assert blocks_of(table).tolist() == [frame // 25 for frame in range(100)]
        many = table.assign(shot=table["frame"] // 10)
        assert blocks_of(many).tolist() == [frame // 10 for frame in range(100)]

    def test_neighbours_that_are_alike_make_a_figure_no_surer(self) -> None:
        """Frames that repeat ten times within their second tell no more than one: the interval must not shrink."""
        values = np.random.default_rng(5).normal(size=12)
        once = pd.DataFrame({"x": values, "seconds": np.arange(12.0), "shot": 0})
        often = pd.DataFrame({"x": values.repeat(10), "seconds": np.arange(120) / 10, "shot": 0})
        spans = [interval(Mean("x"), each, blocks_of(each), draws(12, 0)) for each in (once, often)]
        assert spans[0] == pytest.approx(spans[1])

    def test_it_covers_the_right_mean_about_as_often_as_it_says(self) -> None:
        chance, weights = np.random.default_rng(3), draws(40, 0)
        held = 0
        for _ in range(200):
            table = pd.DataFrame({"x": chance.normal(size=40), "seconds": np.arange(40.0), "shot": 0})
            low, high = interval(Mean("x"), table, blocks_of(table), weights)
            held += low <= 0.0 <= high
        assert 175 <= held <= 199

    def test_one_block_tells_no_interval(self) -> None:
        table = pd.DataFrame({"x": [1.0, 2.0], "seconds": [0.1, 0.2], "shot": 0})
        assert np.isnan(interval(Mean("x"), table, blocks_of(table), draws(1, 0))).all()
