"""The content gate of the stage: what ``screening`` in params.yaml says is what it does to a deliverable."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt, place_of
from stages.encoding.stage import run
from stages.novelty import cells_of
from stages.nudity import Gate, squeezed
from stages.problems import Problem
from stages.screening.settings import ScreeningSettings
from stages.settings import Params
from tests.encoding.test_credential import PLACE, SWAP, logged, params, ready
from tests.watermark.film import pictures

__all__ = ["ready"]


def with_screening(**changes: object) -> Params:
    return params(watermark=False).model_copy(update={"screening": ScreeningSettings.model_validate(changes)})


def test_a_deliverable_says_what_the_gate_has_seen(ready: Path) -> None:
    run(SWAP, with_screening(per_second=5.0, alike=0))
    seen = Deliverable.read(PLACE).facts["screening"]
    frames = len(list(pictures()))
    # the frames last 1/25 s: each fifth is due, and the last
    assert (seen["network"], seen["looked_at"], seen["alike"]) == (
        "open_nsfw",
        len({*range(0, frames, 5), frames - 1}),
        0,
    )
    assert 0 < seen["highest"] < 0.8


def test_due_frames_in_which_nothing_is_new_are_told_as_such(ready: Path) -> None:
    run(SWAP, with_screening(per_second=25.0, alike=2))
    seen = Deliverable.read(PLACE).facts["screening"]
    assert seen["looked_at"] + seen["alike"] == len(list(pictures()))
    assert seen["alike"] > 0


def test_the_gate_is_told_what_was_looked_at_of_the_clip(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[LookedAt | None] = []
    of = Gate.of

    def recorded(finished: Frames, settings: ScreeningSettings, came_in: LookedAt | None = None) -> Gate | None:
        told.append(came_in)
        return of(finished, settings, came_in)

    monkeypatch.setattr(Gate, "of", recorded)
    settings = with_screening()
    run(SWAP, settings)
    (frame, *_) = Frames.read(Path("data/compositing") / SWAP)
    LookedAt.of([0], [0.1], [cells_of(squeezed(frame))]).write(place_of(settings.swap(SWAP).clip))
    run(SWAP, settings)
    missing, found = told
    assert missing is None, "then it looks more often"
    assert found is not None
    assert found.frames.tolist() == [0]


def test_a_deliverable_that_shows_nudity_is_dropped_as_a_whole(ready: Path) -> None:
    """With a threshold that every picture reaches, since there are no others to test with."""
    with pytest.raises(Problem, match=r"data/compositing/ada-on-ben: frame 0, at 0\.000 s, shows nudity"):
        run(SWAP, with_screening(threshold=1e-9))
    assert not PLACE.exists()
    assert not Path("data/registry").exists()
    assert logged() == ["check"]


def test_nobody_looks_where_the_settings_say_so(ready: Path) -> None:
    run(SWAP, with_screening(nudity="ignore", threshold=1e-9))
    assert "screening" not in Deliverable.read(PLACE).facts
