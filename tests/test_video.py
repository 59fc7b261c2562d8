"""A frame's crop is converted from its own neighbourhood alone, and is what a crop of the whole picture would be."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from stages import geometry
from stages.video import NativeFrame, VideoFacts, part_of, planes_of

WIDTH, HEIGHT = 332, 244
FORMATS = ("yuv420p", "yuv422p10le", "yuv411p", "yuv444p", "gray", "gray10le", "gbrp", "gbrp12le", "rgb24", "bgra")


def frame_of(pixel_format: str, width: int = WIDTH, height: int = HEIGHT) -> NativeFrame:
    """Noise in every plane."""
    picture, chance = av.VideoFrame(width, height, pixel_format), np.random.default_rng(3)
    largest = 1 << picture.format.components[0].bits
    for plane in planes_of(picture):
        plane[:] = chance.integers(0, largest, plane.shape)
    facts = VideoFacts(width=width, height=height, pixel_format=pixel_format, time_base="1/25", rate="25/1")
    return NativeFrame(0, 0, 0, picture, facts)


def alignment(side: float, angle: float, middle: tuple[float, float]) -> NDArray[np.float64]:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / side
    return np.concatenate([turn, (0.5 - turn @ np.array(middle))[:, None]], axis=1)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_a_part_holds_the_samples_of_its_box_in_every_plane(pixel_format: str) -> None:
    picture = frame_of(pixel_format).picture
    part = part_of(picture, (64, 32, WIDTH, 112))
    assert (part.width, part.height, part.format.name) == (WIDTH - 64, 80, pixel_format)
    for mine, whole in zip(planes_of(part), planes_of(picture), strict=True):
        down, across = round(HEIGHT / whole.shape[0]), WIDTH / whole.shape[1]
        top, left = 32 // down, round(64 / across)
        np.testing.assert_array_equal(mine, whole[top : top + len(mine), left:])


@pytest.mark.parametrize("middle", [(160.0, 120.0), (3.0, 240.0), (331.0, 10.0), (-33.0, 120.0), (100.0, -28.0)])
@pytest.mark.parametrize(("side", "size"), [(60.0, 64), (150.0, 32), (40.0, 128)])
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_a_crop_is_that_of_the_whole_picture(
    pixel_format: str, side: float, size: int, middle: tuple[float, float]
) -> None:
    frame, transform = frame_of(pixel_format), alignment(side, 0.3, middle)
    expected = geometry.crop(frame.rgb(), transform, size).astype(int)
    away = np.abs(frame.crop(transform, size) - expected)
    # a sample that lies between two steps of OpenCV's thirty-two a pixel may fall to either: of noise, much; but rarely
    assert (away > 0).mean() < 0.01
    assert np.quantile(away, 0.999) <= 12


def test_a_picture_whose_edge_halves_a_sample_is_converted_whole() -> None:
    frame, transform = frame_of("yuv420p", 331, 243), alignment(60.0, 0.3, (160.0, 120.0))
    np.testing.assert_array_equal(frame.crop(transform, 64), geometry.crop(frame.rgb(), transform, 64))


def test_a_crop_of_nothing_is_black() -> None:
    frame = frame_of("yuv420p")
    assert not frame.crop(alignment(40.0, 0.0, (-500.0, 100.0)), 32).any()


def test_of_a_large_frame_little_is_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    convert = NativeFrame._rgb_of

    def told(self: NativeFrame, picture: av.VideoFrame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        seen.append((picture.width, picture.height))
        return convert(self, picture, size)

    monkeypatch.setattr(NativeFrame, "_rgb_of", told)
    frame_of("yuv420p", 1920, 1080).crop(alignment(300.0, 0.0, (900.0, 500.0)), 128)
    ((width, height),) = seen
    assert 300 < width < 400
    assert 300 < height < 400
