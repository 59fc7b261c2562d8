"""What is laid over a crop takes from the face what it gives to the cover, and a crop stays in its place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stages.visibility.masquerade import Example, centred, cut_off, cut_out, moved, relit, repainted, shape, smeared

SIZE = 64


def bare() -> Example:
    """All face, of one colour."""
    rgb, whole = np.full((SIZE, SIZE, 3), 0.6, np.float32), np.ones((SIZE, SIZE), np.float32)
    return Example(rgb, whole, np.zeros_like(whole), whole.copy())


@given(seed=st.integers(0, 10_000))
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_shape_of_chance_covers_exactly_what_it_takes_from_the_face(seed: int) -> None:
    chance = np.random.default_rng(seed)
    example = bare()
    rgb, alpha = shape(example, chance)
    example.laid_over(rgb, alpha)
    np.testing.assert_allclose(example.face + example.cover, 1.0, atol=1e-5)
    np.testing.assert_allclose(example.cover, alpha, atol=1e-5)
    np.testing.assert_allclose(example.rgb[alpha == 1.0], rgb[alpha == 1.0], atol=1e-6)
    np.testing.assert_array_equal(example.rgb[alpha == 0.0], np.float32(0.6))
    assert example.rgb.min() >= 0.0
    assert example.rgb.max() <= 1.0


def test_shapes_of_chance_are_of_all_sizes() -> None:
    shares = [float(shape(bare(), np.random.default_rng(seed))[1].mean()) for seed in range(200)]
    assert min(shares) < 0.02
    assert max(shares) > 0.3


def test_what_covers_one_face_is_laid_over_another_where_it_goes() -> None:
    covered = bare()
    covered.rgb[20:40, 20:40] = 0.1
    covered.cover[20:40, 20:40], covered.face[20:40, 20:40] = 1.0, 0.0
    found = [cut_out(covered, np.random.default_rng(seed)) for seed in range(20)]
    for rgb, alpha in found:
        assert (rgb[alpha > 0.99] < 0.3).all(), "something else than the cover was cut out"
    assert len({round(float(alpha.sum())) for _, alpha in found}) > 10


def test_another_light_covers_nothing_and_keeps_the_range() -> None:
    for seed in range(20):
        example = bare()
        rgb = relit(example, np.random.default_rng(seed))
        assert (rgb.min(), rgb.max()) >= (0.0, 0.0)
        assert rgb.max() <= 1.0
        np.testing.assert_array_equal(example.cover, 0.0)
        np.testing.assert_array_equal(example.face, 1.0)


@given(seed=st.integers(0, 10_000))
@hypothesis_settings(max_examples=40, deadline=None)
def test_a_slow_shutter_moves_colours_and_shares_alike_and_loses_nothing(seed: int) -> None:
    example = bare()
    example.rgb[30:33, 30:33] = 0.0
    example.cover[30:33, 30:33], example.face[30:33, 30:33] = 1.0, 0.0
    slow = smeared(example, np.random.default_rng(seed))
    np.testing.assert_allclose(slow.face + slow.cover, 1.0, atol=1e-5)
    np.testing.assert_allclose(slow.rgb[..., 0], 0.6 * slow.face, atol=1e-5)
    assert float(slow.cover.sum()) == pytest.approx(9.0, abs=0.01)
    rows, columns = np.nonzero(slow.cover > 1e-4)
    # one line: as long as the way, hardly wider than the thing
    spread = np.linalg.eigvalsh(np.cov(np.stack([rows, columns]), aweights=slow.cover[rows, columns]))
    assert spread[0] < 1.2
    assert spread[1] < (SIZE / 12) ** 2
    # no thing moves: it lies about where it was
    assert abs(float(np.average(rows, weights=slow.cover[rows, columns])) - 31.0) < 0.05
    assert abs(float(np.average(columns, weights=slow.cover[rows, columns])) - 31.0) < 0.05


@given(seed=st.integers(0, 10_000))
@hypothesis_settings(max_examples=40, deadline=None)
def test_a_face_that_is_cut_off_ends_in_its_last_pixels_and_nothing_is_told_of_what_is_beyond(seed: int) -> None:
    whole = bare()
    places = np.stack(np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2), axis=-1)
    whole.rgb[..., :2] = places / SIZE  # each pixel tells its place
    whole.cover[:, :20], whole.face[:, :20] = 1.0, 0.0
    cut = cut_off(whole, np.random.default_rng(seed))
    inside = cut.face + cut.cover > 0.5
    np.testing.assert_allclose(cut.rgb[inside], whole.rgb[inside], atol=1e-3)
    np.testing.assert_array_equal(cut.face[inside], whole.face[inside])
    np.testing.assert_array_equal((cut.face + cut.cover)[~inside], 0.0)
    assert inside.mean() > 0.05
    # beyond, each pixel shows the border's nearest, all by one way
    way = places[~inside] - SIZE * cut.rgb[..., :2][~inside]
    far = np.linalg.norm(way, axis=-1)
    within = (far > 3.0) & (cut.rgb[..., :2][~inside] > 0.02).all(-1) & (cut.rgb[..., :2][~inside] < 0.96).all(-1)
    if within.sum() > 10:
        np.testing.assert_allclose((way[within] / far[within, None]).std(axis=0), 0.0, atol=0.02)


def test_a_stored_crop_is_cut_to_the_unit_crop_in_its_middle() -> None:
    stored, reach = 80, 1.25
    picture = np.zeros((stored, stored), np.uint8)
    picture[8:72, 8:72] = 255  # the unit crop's own place
    (cut,) = centred([picture], reach, SIZE)
    assert cut.shape == (SIZE, SIZE)
    assert cut.mean() == pytest.approx(1.0, abs=0.01)
    picture[:] = 0
    picture[40:, :] = 255
    (cut,) = centred([picture], reach, SIZE)
    assert np.flatnonzero(cut[:, 32] > 0.5)[0] == SIZE // 2


def test_a_moved_crop_keeps_colours_and_shares_together() -> None:
    rgb, face = np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80), np.uint8)
    rgb[20:60, 25:50], face[20:60, 25:50] = 255, 255
    example = moved([rgb, face, 255 - face, face], 1.25, SIZE, np.random.default_rng(3))
    np.testing.assert_allclose(example.rgb[..., 0], example.face, atol=1e-3)
    np.testing.assert_array_equal(example.hull, example.face)
    inside = example.face + example.cover > 0.99
    assert inside.mean() > 0.5


@given(seed=st.integers(0, 10_000))
@hypothesis_settings(max_examples=40, deadline=None)
def test_a_thing_painted_anew_keeps_its_place_its_shading_and_all_that_is_beside_it(seed: int) -> None:
    bare = np.full((80, 80, 3), (200, 150, 130), np.uint8)
    bare[:10] = 30
    hair = np.zeros((80, 80), np.uint8)
    hair[:10] = 255
    cover = hair.copy()
    cover[5:60, 30:50], cover[5:60, 50] = 255, 128
    shown = bare.copy()
    shown[10:60, 30:50] = np.linspace(40, 120, 50, dtype=np.uint8)[:, None, None]
    shown[10:60, 50] = (shown[10:60, 49].astype(np.float64) + bare[10:60, 50]) / 2
    painted = repainted(shown, cover, bare, hair, np.random.default_rng(seed))
    beside = (cover == 0) | (hair == 255)
    np.testing.assert_array_equal(painted[beside], shown[beside])
    column = painted[10:60, 40].astype(int)
    assert (np.diff(column, axis=0) >= 0).all(), "the shading is lost"
    # a pixel that shows half of both has half of the change
    change = painted[10:60, 49].astype(float) - shown[10:60, 49]
    np.testing.assert_allclose(painted[10:60, 50].astype(float) - shown[10:60, 50], change * 128 / 255, atol=2.0)


def test_things_are_painted_in_many_colours_and_a_bare_face_stays_bare() -> None:
    bare, none = np.full((80, 80, 3), (200, 150, 130), np.uint8), np.zeros((80, 80), np.uint8)
    shown, cover = bare.copy(), none.copy()
    shown[20:60, 30:50], cover[20:60, 30:50] = 90, 255
    colours = [
        repainted(shown, cover, bare, none, np.random.default_rng(seed))[40, 40].astype(float) for seed in range(60)
    ]
    away = np.linalg.norm(np.array(colours) - bare[0, 0], axis=1)
    assert (away < 90).sum() > 10, "none is like skin"
    assert (away > 120).sum() > 5, "all are like skin"
    np.testing.assert_array_equal(repainted(bare, none, bare, none, np.random.default_rng(0)), bare)
