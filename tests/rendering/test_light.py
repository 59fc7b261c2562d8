"""Light that goes round, and light that is harder."""

from __future__ import annotations

import numpy as np
import pytest

from stages.rendering.light import Light


@pytest.mark.parametrize("degrees", [-90.0, 25.0, 180.0])
def test_a_key_goes_round_the_vertical_with_its_window_and_nothing_else_changes(degrees: float) -> None:
    light = Light.from_seed(3)
    turned = light.turned(degrees)
    for before, after in ((light.key.direction, turned.key.direction), (light.window, turned.window)):
        assert np.linalg.norm(after) == pytest.approx(1.0)
        assert after[1] == pytest.approx(before[1])
        across, along = before[[0, 2]] @ after[[0, 2]], np.cross(before[[2, 0]], after[[2, 0]])
        assert np.degrees(np.arctan2(along, across)) % 360 == pytest.approx(degrees % 360)
    np.testing.assert_array_equal(turned.key.colour, light.key.colour)
    np.testing.assert_array_equal(turned.harmonics, light.harmonics)
    assert turned.fill is light.fill
    assert turned.rim is light.rim
    np.testing.assert_allclose(turned.turned(-degrees).key.direction, light.key.direction)


def test_harder_light_has_more_of_the_key_and_less_of_the_rest() -> None:
    light = Light.from_seed(5)
    hard = light.hardened(1.5, 0.25, 0.6)
    np.testing.assert_allclose(hard.key.colour, 1.5 * light.key.colour)
    np.testing.assert_allclose(hard.fill.colour, 0.25 * light.fill.colour)
    np.testing.assert_allclose(hard.harmonics, 0.6 * light.harmonics)
    np.testing.assert_array_equal(hard.key.direction, light.key.direction)
    np.testing.assert_array_equal(hard.direction, light.direction)
