"""A layered delivery gives the finished frames again, to someone who has the clip, the README and nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.compositing.inputs import Inputs
from stages.compositing.layers import deliver, write_layers
from stages.compositing.settings import BlendSettings, CompositingSettings
from stages.compositing.stage import composite, run
from stages.disclosure import DISCLOSURE
from stages.problems import Problem
from stages.settings import load_params

Values = NDArray[np.float64]
ABOUT = {"swap": "ada-on-ben", "source": "ada", "target": "ben", "consent": {"source": "a", "target": "b"}}


def delivered(scene: Any, folder: Path, settings: CompositingSettings | None = None) -> Frames:
    """The finished frames of a scene, ``folder/done``, and their layers, ``folder/layers``."""
    settings = settings or CompositingSettings()
    for part in ("done", "layers"):
        (folder / part).mkdir(parents=True)
    composite(scene.frames, scene.alignments, scene.converted, folder / "done", settings)
    finished = Frames.read(folder / "done")
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    write_layers(inputs, finished, folder / "layers", settings, ABOUT)
    return finished


def read_exr(path: Path) -> NDArray[np.float32]:
    """(h, w, 3) float32 RGB."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
    assert picture.format.name == "gbrpf32le"
    rows = [np.frombuffer(memoryview(plane), np.float32).reshape(plane.height, -1) for plane in picture.planes]
    return np.stack([rows[place][:, : picture.width] for place in (2, 0, 1)], axis=-1)


def samples_of(planes: list[NDArray[Any]], facts: dict[str, Any]) -> list[NDArray[Any]]:
    """A frame's channels in the order of layers.json."""
    if facts["pixel_format"] == "bgr0":
        return [planes[0][:, "BGR".index(channel["name"]) :: 4] for channel in facts["channels"]]
    if facts["pixel_format"].startswith("gbr"):
        return [planes["GBR".index(channel["name"])] for channel in facts["channels"]]
    return planes


def to_rgb(samples: list[NDArray[Any]], facts: dict[str, Any]) -> Values:
    """A frame as README.md says, (h, w, 3) float64 RGB."""
    channels, height, width = facts["channels"], facts["height"], facts["width"]
    codes = np.stack(
        [
            plane.astype(np.float64).repeat(each["down"], 0).repeat(each["across"], 1)[:height, :width] - each["offset"]
            for plane, each in zip(samples, channels, strict=True)
        ],
        axis=-1,
    )
    if len(channels) == 1:
        return (codes / sum(channels[0]["weights"])).repeat(3, axis=2)
    return codes @ np.linalg.inv([each["weights"] for each in channels]).T


def from_rgb(rgb: Values, facts: dict[str, Any]) -> list[Values]:
    """RGB as README.md says in the channels of a frame, whole code values."""
    result = []
    for each in facts["channels"]:
        codes = rgb @ np.array(each["weights"]) + each["offset"]
        down, across = each["down"], each["across"]
        codes = np.pad(codes, ((0, -codes.shape[0] % down), (0, -codes.shape[1] % across)), mode="edge")
        size = (codes.shape[1] // across, codes.shape[0] // down)
        codes = cv2.resize(codes, size, interpolation=cv2.INTER_AREA)
        result.append(np.clip(np.rint(codes), 0, each["largest"]))
    return result


def compare(frames: Frames, finished: Frames, folder: Path) -> tuple[float, int]:
    """Rebuild all frames; returns the greatest difference in code values, and how many frames have a face.

    Where the matte is 0, the rebuilt frame must be the clip's and the finished one.
    """
    facts = json.loads((folder / "layers.json").read_text())
    told = json.loads((folder / "frames.json").read_text())["frames"]
    worst, faces = 0.0, 0
    for entry, before, after in zip(told, frames, finished, strict=True):
        wanted, target = (samples_of(frame.planes(), facts) for frame in (after, before))
        clip = to_rgb(target, facts)
        rebuilt, matte = clip, np.zeros(clip.shape[:2], np.uint16)
        if entry["face"] is not None:
            faces += 1
            face = read_exr(folder / entry["face"])
            matte = cv2.imread(str(folder / entry["matte"]), cv2.IMREAD_UNCHANGED)
            assert (face.shape, matte.shape, matte.dtype) == (clip.shape, clip.shape[:2], np.uint16)
            assert (face[matte == 0] == 0).all()
            rebuilt = clip + matte[..., None] / 65535 * (face - clip)
        for each, done, was, told_of in zip(from_rgb(rebuilt, facts), wanted, target, facts["channels"], strict=True):
            worst = max(worst, float(np.abs(each - done).max()))
            outside = matte[:: told_of["down"], :: told_of["across"]] == 0
            assert (each[outside] == done[outside]).all()
            assert (done[outside] == was[outside]).all()
    return worst, faces


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv422p", "yuv420p10le", "yuv444p12le", "gbrp10le", "gray", "bgr0", "yuv444p16le"]
)
def test_layers_over_the_clip_are_the_finished_frames(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str
) -> None:
    scene = make_scene(pixel_format=pixel_format, frames=3, without=(1,))
    finished = delivered(scene, tmp_path / "out")
    worst, faces = compare(scene.frames, finished, tmp_path / "out/layers")
    assert worst <= 1.0
    assert faces == 2


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_so_they_are_of_samples_that_are_no_colours_of_rgb(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str
) -> None:
    scene = make_scene(pixel_format=pixel_format, frames=2, wild=True)
    finished = delivered(scene, tmp_path / "out")
    face = read_exr(tmp_path / "out/layers/face/000000.exr")
    assert face.min() < 0.0
    assert face.max() > 1.0
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 2)


@pytest.mark.parametrize("blend", [BlendSettings(method="alpha", opacity=0.4), BlendSettings(opacity=0.2, bands=2)])
@pytest.mark.parametrize(("width", "height"), [(71, 63), (160, 120)])
def test_so_they_are_whatever_the_blend_and_size(
    make_scene: Callable[..., Any], tmp_path: Path, blend: BlendSettings, width: int, height: int
) -> None:
    scene = make_scene(frames=1, width=width, height=height)
    finished = delivered(scene, tmp_path / "out", CompositingSettings(blend=blend))
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 1)


def test_so_they_are_of_two_faces_that_overlap(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=2)
    aligned, index = scene.alignments.whole(), scene.converted.index
    moved = aligned.assign(face=1, track=1)
    moved["transform"] = [six - [0, 0, 0.3, 0, 0, 0.2] for six in aligned["transform"]]
    moved["landmarks"] = [(xyz.reshape(-1, 3) + np.array([19.2, 12.8, 0])).ravel() for xyz in aligned["landmarks"]]
    order = ["frame", "face"]
    both = replace(
        scene,
        alignments=Alignments.of(pd.concat([aligned, moved]).sort_values(order, ignore_index=True), {}),
        converted=replace(
            scene.converted, index=pd.concat([index, index.assign(face=1)]).sort_values(order, ignore_index=True)
        ),
    )
    finished = delivered(both, tmp_path / "out")
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 2)
    told = json.loads((tmp_path / "out/layers/frames.json").read_text())["frames"]
    assert [face["track"] for face in told[0]["faces"]] == [0, 1]


def test_the_face_looks_like_the_face_where_it_is_opaque(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    settings = CompositingSettings(blend=BlendSettings(method="alpha"), sharpness=0.0)
    settings = settings.model_copy(update={"colour": settings.colour.model_copy(update={"method": "none"})})
    delivered(make_scene(frames=1), tmp_path / "out", settings)
    face = read_exr(tmp_path / "out/layers/face/000000.exr")
    matte = cv2.imread(str(tmp_path / "out/layers/matte/000000.png"), cv2.IMREAD_UNCHANGED)
    assert matte.max() == 65535
    np.testing.assert_allclose(face[matte == 65535].mean(axis=0) * 255, (200, 60, 40), atol=3)


def test_each_frame_tells_its_time_and_where_its_face_lies(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=3, without=(1,), times=lambda number: number * number + 5)
    delivered(scene, tmp_path / "out")
    first, second, third = json.loads((tmp_path / "out/layers/frames.json").read_text())["frames"]
    assert (first["pts"], first["seconds"], third["seconds"]) == (5, "1/5", "9/25")
    assert (second["face"], second["matte"], second["faces"]) == (None, None, [])
    (face,) = third["faces"]
    np.testing.assert_allclose(face["crop_to_frame"], [[64, 0, 32], [0, 64, 25]])
    assert sorted(path.name for path in (tmp_path / "out/layers/face").iterdir()) == ["000000.exr", "000002.exr"]


def test_conventions_and_disclosure_go_along(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    delivered(make_scene(frames=1), tmp_path / "out")
    readme = (tmp_path / "out/layers/README.md").read_text()
    assert DISCLOSURE in readme
    assert "straight" in readme
    assert "1 of 1 frames have a face here" in readme
    assert (tmp_path / "out/layers/disclosure.txt").read_text() == f"{DISCLOSURE}\n"


def test_finished_frames_of_other_settings_are_refused(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=2)
    finished = delivered(scene, tmp_path / "out")
    (tmp_path / "other").mkdir()
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    with pytest.raises(Problem, match="frame 0 is not what the settings"):
        write_layers(inputs, finished, tmp_path / "other", CompositingSettings(sharpness=1.0), ABOUT)


def test_a_folder_of_something_else_is_left_alone(workplace: Path, make_pipeline: Callable[..., Any]) -> None:
    make_pipeline(frames=2)
    params = load_params()
    run("ada-on-ben", params)
    (workplace / "mine").mkdir()
    (workplace / "mine/notes.txt").write_text("keep")
    with pytest.raises(Problem, match="something else is there"):
        deliver("ada-on-ben", params, workplace / "mine")
    assert (workplace / "mine/notes.txt").read_text() == "keep"
    for _ in range(2):  # a delivery may be made again in its place
        deliver("ada-on-ben", params, workplace / "new")
    assert (workplace / "new/face/000001.exr").is_file()
