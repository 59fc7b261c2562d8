"""What the network learns from: crops whose masks are exact, and what training never sees."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.rendering.occluders.covering import Covering, Kind
from stages.rendering.render import Performer
from stages.visibility import scenes
from stages.visibility.recipe import Recipe
from stages.visibility.scenes import Sitter, _covering, coverings, grimace, play

RECIPE = Recipe(
    performers=1, held_out=1, poses=1, kinds=("glasses", "fringe"), unseen=("cup",), frame_size=160, stored_size=64
)


def test_a_face_is_seen_bare_and_behind_each_thing_and_the_masks_say_where() -> None:
    seen = play(RECIPE, 0)
    assert seen.rgb.shape == (1, 3, 64, 64, 3)
    assert seen.face.shape == seen.cover.shape == (1, 3, 64, 64)
    hull = seen.hull[0] > 0
    bare, worn, fringe = ((seen.cover[0, look] > 127) & hull for look in range(3))
    assert worn.sum() > bare.sum() + 10
    assert fringe.sum() > bare.sum()
    # a pixel shows face, or what is before it, or neither, and never more than all of itself
    assert (seen.face.astype(int) + seen.cover).max() <= 255 + 2
    assert (seen.face[0, 0] > 127)[hull].mean() > 0.75
    # the same pose in the same light: what is not covered looks the same but for noise and cast shadow
    open_ = (seen.face[0, 0] > 250) & (seen.face[0, 1] > 250)
    assert np.median(np.abs(seen.rgb[0, 0].astype(int) - seen.rgb[0, 1])[open_]) < 8


def test_what_is_kept_from_training_is_seen_by_held_out_performers_only() -> None:
    assert ("cup",) not in coverings(RECIPE, 0)
    assert coverings(RECIPE, 1) == (*coverings(RECIPE, 0), ("cup",))


def test_of_a_thing_that_is_named_twice_there_are_two() -> None:
    twice = RECIPE.model_copy(update={"kinds": ("hand", "hand"), "unseen": ()})
    seen = play(twice, 0)
    assert seen.rgb.shape[1] == 3
    first, second = (seen.cover[0, look].astype(int) for look in (1, 2))
    assert (np.abs(first - second) > 127).sum() > 50


def test_hard_light_leaves_a_half_of_the_face_dark_and_covers_nothing() -> None:
    bare = RECIPE.model_copy(update={"kinds": (), "unseen": (), "seed": 1})
    even, hard = (play(bare.model_copy(update={"hard": share}), 0) for share in (0.0, 1.0))
    # the crop follows the landmarks, which light moves a little
    assert abs(float(even.cover.mean()) - float(hard.cover.mean())) < 3.0
    assert abs(float(even.face.mean()) - float(hard.face.mean())) < 3.0
    face = even.face[0, 0] > 250

    def sides(rgb: NDArray[np.uint8]) -> float:
        """How much lighter the lighter half of the face is than the darker one."""
        light = rgb.astype(np.float64).mean(-1)
        left, right = (light[:, half][face[:, half]].mean() for half in (slice(0, 32), slice(32, 64)))
        return float(max(left, right) / min(left, right))

    assert sides(hard.rgb[0, 0]) > 1.1 * sides(even.rgb[0, 0])


def test_glasses_and_hair_are_made_anew_for_each_pose_and_hands_for_each_performer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[str, ...]] = []

    def noted(kinds: tuple[Kind, ...], recipe: Recipe, performer: Performer, chance: np.random.Generator) -> Covering:
        made.append(kinds)
        return _covering(kinds, recipe, performer, chance)

    monkeypatch.setattr(scenes, "_covering", noted)
    update = {"kinds": ("hand", "glasses", "fringe"), "unseen": (), "poses": 2}
    seen = play(RECIPE.model_copy(update=update), 0)
    assert sorted(made) == [("fringe",)] * 2 + [("glasses",)] * 2 + [("hand",)]
    assert seen.rgb.shape[:2] == (2, 4)


def test_grimaces_are_bare_and_the_same_with_a_performer_who_sat_before() -> None:
    some = RECIPE.model_copy(update={"grimaces": 2})
    seen = grimace(some, 0)
    assert seen.rgb.shape == (2, 1, 64, 64, 3)
    hull = seen.hull > 0
    assert (seen.face[:, 0][hull] > 127).mean() > 0.6
    sitter = Sitter(some, 0)
    play(some, 0, sitter)
    again = grimace(some, 0, sitter)
    for one, other in zip(seen, again, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(seen.rgb[0, 0].astype(int) - seen.rgb[1, 0]).mean() > 5.0


def test_every_second_grimace_is_a_smile_with_parted_lips() -> None:
    chance = np.random.default_rng(0)
    drawn = [scenes._drawn(chance) for _ in range(200)]
    smiles = [each for each in drawn if each.get("smile", 0.0) >= 0.6 and each.get("lips", 0.0) >= 0.4]
    assert 80 <= len(smiles) <= 140
    assert {name for each in drawn for name in each} == set(scenes._GRIMACES)
