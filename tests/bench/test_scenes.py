"""The named scenes: the right answer differs from the target in the face alone, and each has its difficulty."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from stages.bench.answers import FACE, face_alone, figures, fine, near_hair, toned
from stages.bench.playing import Picture, Swapped, coded_takes
from stages.bench.quality import ANSWERS, FINISH, chosen, table_of
from stages.bench.reel import as_filmed, facts_of
from stages.bench.scenes import SCENES, NamedScene, Take, lit, shoot
from stages.compositing.settings import ColourSettings
from stages.problems import Problem
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import COVERS, Part

BALD = {"hair_style": "bald", "beard_style": "none"}
BEN, ADA = Identity.from_settings(5, BALD), Identity.from_settings(12, BALD)
BY_NAME = {scene.name: scene for scene in SCENES}


def first(scene: NamedScene) -> Take:
    return next(iter(shoot(scene, BEN, ADA, height=120, width=160)))


def test_the_right_answer_is_another_face_in_the_same_picture() -> None:
    take = first(BY_NAME["glasses"])
    backgrounds = (take.target_parts == Part.BACKGROUND) & (take.truth_parts == Part.BACKGROUND)
    # light, camera, backdrop and noise are the same; the lens spreads a little of what lies beside
    apart = np.abs(take.target.astype(int) - take.truth).max(axis=2)
    assert np.median(apart[backgrounds]) == 0
    face = (take.target_parts == Part.SKIN) & (take.truth_parts == Part.SKIN)
    assert apart[face].mean() > 5
    frames = [np.isin(parts, COVERS) for parts in (take.target_parts, take.truth_parts)]
    assert frames[0].sum() > 20
    assert (frames[0] & frames[1]).sum() / (frames[0] | frames[1]).sum() > 0.6


def test_every_scene_has_a_name_of_its_own_and_a_few_seconds() -> None:
    assert len(BY_NAME) == len(SCENES)
    assert all(0.5 <= scene.seconds <= 3.0 for scene in SCENES)


def test_a_slow_shutter_smears_what_moves_and_nothing_else() -> None:
    still = replace(BY_NAME["plain"], seconds=0.4, turn=(0.0, 0.0))
    sharp, smeared = (first(replace(still, turn=(-60.0, 60.0), shutter=shutter)) for shutter in (0.0, 0.9))

    def detail(take: Take) -> float:
        face = np.isin(take.target_parts, (Part.SKIN, Part.EYE, Part.LIPS))
        rows, columns = np.nonzero(face)
        grey = take.target[rows.min() : rows.max(), columns.min() : columns.max()].mean(axis=2)
        return float(np.abs(np.diff(grey, axis=1)).mean())

    assert detail(smeared) < 0.9 * detail(sharp)


def test_whoever_passes_by_is_behind_the_player_and_in_the_answer_too() -> None:
    scene = replace(BY_NAME["passer-by"], seconds=0.2)
    alone, passed = (list(shoot(replace(scene, passer=who), BEN, ADA, height=120, width=160)) for who in (None, 41))
    middle = len(passed) // 2
    for at in range(len(passed)):
        np.testing.assert_array_equal(alone[at].target_parts, passed[at].target_parts)
        own = passed[at].target_parts != Part.BACKGROUND
        own = cv2.erode(own.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
        assert (np.abs(alone[at].target[own].astype(int) - passed[at].target[own]).max(axis=1) > 2).mean() < 0.005
    behind = [
        np.abs(one.target.astype(int) - two.target).sum(axis=2) > 30 for one, two in zip(alone, passed, strict=True)
    ]
    assert behind[middle].mean() > 0.01
    across = [np.flatnonzero(each.any(axis=0)).mean() for each in (behind[1], behind[-2])]
    assert across[0] < 60 < 100 < across[1]
    take = passed[1]
    both = (take.target_parts == Part.BACKGROUND) & (take.truth_parts == Part.BACKGROUND)
    both = cv2.erode(both.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    # single pixels differ, since strands of hair are thinner than those
    assert (np.abs(take.target[both].astype(int) - take.truth[both]).max(axis=1) > 2).mean() < 0.005
    assert (behind[1] & both).sum() > 100
    seen = np.abs(take.truth.astype(int) - alone[1].truth).sum(axis=2) > 30
    assert (seen & behind[1] & both).sum() > 0.9 * (behind[1] & both).sum()


def test_a_compressed_clip_and_its_answers_have_been_films(tmp_path: Path) -> None:
    takes = list(shoot(replace(BY_NAME["plain"], seconds=0.12), BEN, ADA, height=120, width=160))
    coded, light = (coded_takes(takes, tmp_path, crf) for crf in (40, 10))
    assert len(coded) == len(takes) == 3
    for name in ("target", "truth", "same_skin"):
        apart = [
            np.mean(
                [
                    np.abs(getattr(a, name).astype(int) - getattr(b, name)).mean()
                    for a, b in zip(takes, way, strict=True)
                ]
            )
            for way in (light, coded)
        ]
        assert 0 < apart[0] < 2.0 < apart[1] < 12.0
    np.testing.assert_array_equal(coded[0].target_parts, takes[0].target_parts)


def test_the_right_answer_can_show_no_more_colour_than_the_clip() -> None:
    chance = np.random.default_rng(0)
    noise = np.clip(128 + chance.normal(0, 20, (64, 64, 3)), 0, 255).astype(np.uint8)
    shown = as_filmed(noise, facts_of(64, 64, 25))
    smooth = np.full((64, 64, 3), (150, 120, 90), np.uint8)
    np.testing.assert_allclose(as_filmed(smooth, facts_of(64, 64, 25)).astype(int), smooth, atol=2)
    before, after = ((picture[..., 2].astype(float) - picture[..., 1]).std() for picture in (noise, shown))
    assert after < 0.7 * before


def test_fine_structure_is_that_of_the_face_alone_over_the_right_answers() -> None:
    chance = np.random.default_rng(0)
    face = np.zeros((64, 64), bool)
    face[8:56, 8:56] = True
    rough = np.where(face, 8, 40)[..., None] * chance.normal(size=(64, 64, 1))
    picture = np.repeat(np.clip(128 + rough, 0, 255), 3, axis=2).astype(np.uint8)
    flat = np.full((64, 64, 3), 128, np.uint8)
    assert fine(flat, face) == 0.5
    assert fine(picture, face) == pytest.approx(0.5 + 0.93 * 8, rel=0.1)
    scene = BY_NAME["plain"]
    take = first(scene)
    soft = cv2.GaussianBlur(take.truth, (0, 0), 2.0)
    told = [
        figures(scene, played(scene, take, each), ColourSettings(method="none"))["fine"] for each in (soft, take.truth)
    ]
    assert float(told[0]) < 0.75
    assert told[1] == 1.0


def test_a_swept_light_goes_round_and_keeps_its_height() -> None:
    scene, light = BY_NAME["hard-light"], Light.from_seed(3)
    before, after = lit(light, scene, 0.0), lit(light, scene, 1.0)
    assert before.key.direction[1] == pytest.approx(after.key.direction[1])
    flat = [np.arctan2(each.key.direction[0], each.key.direction[2]) for each in (before, after)]
    assert abs(np.degrees(np.angle(np.exp(1j * (flat[1] - flat[0]))))) == pytest.approx(110.0, abs=0.5)
    assert (before.fill.colour < light.fill.colour).all()


def test_toning_moves_the_answers_colours_to_the_targets_and_keeps_what_it_shows() -> None:
    rng = np.random.default_rng(0)
    drawing = rng.uniform(0.8, 1.0, (40, 40, 1))
    pale, tan = (np.rint(255 * drawing * colour).astype(np.uint8) for colour in ([0.9, 0.75, 0.7], [0.6, 0.4, 0.3]))
    whole = np.ones((40, 40), bool)
    full = toned(pale, tan, whole, ColourSettings(strength=1.0))
    assert np.abs(full.astype(int) - tan).mean() < 2.0
    np.testing.assert_array_equal(toned(pale, tan, whole, ColourSettings(method="none")), pale)


def played(scene: NamedScene, take: Take, finished: Picture) -> Swapped:
    """One frame of a scene, composited alike in all ways."""
    unit = [1.0 / 160, 0.0, 0.0, 0.0, 1.0 / 160, 0.0]
    table = pd.DataFrame({"frame": [0], "shot": [0], "landmarks": [np.pad(take.landmarks, ((0, 0), (0, 1))).ravel()]})
    replaced = (finished != take.target).any(axis=2)
    hidden = np.stack([replaced, replaced])[None]
    return Swapped([take], [take.target], table.assign(transform=[unit]), [finished], [finished], hidden)


def test_what_is_painted_beside_the_face_counts_as_spilled() -> None:
    scene = BY_NAME["plain"]
    take = first(scene)
    finished = take.target.copy()
    faces, beside = (np.argwhere(take.target_parts == part) for part in (Part.SKIN, Part.BACKGROUND))
    for y, x in [*faces[:300], *beside[:100]]:
        finished[y, x] = 255 - finished[y, x] // 2
    assert figures(scene, played(scene, take, finished), ColourSettings())["spilled"] == pytest.approx(0.25)


def test_the_oracle_is_better_than_the_target_and_the_answer_in_the_targets_skin_is_that_persons() -> None:
    scene = BY_NAME["plain"]
    take = first(scene)
    found = figures(scene, played(scene, take, take.target), ColourSettings())
    assert found["psnr"] == found["copied"]
    assert float(found["oracle"]) > float(found["copied"]) + 3.0
    skin = (take.target_parts == Part.SKIN) & (take.truth_parts == Part.SKIN)
    means = [picture[skin].mean(axis=0) for picture in (take.target, take.truth, take.same_skin)]
    assert np.abs(means[2] - means[0]).max() < 0.5 * np.abs(means[1] - means[0]).max()
    perfect = figures(scene, played(scene, take, take.same_skin), ColourSettings())
    assert perfect["same_skin"] == 100.0


@pytest.mark.parametrize(("spoilt", "parts"), [("mouth", (Part.LIPS, Part.TEETH, Part.MOUTH)), ("eyes", (Part.EYE,))])
def test_a_wrong_mouth_or_eye_is_told_where_it_is(spoilt: str, parts: tuple[Part, ...]) -> None:
    scene = BY_NAME["plain"]
    take = first(scene)
    settings = ColourSettings(method="none")
    finished = take.truth.copy()
    place = np.isin(take.truth_parts, parts)
    finished[place] = np.random.default_rng(0).integers(0, 256, (place.sum(), 3), np.uint8)
    good = figures(scene, played(scene, take, take.truth), settings)
    bad = figures(scene, played(scene, take, finished), settings)
    (other,) = {"mouth", "eyes"} - {spoilt}
    assert good["mouth"] == good["eyes"] == good["ssim"] == pytest.approx(1.0)
    assert float(bad[spoilt]) < 0.6
    assert float(bad[other]) > 0.95
    assert float(bad["ssim"]) > float(bad[spoilt]) + 0.3


def test_of_things_hair_beside_them_does_not_count() -> None:
    take = first(BY_NAME["glasses"])
    rows = np.flatnonzero(np.isin(take.target_parts, COVERS).any(axis=1))
    take.target_parts[rows[0] - 1 : rows[0] + 1] = Part.HAIR  # a strand that lies along the frame
    painted = 255 - take.target // 2
    clear = ~near_hair(take.target_parts)
    kept = np.isin(take.target_parts, COVERS) & clear
    finished = np.where(kept[..., None], take.target, painted)
    made = played(BY_NAME["glasses"], take, finished)
    made = replace(made, hidden=np.stack([np.ones_like(kept), ~kept])[None])
    found = figures(BY_NAME["glasses"], made, ColourSettings())
    assert found["things"] == 1.0
    assert float(found["kept"]) < 0.9
    assert np.isnan(float(figures(BY_NAME["fringe"], made, ColourSettings())["things"]))


def test_a_face_that_is_wholly_covered_has_no_quality_and_counts_for_what_is_kept() -> None:
    scene = BY_NAME["hand"]
    take = first(scene)
    take.target_parts[np.isin(take.target_parts, FACE)] = Part.HAND
    found = figures(scene, played(scene, take, take.target), ColourSettings())
    assert np.isnan([float(found[name]) for name in ("psnr", "ssim", "worst", "same_skin")]).all()
    assert found["lost"] == 0.0


def test_what_lies_near_hair_is_not_measured() -> None:
    parts = np.full((20, 20), Part.SKIN, np.uint8)
    parts[:, 10] = Part.HAIR
    parts[0] = Part.BACKGROUND
    alone = face_alone(parts)
    assert np.flatnonzero(alone[5]).tolist() == [*range(8), *range(13, 20)]
    assert not alone[0].any()
    assert alone[1, :8].all()


def test_scenes_are_chosen_by_name_and_a_wrong_one_is_told() -> None:
    assert [scene.name for scene in chosen("hand, glasses")] == ["glasses", "hand"]
    assert len(list(chosen(""))) == len(SCENES)
    with pytest.raises(Problem, match="there is no scene 'glases'"):
        chosen("glases")


def test_the_tables_leave_empty_what_a_scene_does_not_ask() -> None:
    row: dict[str, float | str] = {name: 0.5 for name, _ in (*ANSWERS.values(), *FINISH.values())}
    row |= {"scene": "plain", "psnr": 29.996, "lag": float("nan"), "kept": float("nan")}
    other = {**row, "scene": "hand", "psnr": 24.0, "kept": 0.9}
    first_table = table_of([row, other], ANSWERS).splitlines()
    assert first_table[2] == "| plain | 30.00 | 0.50 | 0.500 | 0.500 | 0.500 | 0.50 | 0.50 | 0.50 | 0.50 |"
    assert first_table[-1].startswith("| mean | 27.00 |")
    second = table_of([row, other], FINISH).splitlines()
    assert second[2] == "| plain |  | 0.500 | 50.00% | 50.00% | 50% | 0.50 | 0.50 | 0.50 |  | +0.50 | 0.50 |"
    assert second[-1].startswith("| mean | 0.900 |")
