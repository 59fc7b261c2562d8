"""Scenes: everyone plays the same one, in one crop, and again to the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.base import footage
from stages.base.recipe import Recipe
from stages.base.scenes import identities, play
from stages.problems import Problem
from stages.training import checkpoint


def test_a_troupe_plays_every_scene_in_other_faces_and_the_same_place(recipe: Recipe, renders: Path) -> None:
    planes = footage.read(recipe, renders).planes
    assert planes.shape == (1, 4, 2, 6, 64, 64)
    faces, masks = planes[0, :, :, :3].astype(int), planes[0, :, :, 3] > 127
    for scene in range(4):
        one, other = masks[scene]
        assert (one & other).sum() / (one | other).sum() > 0.8  # one transform: the faces lie on each other
        both = one & other
        assert np.abs(faces[scene, 0] - faces[scene, 1])[:, both].mean() > 8  # but they are two people
        behind = ~(one | other)
        behind[8:] = behind[:, 8:-8] = False  # hair and shoulders differ too; the upper corners show the backdrop
        assert np.median(np.abs(faces[scene, 0] - faces[scene, 1])[:, behind]) < 8
    across = [np.abs(faces[0, who] - faces[scene, who]).mean() for who in range(2) for scene in range(1, 4)]
    assert min(across) > 3  # no scene is another one's copy


def test_scenes_are_played_again_to_the_same_bytes(recipe: Recipe, renders: Path) -> None:
    played, kept = play(recipe, 0), footage.read(recipe, renders)
    np.testing.assert_array_equal(played.planes, kept.planes[0])
    np.testing.assert_array_equal(played.places, kept.places[0])


def test_landmarks_lie_on_the_faces_they_are_of(recipe: Recipe, renders: Path) -> None:
    planes, places = (part[0] for part in footage.read(recipe, renders))
    for scene in range(recipe.scenes):
        for who in range(recipe.cast):
            x, y = (places[scene, who, [4, 9, 200]] * recipe.stored_size).astype(int).T  # nose, between brows, chin
            assert (planes[scene, who, 3, y, x] > 127).all()


def test_what_is_rendered_is_not_rendered_again(recipe: Recipe, renders: Path) -> None:
    path = footage.shard(renders, 0)
    before = path.stat().st_mtime_ns
    footage.render(recipe, renders, processes=1)
    assert path.stat().st_mtime_ns == before


def test_troupes_share_nobody_with_each_other_or_with_the_samples(recipe: Recipe) -> None:
    shipped = Recipe()
    everyone = [seed for troupe in range(shipped.troupes) for seed in identities(shipped, troupe)]
    assert len(set(everyone)) == shipped.troupes * shipped.cast
    assert not set(everyone) & {5, 12}  # ben and ada: what the demo measures was never rehearsed


def test_a_full_disk_is_told_with_its_mend(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:  # in the words of safetensors, which has no other way to tell
        raise checkpoint.SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    monkeypatch.setattr(footage, "play", lambda recipe, troupe: np.zeros((2, 2, 6, 64, 64), np.uint8))
    with pytest.raises(Problem, match="the disk is full"):
        footage._render_one(recipe, tmp_path, 0)
    assert list(tmp_path.iterdir()) == []
