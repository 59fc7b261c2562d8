"""The bench of the watermark, on one small scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.bench.attacks import ATTACKS
from stages.bench.marks import CONCATENATED, Result, measured, tables
from stages.bench.scenes import Scene, films_in, own_scenes
from stages.problems import Problem

PORTRAIT = own_scenes()[2]


def test_a_scene_is_marked_attacked_and_read() -> None:
    attacks = [each for each in ATTACKS if each.name in ("x264 crf 23", "cropped by 10 %")]
    result = measured(PORTRAIT, 4.0, 240, attacks, windows=4)
    assert result.psnr >= 44.0
    assert set(result.growth) == {17, 23}
    assert set(result.scores) == {"x264 crf 23", "cropped by 10 %", CONCATENATED}
    assert all(score > 10 for score in result.scores.values())
    assert len(result.unmarked) == 4
    assert result.alarms == 0


def test_what_was_not_read_is_named() -> None:
    one = Result("one", 45.0, 98.0, {17: 0.1, 23: 0.05}, 0.06, {"attack": 20.0}, [5.0], 0)
    two = Result("two", 46.0, None, {17: 0.0, 23: 0.01}, 0.08, {"attack": 0.0}, [6.0], 1)
    told = list(tables([one, two]))
    assert "| attack | 1 of 2 | 20.0 | two |" in told
    assert "| all: least PSNR, mean growth and share | 45.0 dB | | +5.0% | +3.0% | 7.0% |" in told
    assert told[-1].startswith("2 unmarked windows: 1 false alarms.")


@pytest.mark.parametrize("scene", own_scenes(), ids=lambda scene: scene.name)
def test_scenes_give_as_many_pictures_as_asked(scene: Scene) -> None:
    shown = list(scene.pictures(3, 320, 180))
    assert [picture.shape for picture in shown] == [(180, 320, 3)] * 3


def test_a_folder_without_films_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no films"):
        films_in(tmp_path)
