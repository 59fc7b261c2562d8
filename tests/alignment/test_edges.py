"""What a network says of a crop, laid along the picture's own edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.alignment.edges import EPSILON, RADIUS, sharpened

SIZE, FINE = 64, 128
Floats = NDArray[np.float64]


def smaller(finer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(finer, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def ring() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A dark rim, five pixels of the finer crop wide, on skin."""
    away = np.hypot(*(np.mgrid[:FINE, :FINE] - FINE / 2))
    thing = np.abs(away - 35) < 2.5
    return np.where(thing[..., None], (60, 30, 30), (200, 150, 130)).astype(np.uint8), thing


def overlap(hidden: NDArray[np.bool_], thing: NDArray[np.bool_]) -> float:
    return float((hidden & thing).sum() / (hidden | thing).sum())


def test_a_blurred_answer_is_laid_along_the_rim() -> None:
    finer, thing = ring()
    blurred = cv2.resize(1.0 - thing.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(blurred, (0, 0), 1.5)
    plain = cv2.resize(blurred, (FINE, FINE), interpolation=cv2.INTER_LINEAR)
    found = sharpened(blurred, smaller(finer), finer)
    assert found.shape == (FINE, FINE)
    assert overlap(found < 0.5, thing) > 0.9
    assert overlap(found < 0.5, thing) > overlap(plain < 0.5, thing) + 0.1


def test_where_the_picture_is_flat_nothing_is_moved() -> None:
    finer = np.full((FINE, FINE, 3), 128, np.uint8)
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, SIZE // 2 :] = 0.0
    found = sharpened(seen, smaller(finer), finer)
    away = 2 * (2 * RADIUS + 2)
    np.testing.assert_allclose(found[:, : FINE // 2 - away], 1.0, atol=1e-4)
    np.testing.assert_allclose(found[:, FINE // 2 + away :], 0.0, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_what_is_said_everywhere_stays_whatever_the_picture_shows(value: float) -> None:
    finer = np.random.default_rng(0).integers(0, 256, (FINE, FINE, 3)).astype(np.uint8)
    seen = np.full((SIZE, SIZE), value, np.float32)
    np.testing.assert_allclose(sharpened(seen, smaller(finer), finer), value, atol=2e-3)


def test_it_is_the_guided_filter_of_the_paper() -> None:
    """Equations 19 to 21 of He et al. 2013, pixel by pixel, with a guide that is no finer."""
    rng = np.random.default_rng(1)
    guide = cv2.GaussianBlur(rng.integers(0, 256, (24, 24, 3)).astype(np.uint8), (0, 0), 1.5)
    seen = cv2.GaussianBlur(rng.random((24, 24)).astype(np.float32), (0, 0), 1.0)
    colour, said = (np.pad(each, [(8, 8), (8, 8), (0, 0)][: each.ndim], mode="symmetric")
                    for each in (guide / 255.0, seen.astype(np.float64)))  # fmt: skip

    def around(values: Floats, y: int, x: int) -> Floats:
        part = values[y - RADIUS : y + RADIUS + 1, x - RADIUS : x + RADIUS + 1]
        return part.reshape(-1, *values.shape[2:])

    linear = np.zeros((40, 40, 4))
    for y in range(RADIUS, 40 - RADIUS):
        for x in range(RADIUS, 40 - RADIUS):
            here, told = around(colour, y, x), around(said, y, x)
            spread = np.cov(here.T, bias=True) + EPSILON * np.eye(3)
            slope = np.linalg.solve(spread, (here * told[:, None]).mean(0) - here.mean(0) * told.mean())
            linear[y, x] = [*slope, told.mean() - slope @ here.mean(0)]
    expected = np.zeros((24, 24))
    for y in range(24):
        for x in range(24):
            mean = around(linear, y + 8, x + 8).mean(0)
            expected[y, x] = mean[:3] @ (guide[y, x] / 255.0) + mean[3]
    np.testing.assert_allclose(sharpened(seen, guide, guide), np.clip(expected, 0, 1), atol=2e-3)
