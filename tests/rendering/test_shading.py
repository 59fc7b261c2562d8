"""Shading: energy, direction of light, shadow, colour transform, eyes; on hand-made samples with a known answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.rendering import eyes, light, shading
from stages.rendering.colour import develop, to_linear, to_srgb
from stages.rendering.gbuffer import GBuffer
from stages.rendering.head import HEAD_FILE, HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Lamp, Light
from stages.rendering.mesh import Part
from stages.rendering.shading import Maps

REPOSITORY = Path(__file__).parents[2]
BLACK = np.zeros(3)


@pytest.fixture(scope="module")
def maps() -> Maps:
    identity = Identity.from_seed(0)
    return Maps.paint(identity, HeadBasis.load(REPOSITORY / HEAD_FILE).build(identity), 128)


def samples(normals: np.ndarray, part: Part = Part.CLOTHES) -> GBuffer:
    """Samples half a metre in front of the camera with the given normals (n, 3)."""
    n = len(normals)
    ones = np.ones(n, np.float32)
    return GBuffer(
        height=1, width=n, index=np.arange(n, dtype=np.int32), whole=np.ones(n, np.bool_),
        part=np.full(n, part, np.uint8),
        position=np.tile(np.array([0, 0, 50], np.float32), (n, 1)), normal=normals.astype(np.float32),
        tangent=np.tile(np.array([0, 1, 0], np.float32), (n, 1)), uv=np.tile(np.array([0.9, 0.45], np.float32), (n, 1)),
        rest=np.zeros((n, 3), np.float32), depth=50 * ones, occlusion=ones, visibility=ones,
        rotation=np.diag([1.0, -1.0, -1.0]),
    )  # fmt: skip


def lit_from(direction: tuple[float, float, float], strength: float = 1.0, ambient: float = 0.0) -> Light:
    toward = np.array(direction) / np.linalg.norm(direction)
    harmonics = np.zeros((9, 3))
    harmonics[0] = ambient
    none = Lamp(np.array([0.0, 0.0, 1.0]), BLACK)
    return Light(Lamp(toward, strength * np.ones(3)), none, none, harmonics, 1.0, np.array([0.0, 1.0, 0.0]))


def facing(*angles: float) -> np.ndarray:
    """Normals turned from the camera toward the picture's right, degrees."""
    a = np.radians(angles)
    return np.stack([np.sin(a), np.zeros_like(a), -np.cos(a)], 1)


@pytest.mark.parametrize("part", [Part.SKIN, Part.CLOTHES, Part.EYE, Part.TEETH, Part.HAIR])
def test_surfaces_that_face_the_light_are_brighter(maps: Maps, part: Part) -> None:
    value = shading.shade(samples(facing(80, 20, -80), part), maps, lit_from((1, 0, -0.5), 1.5, 0.1)).mean(1)
    assert value[0] > value[2]
    assert np.isfinite(value).all()
    assert (value > 0.0).all()


def test_light_adds_up(maps: Maps) -> None:
    where = samples(facing(0, 30, 60))
    one, two = (shading.shade(where, maps, lit_from((0.3, -0.4, -1), s)) for s in (1.0, 2.0))
    ambient = shading.shade(where, maps, lit_from((0.3, -0.4, -1), 0.0))
    np.testing.assert_allclose(two - ambient, 2.0 * (one - ambient), rtol=1e-4, atol=1e-6)


def test_shadow_takes_the_key_away(maps: Maps) -> None:
    where = samples(facing(0, 20), Part.SKIN)
    light_ = lit_from((0, -0.3, -1), 1.0, 0.2)
    dark = shading.shade(replace(where, visibility=np.zeros(2, np.float32)), maps, light_)
    lit = shading.shade(where, maps, light_)
    assert (dark < 0.6 * lit).all()
    np.testing.assert_allclose(dark, shading.shade(where, maps, lit_from((0, -0.3, -1), 0.0, 0.2)), rtol=1e-5)


def test_values_a_little_out_of_range_do_no_harm(maps: Maps) -> None:
    where = samples(facing(0, 40), Part.SKIN)
    odd = replace(
        where, occlusion=np.array([-1e-6, 1.00001], np.float32), visibility=np.array([1.00001, -1e-6], np.float32)
    )
    assert np.isfinite(shading.shade(odd, maps, lit_from((0, -0.3, -1)))).all()


def test_skin_reflects_less_than_it_receives(maps: Maps) -> None:
    # under even light from everywhere a surface cannot be brighter than that light (its sheen aside)
    value = shading.shade(samples(facing(0, 30), Part.SKIN), maps, lit_from((0, 0, -1), 0.0, 1.0))
    assert (value < 1.05).all()


def test_the_terminator_of_skin_is_red(maps: Maps) -> None:
    # just past the shadow's line only scattered light is left, and that is mostly red
    lit, edge = shading.shade(samples(facing(0, 97), Part.SKIN), maps, lit_from((0, 0, -1), 1.0))
    assert edge[0] / max(edge[2], 1e-9) > lit[0] / lit[2]


def test_irradiance_of_even_light_is_even() -> None:
    normals = np.random.default_rng(0).normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    even = np.zeros(9)
    even[0] = 0.7
    np.testing.assert_allclose(light.basis(normals) @ even, 0.7)


def test_lights_are_repeatable_and_various() -> None:
    one, again = Light.from_seed(5), Light.from_seed(5)
    np.testing.assert_array_equal(one.harmonics, again.harmonics)
    np.testing.assert_array_equal(one.key.direction, again.key.direction)
    sides = {float(np.sign(Light.from_seed(seed).key.direction[0])) for seed in range(20)}
    assert sides == {-1.0, 1.0}
    for seed in range(20):
        lamp = Light.from_seed(seed)
        np.testing.assert_allclose(np.linalg.norm(lamp.direction), 1.0, rtol=1e-6)
        assert lamp.direction[1] < 0.0  # from above
        assert lamp.direction[2] < 0.0  # from the camera's side


def test_colour_transform_is_undone() -> None:
    code = np.linspace(0, 1, 101)
    np.testing.assert_allclose(to_srgb(to_linear(code)), code, atol=1e-12)


def test_the_film_curve_rises_and_stays_in_range() -> None:
    developed = develop(np.linspace(0.0, 20.0, 500))
    assert (np.diff(developed) >= 0.0).all()
    assert developed[0] == 0.0
    assert developed[-1] <= 1.0


def test_the_eye_has_a_dark_pupil_a_coloured_iris_and_a_white() -> None:
    painted = eyes.paint(Identity.from_settings(1, {"iris_colour": (0.2, 0.4, 0.7)}), 256, 128)

    def ring(degrees: float) -> np.ndarray:
        around = np.linspace(0, 2 * np.pi, 90)
        a = np.radians(degrees)
        direction = np.stack([np.sin(a) * np.cos(around), np.sin(a) * np.sin(around), np.full(90, np.cos(a))], 1)
        return np.asarray(painted.at(direction.astype(np.float32)).mean(0))

    pupil, iris, white = ring(3.0), ring(18.0), ring(45.0)
    assert pupil.max() < 0.03
    assert iris[2] > iris[0]
    assert white.min() > 2.0 * iris.mean()
