"""Hair grows where its style says, outside the head, repeatably, and every style gives a mesh that can be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from stages.rendering import anatomy, beards, brows, hair
from stages.rendering.hair import Growth
from stages.rendering.head import HEAD_FILE, HeadBasis
from stages.rendering.identity import BeardStyle, HairStyle, Identity
from stages.rendering.mesh import F32, Hair, Head
from stages.rendering.strands import Surface

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def head() -> Head:
    return HeadBasis.load(REPOSITORY / HEAD_FILE).build(Identity.from_seed(3))


def grown(head: Head, **fields: object) -> Hair:
    found = hair.grow(Identity.from_settings(3, {"hair_style": "bald", "beard_style": "none"} | fields), head, 0.3)
    assert found is not None
    return found


def of(kind: Growth, found: Hair) -> F32:
    return np.asarray(found.positions[np.minimum((found.uv[:, 1] * 4).astype(int), 3) == kind])


@pytest.mark.parametrize("style", get_args(HairStyle))
def test_every_style_gives_a_sound_mesh(head: Head, style: str) -> None:
    found = grown(head, hair_style=style)
    for array in (found.positions, found.normals, found.tangents, found.uv, found.shade):
        assert np.isfinite(array).all()
    assert found.faces.min() >= 0
    assert found.faces.max() < len(found.positions)
    assert found.bind.max() < len(head.positions)
    assert ((found.uv >= 0.0) & (found.uv <= 1.0)).all()
    assert ((found.shade >= 0.0) & (found.shade <= 1.0)).all()
    np.testing.assert_allclose(np.linalg.norm(found.normals, axis=1), 1.0, atol=1e-3)
    assert (len(of(Growth.SCALP, found)) == 0) == (style == "bald")


def test_same_identity_same_hair(head: Head) -> None:
    one, two = grown(head, hair_style="curly"), grown(head, hair_style="curly")
    np.testing.assert_array_equal(one.positions, two.positions)


@pytest.mark.parametrize("style", ["short", "parted", "bob", "buzz"])
def test_hair_stays_outside_the_head(head: Head, style: str) -> None:
    points = of(Growth.SCALP, grown(head, hair_style=style)).astype(np.float64)
    outside, _ = Surface(head).outward(points)
    assert np.quantile(outside, 0.02) > -0.25


def test_hair_leaves_the_face_free(head: Head) -> None:
    for style in ("bun", "bob", "short"):
        points = of(Growth.SCALP, grown(head, hair_style=style))
        nose = head.positions[np.argmin(np.abs(anatomy.face_frame(head.rest) - [0.0, -3.4, 4.4]).sum(1))]
        assert np.linalg.norm(points - nose, axis=1).min() > 3.0


def test_brows_lie_above_the_eyes_on_both_sides(head: Head) -> None:
    points = of(Growth.BROW, grown(head))
    for eye in head.eyes:
        side = points[np.sign(points[:, 0]) == np.sign(eye.centre[0])]
        assert len(side) > 100
        assert side[:, 1].mean() > eye.centre[1] + 0.5 * eye.radius


def test_brow_thickness_widens_the_mask(head: Head) -> None:
    places = anatomy.face_frame(head.rest)
    thin, thick = (brows.brow_mask(Identity.from_settings(3, {"brow_thickness": t}), places).sum() for t in (0.0, 1.0))
    assert thick > 1.5 * thin


@pytest.mark.parametrize("style", get_args(BeardStyle))
def test_beards_grow_below_the_nose_only(head: Head, style: str) -> None:
    strands = beards.grow(Identity.from_settings(3, {"beard_style": style}), head, 0.3)
    if style == "none":
        assert strands is None
        return
    assert strands is not None
    nose = head.positions[np.argmin(np.abs(anatomy.face_frame(head.rest) - [0.0, -4.9, 3.4]).sum(1))]
    roots = strands.paths[:, 0]
    front = np.abs(roots[:, 0]) < 2.0
    assert (roots[front, 1] < nose[1] + 0.5).all()


def test_lashes_begin_at_the_eyes(head: Head) -> None:
    strands = brows.lashes(Identity.from_seed(3), head)
    assert strands is not None
    roots = strands.paths[:, 0]
    nearest = np.min([np.linalg.norm(roots - eye.centre, axis=1) / eye.radius for eye in head.eyes], axis=0)
    assert (nearest < 1.6).all()
    assert (strands.paths[:, -1, 2] > roots[:, 2]).mean() > 0.9
