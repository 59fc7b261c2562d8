"""Marks put in and read back: any identifier, size and format; after crops, scaling, mirroring; none where none is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.problems import Problem
from stages.video import planes_of
from stages.watermark import PUBLIC_KEY, Watermark, identifier_of, key_name, read, reads_back
from stages.watermark.code import IDENTIFIER_BITS, encoded
from stages.watermark.pattern import SIDE, Pattern
from stages.watermark.raster import evened, small, whitened
from stages.watermark.reading import stands_out
from stages.watermark.registration import Transform
from tests.watermark.film import Grey, compressed, frames, lawn, luma, pictures

IDENTIFIER = 0x123456789ABC
FORMATS = [
    *("gray", "gray12le", "yuv420p", "yuv422p10le", "yuv444p12le", "yuva420p", "yuv411p"),
    *("gbrp", "gbrp10le", "bgr0", "rgb24", "rgb48le"),
]


def marked(shown: Iterator[Grey], identifier: int = IDENTIFIER, key: bytes = PUBLIC_KEY) -> Iterator[Grey]:
    """The pictures with a mark."""
    mark = Watermark(key, identifier)
    for frame in frames(shown):
        mark.embed(frame.picture)
        yield luma(frame)


def test_a_mark_is_read_without_the_original() -> None:
    (reading,) = read(frames(marked(pictures())))
    assert reading.identifier == IDENTIFIER
    assert reading.false_alarm < 1e-9
    assert (reading.start, reading.end) == (0.0, 11 / 25)
    assert reading.transform.width == pytest.approx(1.0)


def test_it_can_not_be_seen() -> None:
    for before, after in zip(pictures(), marked(pictures()), strict=True):
        change = after.astype(int) - before
        assert 0 < np.square(change).mean() < 255**2 / 10**4.4  # 44 dB
        assert np.abs(change).max() <= 8


@settings(max_examples=12, deadline=None)
@given(
    identifier=st.integers(0, (1 << IDENTIFIER_BITS) - 1),
    width=st.integers(320, 700),
    height=st.integers(240, 480),
    pixel_format=st.sampled_from(FORMATS),
)
def test_any_identifier_in_any_size_and_format(identifier: int, width: int, height: int, pixel_format: str) -> None:
    mark = Watermark(PUBLIC_KEY, identifier)
    shown = list(frames(pictures(width, height, 4), pixel_format))
    for frame in shown:
        mark.embed(frame.picture)
    assert [each.identifier for each in read(shown)] == [identifier]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuva444p10le"])
def test_nothing_but_luma_is_touched(pixel_format: str) -> None:
    (frame,) = frames(pictures(count=1), pixel_format)
    before = [plane.copy() for plane in frame.planes()]
    Watermark(PUBLIC_KEY, 1).embed(frame.picture)
    changed = [not np.array_equal(old, new) for old, new in zip(before, frame.planes(), strict=True)]
    assert changed == [True] + [False] * (len(changed) - 1)


def test_grey_rgb_stays_grey() -> None:
    (frame,) = frames(pictures(count=1), "gbrp10le")
    Watermark(PUBLIC_KEY, 1).embed(frame.picture)
    green, blue, red = frame.planes()
    np.testing.assert_array_equal(green, red)
    np.testing.assert_array_equal(green, blue)
    assert green.max() <= 1023


ATTACKS: dict[str, Callable[[Grey], Grey]] = {
    "half size": lambda grey: np.asarray(
        cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
    ),
    "larger": lambda grey: np.asarray(cv2.resize(grey, None, fx=1.5, fy=1.5), np.uint8),
    "other shape": lambda grey: np.asarray(cv2.resize(grey, (600, 450)), np.uint8),
    "mirrored": lambda grey: grey[:, ::-1],
    "2 % cropped": lambda grey: grey[3:-7, 10:-3],
    "15 % cropped": lambda grey: grey[5:-67, 90:-6],
    "cropped and mirrored": lambda grey: grey[20:-20, 10:-40][:, ::-1],
    "cropped and scaled": lambda grey: np.asarray(cv2.resize(grey[20:-30, 10:-60], (480, 360)), np.uint8),
    "letterboxed": lambda grey: np.pad(grey, ((45, 45), (0, 0)), constant_values=16),
    "brighter": lambda grey: np.clip(grey.astype(int) * 1.2 + 10, 0, 255).astype(np.uint8),
    "noisy": lambda grey: np.clip(grey + np.random.default_rng(0).normal(0, 8, grey.shape), 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_it_survives(attack: str) -> None:
    changed = map(ATTACKS[attack], marked(pictures(640, 360, 20)))
    assert [each.identifier for each in read(frames(compressed(changed, 85)))] == [IDENTIFIER]


def test_whitened_a_mark_stands_out_from_a_lawn_that_pans() -> None:
    """The lawn's own texture is in the sum, smeared along its motion, and outweighs the mark in few frequencies."""
    shown = list(compressed(marked(lawn()), 40))
    assert [each.identifier for each in read(frames(shown))] == [IDENTIFIER]
    seen = np.sum([evened(small(grey, 8)) for grey in shown], axis=0)
    word, pattern = encoded(IDENTIFIER), Pattern.of(PUBLIC_KEY)
    plainly, white = (stands_out(raster, pattern, word, Transform()) for raster in (seen, whitened(seen)))
    assert white > 2.5 * plainly


def test_whitened_all_frequencies_are_alike() -> None:
    rng = np.random.default_rng(0)
    steep = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 1.0)
    power = np.abs(np.fft.fft2(whitened(steep))) ** 2
    slow = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    bands = [float(power[(slow > low) & (slow <= low + 0.05)].mean()) for low in (0.02, 0.1, 0.2)]
    np.testing.assert_allclose(bands, bands[0], rtol=0.25)
    assert not whitened(np.zeros((SIDE, SIDE), np.float32)).any()


def test_the_transform_says_what_was_cropped() -> None:
    (reading,) = read(frames(grey[27:-13, 24:-72] for grey in marked(pictures(480, 400, 12))))
    assert reading.transform.width == pytest.approx(1 - 96 / 480, abs=0.004)
    assert reading.transform.height == pytest.approx(1 - 40 / 400, abs=0.004)
    assert reading.transform.x == pytest.approx((24 + (480 - 96) / 2) / 480, abs=0.004)
    assert reading.transform.y == pytest.approx((27 + (400 - 40) / 2) / 400, abs=0.004)


def test_a_marked_part_of_a_film_is_told_by_its_time() -> None:
    def film() -> Iterator[Grey]:
        yield from pictures(320, 240, 40)
        yield from marked(pictures(320, 240, 50, first=40))
        yield from pictures(320, 240, 60, first=90)

    (reading,) = read(frames(film(), rate=5))  # 8 s without, 10 s with, 12 s without
    assert reading.identifier == IDENTIFIER
    assert reading.start == pytest.approx(8.0, abs=2.0)
    assert reading.end == pytest.approx(18.0, abs=2.0)


def test_two_marks_in_one_film_are_two_readings() -> None:
    def film() -> Iterator[Grey]:
        yield from marked(pictures(320, 240, 50), 1)
        yield from marked(pictures(320, 240, 50, first=50), 2)

    readings = read(frames(film(), rate=5))
    assert [each.identifier for each in readings] == [1, 2]
    assert readings[0].end <= readings[1].start + 2


def noise(count: int) -> Iterator[Grey]:
    rng = np.random.default_rng(3)
    yield from (rng.integers(0, 256, (270, 480)).astype(np.uint8) for _ in range(count))


UNMARKED: dict[str, Callable[[], Iterator[Grey]]] = {
    "a portrait": pictures,
    "a lawn": lawn,
    "noise": lambda: noise(12),
    "black": lambda: iter([np.zeros((270, 480), np.uint8)] * 12),
    "one colour": lambda: iter([np.full((270, 480), 128, np.uint8)] * 12),
    "stripes": lambda: iter([np.tile(np.arange(480, dtype=np.uint8) % 10 * 20, (270, 1))] * 12),
    "another key's mark": lambda: marked(pictures(), key=b"somebody else's key"),
    "nothing": lambda: iter([]),
}


@pytest.mark.parametrize("kind", list(UNMARKED))
def test_nothing_is_read_where_nothing_is(kind: str) -> None:
    assert read(frames(UNMARKED[kind]())) == []


def test_the_same_frames_are_marked_alike() -> None:
    for first, second in zip(marked(pictures()), marked(pictures()), strict=True):
        np.testing.assert_array_equal(first, second)


def test_reading_back_knows_one_identifier_from_another() -> None:
    shown = list(marked(pictures()))
    assert reads_back(frames(shown), PUBLIC_KEY, IDENTIFIER)
    assert not reads_back(frames(shown), PUBLIC_KEY, IDENTIFIER + 1)
    assert not reads_back(frames(pictures()), PUBLIC_KEY, IDENTIFIER)
    assert not reads_back(iter([]), PUBLIC_KEY, IDENTIFIER)


def test_unusual_formats_are_refused_for_marking() -> None:
    picture = av.VideoFrame(480, 270, "yuyv422")
    for plane in planes_of(picture):
        plane[:] = 100
    with pytest.raises(Problem, match="yuyv422 can not be marked"):
        Watermark(PUBLIC_KEY, 1).embed(picture)


def test_identifiers_tell_nothing_and_do_not_change() -> None:
    one = identifier_of(PUBLIC_KEY, "ada-on-ben", "abc")
    assert one == identifier_of(PUBLIC_KEY, "ada-on-ben", "abc") < 1 << IDENTIFIER_BITS
    assert (
        len({one, identifier_of(PUBLIC_KEY, "ada-on-be", "nabc"), identifier_of(b"another", "ada-on-ben", "abc")}) == 3
    )
    assert key_name(PUBLIC_KEY) == "public" != key_name(b"another")
