"""A clip that shows nudity goes no further, and the stage says which frame does."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt, place_of
from stages.artifacts.screening import Screening
from stages.extraction.stage import run as extract
from stages.novelty import cells_of
from stages.nudity import Look, Nudity, squeezed
from stages.problems import Problem
from stages.screening.settings import ScreeningSettings
from stages.screening.stage import place, run
from stages.settings import Params
from stages.video import NativeFrame
from tests.conftest import params_with, write_clip


@pytest.fixture
def params(workplace: Path) -> Params:
    """A clip of noise, extracted."""
    write_clip(workplace / "one.mp4", frames=40)
    made = params_with({"one": workplace / "one.mp4"})
    extract("one", made)
    return made


def with_settings(params: Params, **settings: object) -> Params:
    return params.model_copy(update={"screening": ScreeningSettings.model_validate(settings)})


def test_a_decent_clip_comes_in_and_what_was_seen_is_written_down(params: Params) -> None:
    run("one", params)
    found = Screening.read(place("one"))
    assert (found.network, found.looked_at, found.consent) == ("open_nsfw", 5, "ada-1")
    assert found.highest is not None
    assert found.highest < 0.8


def test_what_was_looked_at_is_kept_to_hold_what_comes_out_against(params: Params) -> None:
    run("one", params)
    found = LookedAt.read(place_of("one"))
    assert found.frames.tolist() == [0, 12, 24, 36, 39]
    highest = Screening.read(place("one")).highest
    assert float(found.scores.max()) == pytest.approx(highest, abs=1e-4)
    frames = Frames.read(Path("data/extraction/one")).pick(found.frames.tolist())
    for frame, cells in zip(frames, found.cells, strict=True):
        np.testing.assert_array_equal(cells, cells_of(squeezed(frame)))


def test_another_threshold_that_lets_it_in_gives_the_same_bytes(params: Params) -> None:
    run("one", params)
    before = [path.read_bytes() for path in (place("one"), place_of("one"))]
    run("one", with_settings(params, threshold=0.95))
    assert [path.read_bytes() for path in (place("one"), place_of("one"))] == before


def test_the_first_frame_that_shows_it_is_named_and_nothing_is_left(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network's answer is made up: there are no such pictures here to test with."""

    def look(_: Nudity, frame: NativeFrame, picture: NDArray[np.uint8]) -> Look:
        return Look(frame.number, Fraction(frame.number, 25), 0.9 if frame.number >= 12 else 0.1)

    monkeypatch.setattr(Nudity, "look", look)
    with pytest.raises(Problem, match=r"clip 'one': frame 12, at 0\.480 s, .* 0\.90, the threshold 0\.8"):
        run("one", params)
    assert not place("one").exists()
    assert not place_of("one").exists()


def test_a_threshold_that_all_reach_refuses_with_the_networks_own_score(params: Params) -> None:
    with pytest.raises(Problem, match=r"clip 'one': frame 0, at 0\.000 s"):
        run("one", with_settings(params, threshold=1e-6))
    assert not place("one").exists()


def test_who_turns_it_off_is_told_each_time(params: Params, caplog: pytest.LogCaptureFixture) -> None:
    run("one", with_settings(params, nudity="ignore"))
    assert "not looked at" in caplog.text
    assert Screening.read(place("one")).network is None
    assert len(LookedAt.read(place_of("one")).frames) == 0
