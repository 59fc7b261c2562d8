"""A frame's own channels: what RGB is in them agrees with ffmpeg's own conversion, and a write touches only its box."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.channels import channels
from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts

WIDTH, HEIGHT = 128, 96


def facts(pixel_format: str, matrix: str = "bt709", range_: str = "tv") -> VideoFacts:
    return VideoFacts(
        width=WIDTH,
        height=HEIGHT,
        pixel_format=pixel_format,
        time_base="1/25",
        rate="25/1",
        matrix=matrix,
        range=range_,
    )


def blocks(size: int = 8) -> NDArray[np.float32]:
    """A picture of random colours in blocks, so that subsampling loses nothing."""
    colours = np.random.default_rng(0).integers(0, 256, (HEIGHT // size, WIDTH // size, 3))
    return (colours.repeat(size, 0).repeat(size, 1) / 255.0).astype(np.float32)


def painted(rgb: NDArray[np.float32], about: VideoFacts) -> av.VideoFrame:
    picture = av.VideoFrame(WIDTH, HEIGHT, about.pixel_format)
    for channel in channels(picture, about):
        values = channel.values_of(rgb)
        channel.write((0, 0, WIDTH, HEIGHT), values, np.ones(values.shape, dtype=bool))
    return picture


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv444p10le", "gbrp", "gbrp10le", "rgb24", "bgra"]
)
def test_what_is_written_is_what_ffmpeg_reads(pixel_format: str, matrix: str, range_: str) -> None:
    rgb, about = blocks(), facts(pixel_format, matrix, range_)
    read = NativeFrame(0, 0, 0, painted(rgb, about), about).rgb()
    assert np.abs(read - rgb * 255).max() <= (3.01 if pixel_format in ("yuv420p", "yuv422p") else 2.01)


@pytest.mark.parametrize("range_", ["tv", "pc", "unknown"])
@pytest.mark.parametrize("pixel_format", ["gray", "gray10le", "gray12le"])
def test_grey_is_what_ffmpeg_reads_whatever_its_range_is_said_to_be(pixel_format: str, range_: str) -> None:
    rgb, about = blocks()[..., :1].repeat(3, axis=2), facts(pixel_format, range_=range_)
    read = NativeFrame(0, 0, 0, painted(rgb, about), about).rgb()
    assert np.abs(read - rgb * 255).max() <= 1.01


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((1, 1, 1), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((1, 0, 0), (63, 102, 240)),
        ((0, 0, 1), (32, 240, 118)),
    ],
    ids=["white", "black", "red", "blue"],
)
def test_code_values_of_bt709_are_the_standards(colour: tuple[int, ...], expected: tuple[int, ...]) -> None:
    picture = painted(np.full((HEIGHT, WIDTH, 3), colour, np.float32), facts("yuv420p"))
    found = [int(channel.samples[0, 0]) for channel in channels(picture, facts("yuv420p"))]
    assert found == list(expected)


def test_ten_bits_are_four_times_eight() -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), (0.5, 0.25, 0.75), np.float32)
    eight, ten = (
        [c.values_of(rgb)[0, 0] for c in channels(painted(rgb, facts(f)), facts(f))] for f in ("yuv420p", "yuv420p10le")
    )
    np.testing.assert_allclose(ten, np.array(eight) * 4, rtol=1e-5)


@given(x=st.integers(0, 40), y=st.integers(0, 30), width=st.integers(1, 20), height=st.integers(1, 20))
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_write_touches_only_its_box(x: int, y: int, width: int, height: int) -> None:
    box = (2 * x, 2 * y, 2 * (x + width), 2 * (y + height))
    about = facts("yuv420p")
    picture, before = painted(blocks(), about), painted(blocks(), about)
    for channel, old in zip(channels(picture, about), channels(before, about), strict=True):
        part = channel.part(box)
        channel.write(box, np.full(part.shape, 77.0, np.float32), np.ones(part.shape, dtype=bool))
        assert (part == 77).all()
        part[:] = old.part(box)
        assert (channel.samples == old.samples).all()


def test_only_where_it_is_asked_to() -> None:
    about = facts("yuv444p")
    channel = channels(painted(blocks(), about), about)[0]
    before = channel.samples.copy()
    where = np.zeros((HEIGHT, WIDTH), dtype=bool)
    where[5, 7] = True
    channel.write((0, 0, WIDTH, HEIGHT), np.full((HEIGHT, WIDTH), 300.0, np.float32), where)
    assert channel.samples[5, 7] == 255
    assert (channel.samples != before).sum() == 1


def test_an_odd_edge_is_averaged_over_what_there_is() -> None:
    about = facts("yuv420p").model_copy(update={"width": 5, "height": 3})
    chroma = channels(av.VideoFrame(5, 3, "yuv420p"), about)[1]
    assert (chroma.across, chroma.down, chroma.samples.shape) == (2, 2, (2, 3))
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    np.testing.assert_allclose(chroma.reduced(values), [[3, 5, 6.5], [10.5, 12.5, 14]])


def test_an_unknown_format_is_told_with_its_mend() -> None:
    with pytest.raises(Problem, match="pixel format nv12"):
        channels(av.VideoFrame(16, 16, "nv12"), facts("nv12"))
