"""The log for TensorBoard: what it shows after a kill, and that training does without it."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stages.training import monitor, stage
from stages.training.monitor import Monitor
from stages.training.state import Progress
from tests.training.faces import smoke_settings
from tests.training.test_stage import trained

PICTURE = np.full((4, 6, 3), 200, np.uint8)


def progress(last: int, loss: float = 1.0) -> Progress:
    """At an iteration that is a multiple of 5, with a row for each 5, whose losses are ``loss`` times the iteration."""
    rows = [
        {"iteration": at, "loss": loss * at, "learning_rate": 1e-3, "train_ada": loss * at, "held_out_ada": loss * at}
        for at in range(5, last + 1, 5)
    ]
    return Progress(iteration=last, curve=rows)


def read(folder: Path) -> Any:
    """What TensorBoard would show of a log."""
    shown = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    shown.Reload()
    return shown


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in read(folder).Scalars(tag)]


def test_every_row_and_picture_is_there_at_once(tmp_path: Path) -> None:
    with Monitor(tmp_path / "log") as log:
        log.note(progress(5))
        log.note(progress(10))
        log.show(progress(10), PICTURE)
        shown = read(tmp_path / "log")  # while it is still open
    assert set(shown.Tags()["scalars"]) == {"loss", "learning_rate", "train/ada", "held-out/ada"}
    assert scalars(tmp_path / "log", "held-out/ada") == [(5, 5.0), (10, 10.0)]
    (image,) = shown.Images("preview")
    assert (image.step, image.width, image.height) == (10, 6, 4)


def test_a_run_that_goes_on_takes_the_place_of_what_the_killed_one_did_after_its_checkpoint(tmp_path: Path) -> None:
    with Monitor(tmp_path) as first:
        for last in (5, 10, 15, 20):
            first.note(progress(last))
            first.show(progress(last), PICTURE)
    (killed,) = tmp_path.iterdir()
    os.truncate(killed, killed.stat().st_size - 7)  # in the middle of an event
    with Monitor(tmp_path) as second:
        for last in (15, 20, 25):
            second.note(progress(last, loss=2.0))
            second.show(progress(last), PICTURE)
    wanted = [(5, 5.0), (10, 10.0), (15, 30.0), (20, 40.0), (25, 50.0)]
    assert scalars(tmp_path, "loss") == wanted
    assert [event.step for event in read(tmp_path).Images("preview")] == [5, 10, 15, 20, 25]


def test_a_log_that_begins_late_has_the_rows_before(tmp_path: Path) -> None:
    with Monitor(tmp_path / "log") as log:
        log.note(progress(15))
    assert [step for step, _ in scalars(tmp_path / "log", "loss")] == [5, 10, 15]


def test_a_training_logs_while_it_runs_and_its_bytes_are_as_without(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    write_bundle = stage.write_bundle

    def look(*given: Any, **named: Any) -> None:
        (folder,) = (tmp_path / "with/scratch").glob("*/tensorboard")
        seen["loss"] = [step for step, _ in scalars(folder, "loss")]
        seen["held-out"] = [step for step, _ in scalars(folder, "held-out/ben")]
        seen["previews"] = [event.step for event in read(folder).Images("preview")]
        write_bundle(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "write_bundle", look)
        trained(face_sets, tmp_path / "with")
    assert seen == {"loss": [5, 10, 15, 20], "held-out": [10, 20], "previews": [10, 20]}
    monkeypatch.setattr(monitor, "_summary_writer", lambda: None)
    trained(face_sets, tmp_path / "without")
    for written in (tmp_path / "with/model").iterdir():
        assert written.read_bytes() == (tmp_path / "without/model" / written.name).read_bytes(), written.name


def test_where_it_is_not_installed_one_line_tells_how_to_get_it(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with caplog.at_level(logging.INFO):
        trained(face_sets, tmp_path, smoke_settings(iterations=10))
    assert caplog.text.count("tensorboard") == 1
    assert "`pip install tensorboard`" in caplog.text


def test_a_log_that_can_not_be_written_does_not_stop_the_training(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*given: object, **named: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(monitor, "_summary_writer", lambda: full)
    trained(face_sets, tmp_path, smoke_settings(iterations=10))
    assert caplog.text.count("the log for TensorBoard ends here: No space left") == 1
