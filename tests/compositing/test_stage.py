"""The stage on a small scene: what is replaced, what is left bit for bit, and that it does not flicker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.artifacts.frames import Frames
from stages.compositing.inputs import Inputs
from stages.compositing.matching import matches
from stages.compositing.settings import (
    BlendSettings,
    ColourSettings,
    CompositingSettings,
    LightSettings,
    MaskSettings,
)
from stages.compositing.stage import composite
from stages.problems import Problem

PLAIN = CompositingSettings(
    colour=ColourSettings(method="none"), light=LightSettings(method="none"), sharpness=0.0, focus=0.0, grain=0.0
)


def finished(scene: Any, folder: Path, settings: CompositingSettings = PLAIN) -> Frames:
    """The finished frames of a scene."""
    folder.mkdir()
    composite(scene.frames, scene.alignments, scene.converted, folder, settings)
    return Frames.read(folder)


def box_of(number: int) -> tuple[slice, slice]:
    """Rows and columns of the unit crop in a frame of the scene."""
    return slice(25, 25 + 64), slice(30 + number, 30 + number + 64)


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "gbrp10le", "gray", "bgr0"]
)
def test_the_face_is_replaced_and_nothing_else(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str
) -> None:
    scene = make_scene(pixel_format=pixel_format)
    done = finished(scene, tmp_path / "done")
    for before, after in zip(scene.frames, done, strict=True):
        rows, columns = box_of(before.number)
        middle = after.rgb()[rows, columns][22:42, 22:42].reshape(-1, 3).mean(axis=0)
        if pixel_format != "gray":
            np.testing.assert_allclose(middle, (200, 60, 40), atol=6)
        for old, new in zip(before.planes(), after.planes(), strict=True):
            # the box of the crop in this plane's own samples, a sample more on every side where it is subsampled
            tall, wide = old.shape[0] / 120, old.shape[1] / 160
            outside = np.ones(old.shape, dtype=bool)
            outside[
                int(rows.start * tall) : int(np.ceil(rows.stop * tall)),
                int(columns.start * wide) : int(np.ceil(columns.stop * wide)),
            ] = False
            assert (old[outside] == new[outside]).all()
            assert (old[~outside] != new[~outside]).any()


def test_a_frame_without_a_face_passes_untouched(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(without=(2, 3, 7))
    done = finished(scene, tmp_path / "done")
    same = (scene.frames.index["hash"] == done.index["hash"]).tolist()
    assert same == [number in (2, 3, 7) for number in range(8)]
    assert (done.index["changed"] != np.array(same)).all()


@pytest.mark.parametrize("gone", [range(35, 70), range(40), range(70)], ids=["at the end", "at first", "all along"])
def test_somebody_who_is_away_for_long_passes_untouched(
    make_scene: Callable[..., Any], tmp_path: Path, gone: range
) -> None:
    scene = make_scene(frames=70, without=tuple(gone))
    done = finished(scene, tmp_path / "done")
    assert list(done.index["changed"]) == [number not in gone for number in range(70)]


def test_times_shots_and_count_are_the_clips_own(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(cut=3, times=lambda number: number * number + 5)
    done = finished(scene, tmp_path / "done")
    for column in ("frame", "pts", "duration", "shot"):
        assert done.index[column].tolist() == scene.frames.index[column].tolist()
    assert done.facts.model_dump().items() >= {"changed": 8, "faces": 8}.items()


def test_the_same_input_gives_the_same_bytes(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene()
    finished(scene, tmp_path / "one", CompositingSettings())
    finished(scene, tmp_path / "two", CompositingSettings())
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("method", ["mean-deviation", "covariance"])
def test_colour_transfer_brings_the_face_to_the_targets_colour(
    make_scene: Callable[..., Any], tmp_path: Path, method: Any
) -> None:
    scene = make_scene(frames=3)
    settings = CompositingSettings(colour=ColourSettings(method=method, strength=1.0), sharpness=0.0)
    done = finished(scene, tmp_path / "done", settings)
    for before, after in zip(scene.frames, done, strict=True):
        rows, columns = box_of(before.number)
        old, new = (frame.rgb()[rows, columns][15:50, 18:46].reshape(-1, 3).mean(axis=0) for frame in (before, after))
        np.testing.assert_allclose(new, old, atol=12)


@pytest.mark.parametrize("method", ["mean-deviation", "covariance", "histogram", "sliced"])
def test_colours_are_measured_over_a_shot_not_frame_by_frame(make_scene: Callable[..., Any], method: Any) -> None:
    """The map of colours must not follow the decoder's flicker, which would add the estimate's noise to the picture."""
    scene = make_scene(frames=12, flicker=0.05, cut=6)
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    skin, jumps = np.full((1, 1, 3), 0.5, np.float32), []
    for steady in (0.0, 2.0):
        settings = CompositingSettings(colour=ColourSettings(method=method, steady=steady))
        found = matches(inputs, settings, "test")
        lightness = np.array([match.colours.applied(skin).mean() for match in found])
        jumps.append(np.abs(np.diff(lightness[:6])).max())
    assert jumps[1] < 0.1 * jumps[0]


@pytest.mark.parametrize("method", ["covariance", "mean-deviation"])
def test_a_flash_lights_the_face_in_its_own_frame_and_in_no_other(
    make_scene: Callable[..., Any], tmp_path: Path, method: Any
) -> None:
    """Three frames are lit twice as brightly as the others; the decoder knows nothing of it."""
    lit = (7, 8, 15)
    scene = make_scene(frames=24, light=lambda number: 0.8 if number in lit else 0.4)
    settings = CompositingSettings(colour=ColourSettings(method=method), grain=0.0)
    done = finished(scene, tmp_path / "done", settings)
    bright = np.array([frame.rgb()[box_of(frame.number)][22:42, 22:42].mean() for frame in done])
    own = np.array([frame.rgb()[box_of(frame.number)][22:42, 22:42].mean() for frame in scene.frames])
    others = [number for number in range(24) if number not in lit]
    level = np.median((bright / own)[others])
    np.testing.assert_allclose(bright / own, level, rtol=0.08)


def test_a_face_half_out_of_the_picture_is_placed_as_far_as_it_is_seen(
    make_scene: Callable[..., Any], tmp_path: Path
) -> None:
    scene = make_scene(width=71, height=63, frames=2)
    done = finished(scene, tmp_path / "done")
    assert done.index["changed"].all()
    np.testing.assert_allclose(next(iter(done)).rgb()[50:62, 55:70].reshape(-1, 3).mean(axis=0), (200, 60, 40), atol=8)


def test_a_face_outside_the_picture_changes_nothing(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(width=24, height=20, frames=2)
    done = finished(scene, tmp_path / "done")
    assert not done.index["changed"].any()
    assert done.index["hash"].tolist() == scene.frames.index["hash"].tolist()


def test_no_opacity_leaves_every_pixel(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=2)
    done = finished(scene, tmp_path / "done", PLAIN.model_copy(update={"blend": BlendSettings(opacity=0.0)}))
    assert done.index["hash"].tolist() == scene.frames.index["hash"].tolist()


def test_a_smaller_mask_replaces_less(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=1)
    changed = []
    for grow in (-0.2, 0.0):
        settings = PLAIN.model_copy(update={"mask": MaskSettings(grow=grow)})
        (after,) = finished(scene, tmp_path / f"done{grow}", settings)
        (before,) = scene.frames
        changed.append(int((before.planes()[0] != after.planes()[0]).sum()))
    assert 0 < changed[0] < 0.7 * changed[1]


def test_crops_of_another_clip_are_refused(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=4)
    scene.alignments.table.drop(index=1, inplace=True)
    with pytest.raises(Problem, match="1 converted faces have no alignment"):
        finished(scene, tmp_path / "done")


def test_a_format_that_can_not_be_written_is_refused(make_scene: Callable[..., Any]) -> None:
    with pytest.raises(Problem, match="pixel format grayf32le"):
        make_scene(pixel_format="grayf32le")
