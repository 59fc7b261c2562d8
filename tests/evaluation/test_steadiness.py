"""Flicker, trembling and the seam, on pictures whose faults are put in."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.evaluation.flow import Motion, face_box
from stages.evaluation.performance import second_difference
from stages.evaluation.seam import seam_energy

Picture = NDArray[np.uint8]
SIZE = 200
WHOLE = (0, 0, SIZE, SIZE)
INSIDE = np.zeros((SIZE, SIZE), bool)
INSIDE[30:-30, 30:-30] = True


def moved(x: int, y: int) -> Picture:
    """A portrait (Eileen Collins, NASA, public domain), shifted."""
    return np.ascontiguousarray(skimage.data.astronaut()[20 + y : 20 + y + SIZE, 120 + x : 120 + x + SIZE])


class TestFlicker:
    before, now = moved(0, 0), moved(4, 2)

    def error(self, before: Picture, now: Picture) -> float:
        return Motion.between(self.before, self.now, WHOLE).error(before, now, INSIDE)

    def test_motion_alone_is_no_flicker(self) -> None:
        still = float(np.mean(np.square(self.now[INSIDE].astype(float) - self.before[INSIDE])))
        assert self.error(self.before, self.now) < 0.05 * still

    def test_another_face_that_moves_alike_flickers_no_more(self) -> None:
        """The flow is the target's; the swap has other colours and follows it."""
        recoloured = [(255 - each // 2).astype(np.uint8) for each in (self.before, self.now)]
        assert self.error(*recoloured) < self.error(self.before, self.now)

    @given(flash=st.integers(5, 40))
    @hypothesis_settings(max_examples=10, deadline=None)
    def test_a_flash_is_seen_as_its_square(self, flash: int) -> None:
        brighter = (self.now // 2 + flash).astype(np.uint8)
        dimmed = (self.before // 2).astype(np.uint8)
        assert self.error(dimmed, brighter) == pytest.approx(flash**2, rel=0.35)

    def test_what_comes_from_behind_is_not_counted(self) -> None:
        """A square that passes uncovers other background: no flow leads to where that was."""
        texture = np.random.default_rng(0).integers(0, 255, (SIZE // 4, SIZE // 4, 3)).astype(np.uint8)
        wall = texture.repeat(4, axis=0).repeat(4, axis=1)
        frames = []
        for x in (60, 76):
            frame = wall.copy()
            frame[60:140, x : x + 80] = wall[100:180, 100:180]
            frames.append(frame)
        motion = Motion.between(frames[0], frames[1], WHOLE)
        uncovered = np.zeros((SIZE, SIZE), bool)
        uncovered[70:130, 62:74] = True
        assert motion.seen[uncovered].mean() < 0.5
        assert motion.seen[INSIDE & ~uncovered].mean() > 0.7

    def test_large_faces_are_looked_at_smaller(self) -> None:
        large = np.zeros((700, 900, 3), np.uint8)
        motion = Motion.between(large, large, (50, 50, 850, 650))
        assert (motion.width, motion.height) == (256, 192)
        assert motion.error(large, large, np.ones((700, 900), bool)) == 0.0

    def test_the_box_holds_the_face_at_every_moment(self) -> None:
        transforms = [np.array([[1 / 50, 0, -x / 50], [0, 1 / 50, -20 / 50]]) for x in (10, 40)]
        assert face_box(transforms, 200, 200) == (10, 20, 90, 70)
        assert face_box([np.array([[1 / 50, 0, 10.0], [0, 1 / 50, 0]])], 200, 100) == (0, 0, 200, 100)


class TestTrembling:
    landmarks = np.random.default_rng(0).uniform(0, 100, (478, 2))

    def test_steady_motion_has_none(self) -> None:
        step = np.array([3.0, -1.0])
        found = second_difference(self.landmarks, self.landmarks + step, self.landmarks + 2 * step)
        assert found == pytest.approx(0.0, abs=1e-20)

    def test_it_grows_with_the_square_of_the_noise(self) -> None:
        rng = np.random.default_rng(1)
        noise = rng.normal(size=(3, 478, 2))
        small, large = (second_difference(*(self.landmarks + size * noise)) for size in (0.1, 0.2))
        assert large == pytest.approx(4 * small, rel=0.05)


class TestSeam:
    target = moved(0, 0)
    face = np.hypot(*(np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2)) < 60
    size = float(np.sqrt(face.sum()))

    def energy(self, picture: Picture) -> float:
        return seam_energy(picture, self.target, self.face, self.size)

    def test_the_target_itself_has_no_seam(self) -> None:
        assert self.energy(self.target) == 1.0

    def test_a_face_pasted_with_a_hard_edge_shows(self) -> None:
        brighter = np.clip(self.target.astype(int) + 40, 0, 255).astype(np.uint8)
        assert self.energy(np.where(self.face[..., None], brighter, self.target)) > 1.3

    def test_the_same_face_with_a_soft_edge_hardly_does(self) -> None:
        depth = np.clip((60 - np.hypot(*(np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2))) / 12, 0, 1)[..., None]
        soft = np.clip(self.target + 40 * depth, 0, 255).astype(np.uint8)
        hard = np.where(self.face[..., None], np.clip(self.target.astype(int) + 40, 0, 255), self.target)
        assert abs(self.energy(soft) - 1) < 0.4 * abs(self.energy(hard.astype(np.uint8)) - 1)

    def test_what_differs_only_away_from_the_edge_is_no_seam(self) -> None:
        inner = np.hypot(*(np.mgrid[0:SIZE, 0:SIZE] - SIZE / 2)) < 20
        assert self.energy(np.where(inner[..., None], 255, self.target).astype(np.uint8)) == 1.0

    def test_nothing_replaced_is_no_figure(self) -> None:
        assert np.isnan(seam_energy(self.target, self.target, np.zeros_like(self.face), self.size))
