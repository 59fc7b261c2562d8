"""The film of a training: which looks it keeps, and that it plays however few there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.problems import Problem
from stages.training.preview import Row
from stages.training.state import Progress
from stages.training.time_lapse import MOST, TimeLapse
from stages.video import decode, facts_of, open_clip


def shade(value: float, side: int = 33) -> list[Row]:
    """A preview of three grey faces."""
    return [("ada", torch.full((3, 3, side, side), value))]


def judged(*iterations: int) -> Progress:
    """Progress whose curve has a look without held-out losses before each of these with them."""
    rows = [{"iteration": iteration - 1, "loss": 1.0} for iteration in iterations]
    looks = [{"iteration": iteration, "loss": 1.0, "held_out_ada": 1.0} for iteration in iterations]
    curve = [row for both in zip(rows, looks, strict=True) for row in both]
    return Progress(iteration=iterations[-1] if iterations else 0, curve=curve)


def film(root: Path, shades: list[float], kept: TimeLapse) -> list[np.ndarray]:
    """The frames of a run whose looks at 10, 20 ... showed these shades."""
    looks = [10 * (number + 1) for number in range(len(shades))]
    for look, value in zip(looks, shades, strict=True):
        progress = judged(*range(10, look + 1, 10))
        assert kept.is_due(progress)
        kept.add(progress, shade(value))
    kept.write(root / "film.mp4", judged(*looks), shade(0.5))
    return [frame.rgb() for frame in decode(root / "film.mp4")]


@pytest.mark.parametrize("shades", [[], [0.8], [0.2, 0.8], [number / 60 for number in range(60)]])
def test_it_shows_every_picture_in_order_for_four_seconds_at_least(shades: list[float], tmp_path: Path) -> None:
    frames = film(tmp_path, shades, TimeLapse(tmp_path / "pictures", 1000))
    assert 40 <= len(frames) <= 60
    each = len(frames) // max(len(shades), 1)
    for number, value in enumerate(shades or [0.5]):
        middle = frames[number * each][40:60, 20:80]
        assert abs(float(middle.mean()) / 255 - value) < 0.02


def test_browsers_play_it(tmp_path: Path) -> None:
    frames = film(tmp_path, [0.2, 0.8], TimeLapse(tmp_path / "pictures", 1000))
    assert all(side % 2 == 0 for side in frames[0].shape[:2])
    with open_clip(tmp_path / "film.mp4") as clip:
        facts = facts_of(clip)
        assert clip.streams.video[0].codec_context.name == "h264"
    assert (facts.pixel_format, facts.rate, facts.matrix, facts.range) == ("yuv420p", "10/1", "bt709", "tv")
    written = (tmp_path / "film.mp4").read_bytes()
    assert written.index(b"moov") < written.index(b"mdat")


def test_the_same_pictures_give_the_same_bytes_also_written_over(tmp_path: Path) -> None:
    kept = TimeLapse(tmp_path / "pictures", 1000)
    film(tmp_path, [0.2, 0.8], kept)
    first = (tmp_path / "film.mp4").read_bytes()
    kept.add(judged(10), shade(0.9))
    film(tmp_path, [0.2, 0.8], kept)
    assert (tmp_path / "film.mp4").read_bytes() == first


@pytest.mark.parametrize(("iterations", "every"), [(900, 250), (60_000, 250), (120_000, 250), (1_000_000, 30)])
def test_a_long_run_keeps_no_more_than_a_short_one(iterations: int, every: int, tmp_path: Path) -> None:
    kept = TimeLapse(tmp_path, iterations)
    looks = [*range(every, iterations, every), iterations]
    chosen = kept.kept(judged(*looks))
    assert len(chosen) <= min(len(looks), MOST + 2)
    assert len(chosen) >= min(len(looks), MOST)
    assert {looks[0], looks[-1]} <= set(chosen)
    gaps = np.diff(chosen[:-1])
    assert gaps.max(initial=0) <= max(iterations / MOST + 2 * every, every)


def test_a_run_that_ended_early_does_not_show_what_a_killed_one_did_later(tmp_path: Path) -> None:
    kept = TimeLapse(tmp_path / "pictures", 1000)
    film(tmp_path, [0.2, 0.4, 0.8], kept)
    kept.write(tmp_path / "short.mp4", judged(10, 20), shade(0.5))
    shown = [float(frame.rgb()[40:60, 20:80].mean()) / 255 for frame in decode(tmp_path / "short.mp4")]
    assert max(shown) < 0.45


def test_large_faces_are_made_smaller(tmp_path: Path) -> None:
    kept = TimeLapse(tmp_path, 100)
    assert kept.add(judged(10), shade(0.5, side=256)).shape == (164, 384, 3)


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    kept = TimeLapse(tmp_path / "pictures", 100)
    kept.add(judged(10), shade(0.5))
    next((tmp_path / "pictures").iterdir()).write_bytes(b"no picture")
    with pytest.raises(Problem, match="the picture is damaged"):
        kept.write(tmp_path / "film.mp4", judged(10), shade(0.5))
    assert not (tmp_path / "film.mp4").exists()
