"""Finished frames on their way into the file: looked at, labelled in every codec, upright as they are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames, FrameWriter
from stages.atomic import whole_folder
from stages.encoding.label import Labeller
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.problems import Problem
from stages.screening.settings import ScreeningSettings
from stages.video import VideoFacts, planes_of
from tests.conftest import REPOSITORY

EU = {"rules": "eu"}
NOTHING: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def grey_frames(folder: Path, *, width: int = 160, height: int = 96, rotation: int = 0) -> Frames:
    """Twelve grey frames, half a second."""
    facts = VideoFacts(
        width=width, height=height, pixel_format="yuv420p", time_base="1/24", rate="24/1", rotation=rotation
    )
    folder.mkdir()
    with FrameWriter(folder, facts) as writer:
        for number in range(12):
            picture = av.VideoFrame(width, height, "yuv420p")
            for plane in planes_of(picture):
                plane[:] = 128
            writer.add(picture, pts=number, duration=1, shot=0, changed=True)
        writer.close()
    return Frames.read(folder)


def settings(label: dict[str, Any], **more: Any) -> EncodingSettings:
    return EncodingSettings.model_validate({"preset": "ultrafast", "watermark": False, "label": label} | more)


def delivered(finished: Frames, folder: Path, chosen: EncodingSettings, **more: Any) -> Deliverable:
    folder.mkdir(exist_ok=True)
    return encode(finished, None, folder, chosen, NOTHING, **more)


@pytest.mark.parametrize("codec", ["h264", "ffv1", "png"])
def test_the_label_is_in_the_file_and_in_its_facts(tmp_path: Path, codec: str) -> None:
    finished = grey_frames(tmp_path / "frames")
    chosen = settings(EU, codec=codec, pixel_format="nearest")
    made = delivered(finished, tmp_path / "out", chosen)
    assert made.facts["label"] == {"text": "AI", "place": "top-right", "height": 0.05}
    label = chosen.label.wanted
    assert label is not None
    x0, y0, x1, y1 = Labeller(label, finished.facts).box
    for frame in made.frames():
        rgb = frame.rgb().astype(int)
        assert np.ptp(rgb[y0:y1, x0:x1]) > 100
        rgb[y0 - 8 if y0 > 8 else 0 : y1 + 8, x0 - 8 :] = rgb[-1, 0]
        assert np.ptp(rgb) < 12, "the rest is grey as before"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_label_of_a_turned_clip_stands_upright_as_it_is_seen(tmp_path: Path, rotation: int) -> None:
    made = delivered(grey_frames(tmp_path / "frames", rotation=rotation), tmp_path / "out", settings(EU, crf=4.0))
    assert made.facts.get("turned", 0) == rotation
    seen = next(made.frames()).rgb()
    assert seen.shape == (96, 160, 3)
    rows, columns = np.nonzero((seen.astype(int) > 200).all(axis=2))
    assert rows.max() < 96 / 4
    assert columns.min() > 160 * 3 / 4


def test_a_label_for_some_seconds_ends_after_them(tmp_path: Path) -> None:
    made = delivered(grey_frames(tmp_path / "frames"), tmp_path / "out", settings({"text": "AI", "seconds": 0.25}))
    assert [bool(np.ptp(frame.rgb().astype(int)) > 100) for frame in made.frames()] == [True] * 6 + [False] * 6


def test_without_a_label_not_a_sample_is_another(tmp_path: Path) -> None:
    finished = grey_frames(tmp_path / "frames")
    made = delivered(finished, tmp_path / "out", settings({}, codec="ffv1", container="mov"))
    assert [frame.digest() for frame in made.frames()] == [frame.digest() for frame in finished]
    assert "label" not in made.facts


def test_what_was_seen_of_a_decent_swap_is_in_its_facts(tmp_path: Path) -> None:
    finished = grey_frames(tmp_path / "frames")
    for alike, looked_at in ((0, 2), (3, 1)):  # the second due frame shows nothing new
        asked = ScreeningSettings(alike=alike)
        seen = delivered(finished, tmp_path / str(alike), settings({}), screening=asked).facts["screening"]
        assert (seen["looked_at"], seen["alike"]) == (looked_at, 2 - looked_at)
        assert seen["highest"] < 0.4


def test_a_swap_that_shows_nudity_is_not_delivered(tmp_path: Path) -> None:
    """With a threshold that every picture reaches."""
    finished = grey_frames(tmp_path / "frames")
    with pytest.raises(Problem, match=r"frame 0, at 0\.000 s, shows nudity"), whole_folder(tmp_path / "out") as folder:
        encode(finished, None, folder, settings({}), NOTHING, screening=ScreeningSettings(threshold=1e-9))
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]
