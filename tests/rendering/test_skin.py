"""Skin is painted from the identity alone: repeatable, skin-coloured, and each trait shows where it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.rendering import anatomy, atlas, skin
from stages.rendering.head import HEAD_FILE, HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head, Part
from stages.rendering.skin import SkinMaps

REPOSITORY = Path(__file__).parents[2]
SIZE = 192
PLAIN = {
    "skin_melanin": 0.3, "blotch": 0.0, "freckles": 0.0, "moles": 0, "wrinkles": 0.05, "dark_circles": 0.0,
    "beard_style": "none", "hair_style": "bald", "eyeliner": 0.0, "masculinity": 0.1, "brow_density": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def head() -> Head:
    return HeadBasis.load(REPOSITORY / HEAD_FILE).build(Identity.from_seed(0))


def painted(head: Head, **fields: object) -> SkinMaps:
    return skin.paint(Identity.from_settings(2, PLAIN | fields), head, SIZE)


def colour_at(maps: SkinMaps, head: Head, x: float, y: float, radius: float = 0.7) -> np.ndarray:
    """Mean albedo near a point of the face frame, on the front of the head."""
    places = anatomy.face_frame(head.rest)
    front = np.zeros(len(places), bool)
    front[head.faces[np.isin(head.parts, (Part.SKIN, Part.LIPS))]] = True
    front[head.faces[np.isin(head.parts, (Part.MOUTH, Part.TEETH))]] = False
    near = front & (np.hypot(places[:, 0] - x, places[:, 1] - y) < radius) & (places[:, 2] > 1.0)
    xy = (atlas.to_atlas(head.uv[near]) * SIZE).astype(int)
    return np.asarray(maps.colour[xy[:, 1], xy[:, 0], :3].mean(0))


def test_same_identity_same_bytes(head: Head) -> None:
    one, two = painted(head), painted(head)
    np.testing.assert_array_equal(one.colour, two.colour)
    np.testing.assert_array_equal(one.relief, two.relief)


def test_maps_are_finite_and_in_range(head: Head) -> None:
    maps = painted(head, freckles=1.0, moles=8, wrinkles=1.0, beard_style="full", blotch=1.0)
    assert maps.colour.shape == maps.relief.shape == (SIZE, SIZE, 4)
    assert np.isfinite(maps.colour).all()
    assert np.isfinite(maps.relief).all()
    assert maps.colour.min() > 0.0
    assert maps.colour.max() < 1.0
    assert np.linalg.norm(maps.relief[..., :3], axis=2).max() < 1.0


@pytest.mark.parametrize("melanin", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_every_tone_is_a_skin_colour(head: Head, melanin: float) -> None:
    red, green, blue = colour_at(painted(head, skin_melanin=melanin), head, 4.0, -3.0)
    assert red > green > blue


def test_melanin_darkens(head: Head) -> None:
    tones = [colour_at(painted(head, skin_melanin=m), head, 0.0, 4.0).mean() for m in (0.0, 0.4, 0.8)]
    assert tones[0] > 1.3 * tones[1] > 1.6 * tones[2]


def test_redness_reddens(head: Head) -> None:
    pale, ruddy = (colour_at(painted(head, skin_redness=r), head, 4.0, -3.0) for r in (0.0, 1.0))
    assert ruddy[1] / ruddy[0] < pale[1] / pale[0]


def test_lips_have_their_own_colour(head: Head) -> None:
    maps = painted(head, lip_colour=(0.7, 0.1, 0.2))
    lips, cheek = colour_at(maps, head, 0.0, -7.2, 0.3), colour_at(maps, head, 4.0, -3.0)
    assert lips[1] / lips[0] < 0.6 * cheek[1] / cheek[0]


def test_a_beard_darkens_the_chin_and_not_the_forehead(head: Head) -> None:
    bare, bearded = painted(head), painted(head, beard_style="full", beard_density=1.0, beard_colour=(0.1, 0.08, 0.06))
    assert colour_at(bearded, head, 0.0, -9.5).mean() < 0.8 * colour_at(bare, head, 0.0, -9.5).mean()
    np.testing.assert_allclose(colour_at(bearded, head, 0.0, 4.0), colour_at(bare, head, 0.0, 4.0), rtol=1e-5)


@pytest.mark.parametrize(
    ("field", "value"), [("freckles", 1.0), ("moles", 12), ("wrinkles", 1.0), ("dark_circles", 1.0)]
)
def test_traits_change_the_map(head: Head, field: str, value: float) -> None:
    bare, marked = painted(head), painted(head, **{field: value})
    changed = np.abs(marked.colour[..., :3] - bare.colour[..., :3]).max(2) > 0.01
    assert 0.0001 < changed.mean() < 0.6


def test_atlas_is_undone_by_its_inverse() -> None:
    rng = np.random.default_rng(0)
    face = np.stack([rng.uniform(0.66, 0.99, 500), rng.uniform(0.16, 0.78, 500)], 1).astype(np.float32)
    np.testing.assert_allclose(atlas.from_atlas(atlas.to_atlas(face)), face, atol=2e-6)
