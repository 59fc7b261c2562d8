"""What passes before a face stays the target's: to the bit, and without a trace in the face beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.visibility import FINE, SIZE, packed
from stages.compositing.inputs import Inputs
from stages.compositing.measuring import Measured, measured
from stages.compositing.occlusion import kept_free
from stages.compositing.placing import Layer, pieces
from stages.compositing.separating import place_and_separate
from stages.compositing.settings import BlendSettings, CompositingSettings, MaskSettings
from stages.compositing.stage import composite
from stages.problems import Problem
from stages.visible_face import VisibleFace
from tests.compositing.conftest import outline, painted

HALF = SIZE // 2


def left_is_hidden(number: int) -> NDArray[np.float32]:
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, :HALF] = 0.0
    return seen


def finished(scene: Any, folder: Path, settings: CompositingSettings) -> list[NDArray[np.uint8]]:
    folder.mkdir()
    composite(scene.frames, scene.alignments, scene.converted, folder, settings)
    return [frame.rgb() for frame in Frames.read(folder)]


def halves(scene: Any, number: int) -> tuple[slice, slice]:
    """Columns of frame pixels in the left and in the right half of a face's crop, a few pixels off its middle."""
    transform = geometry.as_matrix(np.asarray(scene.alignments.table["transform"].iloc[number], np.float64))
    middle = int(geometry.apply(geometry.invert(transform), np.array([0.5, 0.5]))[0])
    return slice(0, middle - 3), slice(middle + 3, None)


def test_what_is_before_the_face_stays_bit_for_bit_and_the_rest_is_replaced(
    make_scene: Callable[..., Any], tmp_path: Path
) -> None:
    scene = make_scene(pixel_format="bgr0", seen=left_is_hidden)
    done = finished(scene, tmp_path / "done", CompositingSettings())
    for number, (frame, picture) in enumerate(zip(scene.frames, done, strict=True)):
        left, right = halves(scene, number)
        target = frame.rgb()
        np.testing.assert_array_equal(picture[:, left], target[:, left])
        assert (picture[:, right] != target[:, right]).any(axis=2).sum() > 300


def test_without_the_network_all_of_the_face_is_replaced(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(seen=left_is_hidden)
    done = finished(scene, tmp_path / "done", CompositingSettings(mask=MaskSettings(occlusion="none")))
    left, _ = halves(scene, 0)
    assert (done[0][:, left] != next(iter(scene.frames)).rgb()[:, left]).any(axis=2).sum() > 300


def test_a_network_that_sees_only_face_changes_nothing(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene()
    seen = finished(scene, tmp_path / "seen", CompositingSettings())
    blind = finished(scene, tmp_path / "blind", CompositingSettings(mask=MaskSettings(occlusion="none")))
    np.testing.assert_array_equal(np.stack(seen), np.stack(blind))


@pytest.mark.parametrize("method", ["alpha", "multi-band"])
def test_a_dark_thing_leaves_no_shade_in_the_face_beside_it(make_scene: Callable[..., Any], method: Any) -> None:
    """Bands of detail are as wide as a thing; through them its colours would reach into the face."""
    scene = make_scene(pixel_format="bgr0", frames=1)
    frame = next(iter(scene.frames))
    transform = geometry.as_matrix(np.asarray(scene.alignments.table["transform"].iloc[0], np.float64))
    mask = np.zeros((64, 64), np.float32)
    mask[8:56, 8:56] = 1.0
    free = np.ones((64, 64), np.float32)
    free[:, :32] = 0.0
    crop = np.full((64, 64, 3), 0.8, np.float32)
    blend = BlendSettings(method=method)
    with_thing = pieces(frame.picture, Layer(crop, mask, transform, free), frame.facts, blend)
    without = pieces(frame.picture, Layer(crop, mask, transform), frame.facts, blend)
    for one, other in zip(with_thing, without, strict=True):
        beside = one.alpha == other.alpha
        assert beside[other.alpha > 0].mean() > 0.4
        np.testing.assert_array_equal(one.values[beside], other.values[beside])


def test_colours_are_measured_on_the_visible_face_alone(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(pixel_format="bgr0", frames=2)
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)

    def means(seen: NDArray[np.float32]) -> NDArray[np.float64]:
        faces = inputs.some(range(len(inputs.faces))).faces.assign(seen=[packed(seen)] * len(inputs.faces))
        settings = CompositingSettings.model_validate({"colour": {"method": "mean-deviation"}})
        return measured(scene.frames, faces, scene.converted, settings, "test").statistics[:, 1, :3]

    whole, right = means(np.ones((SIZE, SIZE), np.float32)), means(left_is_hidden(0))
    left = means(1.0 - left_is_hidden(0))
    assert np.abs(right - whole).max() > 1e-3
    # the noise of the background has no two halves alike; the whole lies between them
    between = (whole >= np.minimum(left, right) - 1.0) & (whole <= np.maximum(left, right) + 1.0)
    assert between.all()


def test_layers_tell_of_it_too(make_scene: Callable[..., Any]) -> None:
    scene = make_scene(frames=1)
    transform = geometry.as_matrix(np.asarray(scene.alignments.table["transform"].iloc[0], np.float64))
    mask = np.zeros((64, 64), np.float32)
    mask[8:56, 8:56] = 1.0
    free = np.ones((64, 64), np.float32)
    free[:, :32] = 0.0
    frame = next(iter(scene.frames))
    layer = Layer(np.full((64, 64, 3), 0.8, np.float32), mask, transform, free)
    element = place_and_separate(frame, [layer], BlendSettings())
    assert element is not None
    left, right = halves(scene, 0)
    assert not element.matte[:, left].any()
    assert element.matte[:, right].any()


def test_what_moves_fast_is_kept_where_it_is(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    """A thing that crosses the face in a few frames is not smoothed away."""

    def passing(number: int) -> NDArray[np.float32]:
        seen = np.ones((SIZE, SIZE), np.float32)
        seen[:, 20 + 16 * number : 36 + 16 * number] = 0.0
        return seen

    scene = make_scene(pixel_format="bgr0", frames=6, seen=passing)
    plain = {"colour": {"method": "none"}, "sharpness": 0.0}
    done = finished(scene, tmp_path / "done", CompositingSettings.model_validate(plain))
    for number, (frame, picture) in enumerate(zip(scene.frames, done, strict=True)):
        transform = geometry.as_matrix(np.asarray(scene.alignments.table["transform"].iloc[number], np.float64))
        at = (20 + 16 * number + 8) / SIZE
        x, y = geometry.apply(geometry.invert(transform), np.array([at, 0.5])).astype(int)
        np.testing.assert_array_equal(picture[y - 5 : y + 5, x - 1 : x + 2], frame.rgb()[y - 5 : y + 5, x - 1 : x + 2])


@given(side=st.integers(12, 60), row=st.integers(20, 60), column=st.integers(20, 60))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_thing_keeps_its_area_and_its_place(side: int, row: int, column: int) -> None:
    visible = np.ones((SIZE, SIZE), np.float32)
    visible[row : row + side, column : column + side] = 0.0
    free = kept_free(visible, 256)
    assert free.min() == 0.0
    assert free.max() == 1.0
    assert (1.0 - free).sum() == pytest.approx(4 * side * side, rel=0.1)
    rows, columns = np.nonzero(free < 0.5)
    assert rows.mean() / 2 == pytest.approx(row + (side - 1) / 2, abs=1.0)
    assert columns.mean() / 2 == pytest.approx(column + (side - 1) / 2, abs=1.0)


@pytest.mark.parametrize("side", [SIZE, FINE])
def test_of_a_speck_no_rim_is_left(side: int) -> None:
    away = np.hypot(*(np.mgrid[:side, :side] + 0.5 - side / 2)) / side
    visible = np.clip(away / 0.025, 0.3, 1.0).astype(np.float32)  # doubted in its middle, and less and less around it
    assert kept_free(visible, side).min() > 0.99


def test_a_speck_is_no_thing_and_leaves_its_neighbour_alone() -> None:
    visible = np.ones((SIZE, SIZE), np.float32)
    visible[30:70, 30:50] = 0.0
    alone = kept_free(visible, SIZE)
    visible[40:43, 53:56] = 0.2
    np.testing.assert_array_equal(kept_free(visible, SIZE)[:, 53:56] > 0.99, True)
    np.testing.assert_array_equal(kept_free(visible, SIZE)[:, :49], alone[:, :49])


def test_a_network_that_is_not_there_is_told_by_its_file(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="the network is not there"):
        VisibleFace.open(tmp_path)


def test_what_lies_beyond_the_picture_is_nobodys_face(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    """A crop repeats the picture's first column there: whatever that shows must hardly count."""
    scene = make_scene(pixel_format="bgr0", frames=1)
    inputs, facts = Inputs.of(scene.frames, scene.alignments, scene.converted), scene.frames.facts
    half_out = np.array([[1 / 64, 0.0, 0.5], [0.0, 1 / 64, -25 / 64]])
    points = geometry.apply(geometry.invert(half_out), outline())
    landmarks = np.concatenate([points, np.zeros((478, 1))], axis=1).ravel()
    faces = inputs.some([0]).faces.assign(transform=[half_out.ravel()], landmarks=[landmarks])

    def found(shade: int) -> Measured:
        folder = tmp_path / f"edge-{shade}"
        folder.mkdir()
        rgb = next(iter(scene.frames)).rgb().copy()
        rgb[:, 0] = shade
        with FrameWriter(folder, facts, rows=5) as writer:
            writer.add(painted(rgb, facts), pts=0, duration=1, shot=0)
            writer.close()
        settings = CompositingSettings.model_validate({"colour": {"method": "mean-deviation"}})
        return measured(Frames.read(folder), faces, scene.converted, settings)

    dark, bright = found(0), found(255)
    np.testing.assert_allclose(dark.statistics[:, 1, :3], bright.statistics[:, 1, :3], atol=3.0)
    beyond = dark.shading[0, :, : dark.shading.shape[2] // 2 - 1, 4].astype(np.float64)
    within = dark.shading[0, :, dark.shading.shape[2] // 2 + 1 :, 4].astype(np.float64)
    assert beyond.max() < 0.05 < 0.3 < within.max()
    assert 0.0 < dark.seen[0] < 0.3
