"""Pictures come back from their bytes, and one that no file can hold is told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stages.picture_bytes import jpeg, png
from stages.problems import Problem


def read(coded: bytes) -> np.ndarray:
    """As OpenCV has it: BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_UNCHANGED))


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8), st.just(3))))
def test_a_png_holds_the_picture_in_its_colours(picture: np.ndarray) -> None:
    np.testing.assert_array_equal(read(png(picture, "here"))[..., ::-1], picture)


@given(arrays(np.uint16, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_a_png_holds_all_bits_of_a_grey_picture(picture: np.ndarray) -> None:
    found = read(png(picture, "here"))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, picture)


def test_a_jpeg_is_the_nearer_the_higher_its_quality_and_has_its_colours() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    picture[..., 0] = 250
    errors = [
        np.abs(read(jpeg(picture, "here", quality=quality))[..., ::-1] - picture.astype(int)).mean()
        for quality in (20, 98)
    ]
    assert errors[1] < errors[0]
    red = np.full((16, 16, 3), (250, 10, 20), np.uint8)
    assert np.abs(read(jpeg(red, "here", quality=95))[..., ::-1] - red.astype(int)).max() < 6


@pytest.mark.parametrize("shape", [(0, 5, 3), (1, 70_000, 3)], ids=["empty", "wider than the format"])
def test_a_picture_that_no_jpeg_can_hold_is_a_problem(shape: tuple[int, int, int]) -> None:
    with pytest.raises(Problem, match=rf"report\.html.*{shape[1]} x {shape[0]} pixels can not be written as JPG"):
        jpeg(np.zeros(shape, np.uint8), "report.html", quality=80)
