"""A rendered frame against its own truth, and rendered files against a second rendering."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from stages.artifacts.truth import Truth
from stages.problems import Problem
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import Part
from stages.rendering.performance import perform
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Picture, Sensor
from stages.rendering.scene import PerformanceSettings, read_performance, read_performer
from stages.rendering.stage import render, run, write
from stages.settings import load_params

SIZE = 160
CLEAN = Sensor(noise=0.0, shot=0.0, blur=0.0)


@pytest.fixture(scope="module")
def performer(identity: Identity, basis: HeadBasis) -> Performer:
    return Performer(identity, basis)


def _render(
    performer: Performer, pose: Pose, shift: tuple[float, float] = (0.0, 0.0), sensor: Sensor = CLEAN
) -> Picture:
    camera = Camera(SIZE, SIZE, 2.0 * SIZE, shift)
    rng = np.random.Generator(np.random.PCG64(0))
    return performer.render(pose, camera, Light.from_seed(1), backdrop(1, SIZE, SIZE), sensor, rng)


def _at(picture: np.ndarray, point: np.ndarray) -> int:
    return int(picture[int(point[1]), int(point[0])])


def test_labels_lie_where_the_landmarks_say(performer: Performer) -> None:
    picture = _render(performer, Pose(position=(0.0, 3.0, 75.0)))
    points = picture.landmarks
    assert _at(picture.parts, points[30]) == Part.SKIN  # the tip of the nose
    assert _at(picture.parts, points[68]) == Part.EYE
    assert _at(picture.parts, points[69]) == Part.EYE
    assert _at(picture.parts, (points[51] + points[62]) / 2) == Part.LIPS
    assert picture.parts[2, 2] == Part.BACKGROUND
    assert picture.depth[2, 2] == 0.0


def test_depth_is_that_of_the_surface(performer: Performer) -> None:
    near = _render(performer, Pose(position=(0.0, 3.0, 75.0)))
    tip = near.landmarks[30]
    # the nose stands before the neck's pivot by its own reach, 10 to 16 cm
    assert 75.0 - 16.0 < near.depth[int(tip[1]), int(tip[0])] < 75.0 - 9.0


def test_a_shifted_camera_shifts_the_picture_by_whole_pixels(performer: Performer) -> None:
    pose = Pose(position=(0.0, 3.0, 75.0))
    still, moved = _render(performer, pose), _render(performer, pose, shift=(4.0, 0.0))
    np.testing.assert_allclose(moved.landmarks - still.landmarks, np.tile([4.0, 0.0], (70, 1)), atol=1e-3)
    inside = still.parts[:, :-4] != Part.BACKGROUND
    assert (moved.parts[:, 4:][inside] == still.parts[:, :-4][inside]).mean() > 0.99


def test_blinking_hides_the_eyes_and_the_open_jaw_shows_teeth(performer: Performer) -> None:
    plain = Pose(position=(0.0, 3.0, 75.0))
    shut = replace(plain, units={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})
    wide = replace(plain, units={"jawOpen": 0.7, "mouthUpperUpLeft": 0.7, "mouthUpperUpRight": 0.7})
    eyes = [(_render(performer, pose).parts == Part.EYE).sum() for pose in (plain, shut)]
    assert eyes[1] < 0.15 * eyes[0]
    teeth = [(_render(performer, pose).parts == Part.TEETH).sum() for pose in (plain, wide)]
    assert teeth[1] > teeth[0] + 5


def test_rendering_twice_gives_the_same_bytes_and_noise_changes_them(performer: Performer) -> None:
    pose = Pose(yaw=20.0, position=(0.0, 3.0, 75.0))
    first, again = _render(performer, pose), _render(performer, pose)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.parts, again.parts)
    noisy = _render(performer, pose, sensor=Sensor(noise=2.0))
    spread = (noisy.rgb.astype(int) - first.rgb)[5:20, 5:20].std()
    assert 1.0 < spread < 4.0


def test_a_performance_is_rendered_again_to_the_same_samples(identity: Identity) -> None:
    settings = PerformanceSettings(performer="eve", seed=1, seconds=0.2, width=96, height=96)
    track = perform(settings.seed, settings.frames, settings.rate, settings.played())
    for one, other in zip(render(identity, settings, track), render(identity, settings, track), strict=True):
        np.testing.assert_array_equal(one.rgb, other.rgb)
        np.testing.assert_array_equal(one.parts, other.parts)
        np.testing.assert_array_equal(one.depth, other.depth)
        np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_a_performance_is_written_whole_and_again_to_the_same_bytes(tmp_path: Path, identity: Identity) -> None:
    settings = PerformanceSettings(performer="eve", seed=1, seconds=0.24, width=96, height=96, depth=True)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        write(folder, identity, settings, player=identity, what="test")
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == ["clip.mp4", "depth.mkv", "facts.json", "parts.mkv", "truth.parquet"]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    truth = Truth.read(folders[0])
    assert truth is not None
    assert len(truth.table) == 6
    assert len(truth.table["landmarks"][0]) == 140
    assert [frame.number for frame in truth.frames()] == list(range(6))
    with av.open(str(truth.clip)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        codec = container.streams.video[0].codec_context
        assert (codec.pix_fmt, codec.color_primaries, codec.color_trc, codec.colorspace) == ("yuv420p", 1, 1, 1)
    labels = next(iter(truth.parts())).picture.to_ndarray()
    assert {str(label) for label in np.unique(labels)} <= set(truth.facts["parts"])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"performer": "eve"}, "seed"),
        ({"performer": "eve", "seed": 1, "width": 101}, "width"),
        ({"performer": "eve", "seed": 1, "acting": {"yow": 3}}, "acting.yow"),
    ],
)
def test_wrong_settings_are_named(fields: dict[str, object], told: str) -> None:
    with pytest.raises(Problem, match=told):
        read_performance("clip", fields)


def test_a_performer_without_a_seed_is_a_problem() -> None:
    with pytest.raises(Problem, match=r"performers\.eve\.seed"):
        read_performer("eve", {"age": 30.0})


def test_names_that_are_not_there_or_stand_for_two_things_are_problems(workplace: Path) -> None:
    params = load_params(workplace / "params.yaml")
    with pytest.raises(Problem, match="did you mean 'ada-on-ben'"):
        run("ada-on-bem", params)
    twice = params.model_copy(update={"truths": {"ben": params.truths["ada-on-ben"]}})
    with pytest.raises(Problem, match="both called so"):
        run("ben", twice)
    orphan = params.model_copy(update={"performers": {"ada": {"seed": 1}}})
    with pytest.raises(Problem, match="there is no performer 'ben'"):
        run("ben", orphan)
    assert not (workplace / "data" / "performances").exists()


def test_the_truth_of_a_swap_is_the_source_in_the_targets_performance(workplace: Path) -> None:
    """Same track, camera and time as the target's clip; another face."""
    (workplace / "data" / "performers").symlink_to(Path(__file__).parents[2] / "data" / "performers")
    params = load_params(workplace / "params.yaml")
    short = {"seconds": 0.12, "width": 96, "height": 96}
    bald = {"hair_style": "bald", "beard_style": "none"}
    params = params.model_copy(
        update={
            "performances": {name: fields | short for name, fields in params.performances.items()},
            "performers": {name: fields | bald for name, fields in params.performers.items()},
        }
    )
    run("ben", params)
    run("ada-on-ben", params)
    target, truth = Truth.read(Path("data/performances/ben")), Truth.read(Path("data/truth/ada-on-ben"))
    assert target is not None
    assert truth is not None
    track = [name for name in target.table.columns if name != "landmarks"]
    assert target.table[track].equals(truth.table[track])
    apart = np.stack(target.table["landmarks"]) - np.stack(truth.table["landmarks"])
    assert 0.3 < np.abs(apart).mean() < 10.0
    assert truth.facts["identity"]["seed"] == params.performers["ada"]["seed"]
