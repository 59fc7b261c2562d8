"""What comes before a face: where it lies, what its labels say, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.problems import Problem
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import COVERS, F64, I32, Part
from stages.rendering.occluders.covering import Covering, Kind
from stages.rendering.occluders.glasses import ridge_of
from stages.rendering.occluders.solids import box, tube, turned
from stages.rendering.performance import perform
from stages.rendering.posing import Pose
from stages.rendering.render import Performer, Picture, Sensor
from stages.rendering.scene import PerformanceSettings, read_performance
from stages.rendering.stage import render

SIZE = 160
CLEAN = Sensor(noise=0.0, shot=0.0, blur=0.0)
AHEAD = Pose(position=(0.0, 3.0, 75.0))


@pytest.fixture(scope="module")
def performer(identity: Identity, basis: HeadBasis) -> Performer:
    return Performer(identity, basis)


def shot(performer: Performer, covering: Covering | None = None, seconds: float = 0.0, pose: Pose = AHEAD) -> Picture:
    rng = np.random.Generator(np.random.PCG64(0))
    camera, behind = Camera(SIZE, SIZE, 2.0 * SIZE), backdrop(1, SIZE, SIZE)
    return performer.render(pose, camera, Light.from_seed(1), behind, CLEAN, rng, covering, seconds)


def covering(performer: Performer, kind: Kind, seed: int = 3) -> Covering:
    return Covering.of([(kind, seed)], performer.identity, performer.head, 4.0)


def at(picture: np.ndarray, point: np.ndarray) -> int:
    return int(picture[int(point[1]), int(point[0])])


def test_glasses_sit_on_the_nose_and_the_eyes_are_seen_through_them(performer: Performer) -> None:
    bare, worn = shot(performer), shot(performer, covering(performer, "glasses"))
    frame = worn.parts == Part.GLASSES
    rows, columns = np.nonzero(frame)
    eyes = worn.landmarks[[68, 69]]
    assert columns.min() < eyes[0, 0] - 5
    assert columns.max() > eyes[1, 0] + 5
    assert abs(rows.mean() - eyes[:, 1].mean()) < 8
    for eye in eyes:
        assert at(worn.parts, eye) == Part.EYE
        assert not np.array_equal(at(worn.rgb[..., 0], eye), at(bare.rgb[..., 0], eye)), "the panes mirror nothing"
    between = frame[:, int(eyes[:, 0].mean())]
    assert between.any(), "no bridge over the nose"


def test_glasses_turn_with_the_head(performer: Performer) -> None:
    worn = covering(performer, "glasses")
    turned_head = Pose(yaw=30.0, position=(0.0, 3.0, 75.0))
    straight, aside = shot(performer, worn), shot(performer, worn, pose=turned_head)
    for picture in (straight, aside):
        columns = np.nonzero(picture.parts == Part.GLASSES)[1]
        bridge = picture.landmarks[27, 0]
        assert columns.min() < bridge < columns.max()


@pytest.mark.parametrize(("kind", "label"), [("hand", Part.HAND), ("microphone", Part.OBJECT)])
def test_what_is_carried_is_before_the_face_at_its_times_and_labelled_to_the_pixel(
    performer: Performer, kind: Kind, label: Part
) -> None:
    carried = covering(performer, kind)
    assert carried.carried[0].busy
    bare, covered = shot(performer), shot(performer, carried, carried.carried[0].busy[0])
    before = np.isin(covered.parts, COVERS)
    assert (covered.parts == label).sum() > 100
    # nearer than what it covers, and everything beside it is labelled as it was
    hidden = before & (bare.depth > 0)
    assert (covered.depth[hidden] < bare.depth[hidden]).mean() > 0.98
    assert (covered.parts[~before] == bare.parts[~before]).mean() > 0.998
    np.testing.assert_array_equal(covered.landmarks, bare.landmarks)


def test_a_hand_goes_away_again(performer: Performer) -> None:
    carried = covering(performer, "hand")
    thing = carried.carried[0]
    away = thing.times[1] - 5.0
    assert not np.isin(shot(performer, carried, float(away)).parts, COVERS).any()


def test_a_fringe_hangs_over_the_brow_and_swings(performer: Performer) -> None:
    fringe = covering(performer, "fringe")
    bare, first, later = shot(performer), shot(performer, fringe, 0.0), shot(performer, fringe, 0.6)
    face = bare.parts == Part.SKIN
    over = face & (first.parts == Part.HAIR)
    assert over.sum() > 50
    assert np.nonzero(over)[0].mean() < bare.landmarks[30, 1], "it hangs below the nose"
    assert (first.parts != later.parts).any()


def test_glasses_sit_on_heads_whose_mesh_is_coarse_at_the_nose(basis: HeadBasis) -> None:
    heights = np.linspace(0.0, 3.0, 121)
    for seed in (2027, 5):
        head = basis.build(Identity.from_seed(seed))
        ridge = np.array([ridge_of(head, float(height)) for height in heights])
        assert ridge.min() > 0.0, "in front of the ears"
        assert np.abs(np.diff(ridge)).max() < 0.6, "without a leap from one height to the next"


@pytest.mark.parametrize("kind", ["glasses", "cup"])
def test_the_same_seed_gives_the_same_picture_and_another_another(performer: Performer, kind: Kind) -> None:
    one, again, other = (covering(performer, kind, seed) for seed in (3, 3, 4))
    moments = [c.carried[0].busy[0] if c.carried else 0.0 for c in (one, again, other)]
    pictures = [shot(performer, c, moment) for c, moment in zip((one, again, other), moments, strict=True)]
    np.testing.assert_array_equal(pictures[0].rgb, pictures[1].rgb)
    np.testing.assert_array_equal(pictures[0].parts, pictures[1].parts)
    assert (pictures[0].parts != pictures[2].parts).any()


def test_a_swaps_truth_wears_the_targets_glasses(identity: Identity) -> None:
    settings = read_performance(
        "one",
        {"performer": "ben", "seed": 2, "seconds": 0.4, "width": SIZE, "height": SIZE}
        | {"occluders": [{"kind": "glasses"}]},
    )
    other = Identity.from_settings(12, {"hair_style": "bald"})
    track = perform(settings.seed, settings.frames, settings.rate, settings.played())
    mine, hers = (next(iter(render(who, settings, track, identity))) for who in (identity, other))
    frames = [picture.parts == Part.GLASSES for picture in (mine, hers)]
    assert (frames[0] & frames[1]).sum() / (frames[0] | frames[1]).sum() > 0.7


def test_what_was_told_of_a_performance_without_occluders_is_told_as_before() -> None:
    plain = PerformanceSettings(performer="eve", seed=1)
    assert "occluders" not in plain.told()
    worn = read_performance("clip", {"performer": "eve", "seed": 1, "occluders": [{"kind": "cup"}]})
    assert worn.told()["occluders"] == [{"kind": "cup", "seed": None}]
    assert worn.before() == [("cup", 1)]


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(Problem, match=r"occluders\.0\.kind"):
        read_performance("clip", {"performer": "eve", "seed": 1, "occluders": [{"kind": "hat"}]})


def volume(points: F64, faces: I32) -> float:
    corners = points[faces]
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6.0)


@given(radius=st.floats(0.2, 2.0), length=st.floats(2.0, 20.0), turn=st.floats(0.0, 6.0))
@hypothesis_settings(max_examples=20, deadline=None)
def test_a_tube_encloses_its_volume_whichever_way_it_runs(radius: float, length: float, turn: float) -> None:
    way = np.array([np.cos(turn), 0.4, np.sin(turn)])
    path = np.linspace(0.0, 1.0, 6)[:, None] * length * way / np.linalg.norm(way)
    points, faces = tube(path, np.full((6, 2), radius), sectors=48)
    assert volume(points, faces) == pytest.approx(np.pi * radius**2 * length, rel=0.02)


def test_turned_bodies_and_boxes_face_outward() -> None:
    angle = np.linspace(-np.pi / 2, np.pi / 2, 40)
    sphere = turned([(2.0 * np.sin(a), 2.0 * np.cos(a)) for a in angle], sectors=64)
    assert volume(*sphere) == pytest.approx(4 / 3 * np.pi * 8.0, rel=0.01)
    half = (3.0, 6.0, 0.5)
    assert volume(*box(half, 0.4)) == pytest.approx(8 * np.prod(half), rel=0.05)
