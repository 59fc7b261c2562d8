"""Pixels that are not square."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.geometry import apply
from stages.pixel_shape import PixelShape
from stages.video import VideoFacts


def facts(width: int, aspect: str) -> VideoFacts:
    return VideoFacts(
        width=width, height=90, pixel_format="yuv420p", time_base="1/25", rate="25/1", sample_aspect=aspect
    )


@given(
    width=st.integers(16, 4096),
    across=st.integers(1, 64),
    down=st.integers(1, 64),
    place=st.tuples(st.floats(0, 4096), st.floats(0, 2160)),
)
def test_places_go_to_square_pixels_and_back(width: int, across: int, down: int, place: tuple[float, float]) -> None:
    shape = PixelShape.of(facts(width, f"{across}/{down}"))
    there = shape.points(np.array([place]))
    np.testing.assert_allclose(shape.back(there), [place], rtol=1e-12, atol=1e-9)
    similarity = np.array([[0.01, -0.002, 0.3], [0.002, 0.01, -0.1]])
    np.testing.assert_allclose(
        apply(shape.transforms(similarity), np.array([place])), apply(similarity, there), atol=1e-9
    )
    if 0.25 <= across / down <= 4:
        assert width * shape.widening == pytest.approx(round(width * across / down))


@pytest.mark.parametrize(("aspect", "width"), [("1/1", 120), ("4/3", 160), ("10/11", 109), ("2/1", 240)])
def test_a_picture_is_as_wide_as_a_screen_shows_it(aspect: str, width: int) -> None:
    """A step stays where the places of its pixels' edges say."""
    picture = np.zeros((90, 120, 3), np.uint8)
    picture[:, 60:] = 200
    shape = PixelShape.of(facts(120, aspect))
    shown = shape.picture(picture)
    assert shown.shape == (90, width, 3)
    ((edge, _),) = shape.points(np.array([[60.0, 0.0]]))
    assert (shown[45, :, 0] > 100).argmax() == pytest.approx(edge, abs=0.6)


def test_square_pixels_are_left_as_they_are() -> None:
    picture, points = np.zeros((90, 120, 3), np.uint8), np.ones((4, 2), np.float32)
    shape = PixelShape.of(facts(120, "1/1"))
    assert shape.picture(picture) is picture
    assert shape.points(points) is points
    assert shape.back(points) is points
    assert shape.points(np.ones((4, 2), np.float32)).dtype == np.float32


@pytest.mark.parametrize("aspect", ["65535/1", "1/5"])
def test_a_shape_that_no_camera_has_is_taken_for_a_fault(aspect: str) -> None:
    assert PixelShape.of(facts(120, aspect)) == PixelShape()
