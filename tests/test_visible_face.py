"""The shipped network on a performer that no training has shown it."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages import geometry
from stages.alignment.canonical_crop import fit
from stages.artifacts.files import sha256_of
from stages.artifacts.visibility import SIZE
from stages.compositing.occlusion import kept_free
from stages.packs import Landmarker, open_pack
from stages.packs.canonical import read_canonical
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.landmarks import five_points
from stages.rendering.light import Light
from stages.rendering.mesh import Part
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Picture, Sensor
from stages.visible_face import NETWORK, PLACE, VisibleFace

Crop = NDArray[np.uint8]


def aligned(style: str) -> tuple[Picture, NDArray[np.float32], NDArray[np.float64]]:
    """A rendered performer with a hairstyle, the dense landmarks (478, 3), and frame pixels to unit crop."""
    performer = Performer(Identity.from_settings(3, {"hair_style": style}), HeadBasis.load())
    pose = Pose(yaw=12.0, position=(0.0, 3.0, 75.0))
    rng = np.random.default_rng(0)
    picture = performer.render(pose, Camera(240, 240, 480.0), Light.from_seed(5), backdrop(5, 240, 240), Sensor(), rng)
    pack = open_pack()
    points, _ = Landmarker(pack, device="cpu", threads=1).refine(picture.rgb, five_points(picture.landmarks)[None])
    return picture, points[0], fit(points[0], read_canonical(pack.files["canonical_face"]))


@pytest.fixture(scope="module")
def face() -> tuple[Crop, NDArray[np.bool_]]:
    """A bare face, (SIZE, SIZE, 3), and the inside of its landmarks' hull."""
    picture, points, transform = aligned("bald")
    inside = np.zeros((SIZE, SIZE), np.uint8)
    corners = cv2.convexHull(geometry.apply(transform, points[:, :2]).astype(np.float32) * SIZE)[:, 0]
    cv2.fillConvexPoly(inside, np.round(corners).astype(np.int32), 1)
    return geometry.crop(picture.rgb, transform, SIZE), cv2.erode(inside, np.ones((7, 7), np.uint8)) > 0


def test_a_bare_face_is_left_whole(face: tuple[Crop, NDArray[np.bool_]]) -> None:
    crop, inside = face
    free = kept_free(VisibleFace.open().look(crop[None])[0], SIZE)
    assert (free[inside] > 0.99).mean() > 0.99


def test_a_bar_across_the_cheek_is_seen_and_the_rest_of_the_face_too(face: tuple[Crop, NDArray[np.bool_]]) -> None:
    crop, inside = face
    barred = crop.copy()
    barred[74:92] = (40, 90, 160)
    free = kept_free(VisibleFace.open().look(barred[None])[0], SIZE)
    assert (free[76:90][inside[76:90]] < 0.5).mean() > 0.8
    assert (free[40:66][inside[40:66]] > 0.5).mean() > 0.95


def test_several_faces_at_once_are_seen_as_each_alone(face: tuple[Crop, NDArray[np.bool_]]) -> None:
    crop, _ = face
    other = np.ascontiguousarray(crop[:, ::-1])
    network = VisibleFace.open()
    both = network.look(np.stack([crop, other]))
    assert both.shape == (2, SIZE, SIZE)
    for one, alone in zip(both, (crop, other), strict=True):
        np.testing.assert_allclose(one, network.look(alone[None])[0], atol=1e-5)


def test_its_facts_name_these_weights() -> None:
    facts = json.loads((PLACE / "facts.json").read_text())
    assert facts["sha256"] == sha256_of(PLACE / NETWORK)
    assert facts["recipe"]["input_size"] == SIZE
    assert "cup" in facts["recipe"]["unseen"]
    assert "cup" not in facts["recipe"]["kinds"]


def test_hair_and_background_beside_a_face_are_told_from_it() -> None:
    picture, _, transform = aligned("bun")

    def shows(*parts: Part) -> NDArray[np.uint8]:
        there = np.where(np.isin(picture.parts, parts), 255, 0).astype(np.uint8)
        return (geometry.crop(np.repeat(there[..., None], 3, axis=2), transform, SIZE)[..., 0] > 127).astype(np.uint8)

    seen = VisibleFace.open().look(geometry.crop(picture.rgb, transform, SIZE)[None])[0] >= 0.5
    inside = shows(Part.SKIN, Part.LIPS, Part.EYE, Part.BROWS, Part.LASHES)
    beside = (cv2.dilate(inside, np.ones((17, 17), np.uint8)) > 0) & (
        cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0
    )
    assert seen[cv2.erode(inside, np.ones((5, 5), np.uint8)) > 0].mean() > 0.95
    # training asks of hair; of what lies behind a face it never did
    for part, told in ((Part.HAIR, 0.85), (Part.BACKGROUND, 0.75)):
        there = beside & (shows(part) > 0)
        assert there.sum() > 50
        assert (~seen[there]).mean() > told, part
