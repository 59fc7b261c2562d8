"""A worse camera changes colours and nothing else; another face moves with its masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stages.visibility import filming
from stages.visibility.filming import creased, filmed, other_face
from stages.visibility.masquerade import Example

SIZE = 64


def crop() -> NDArray[np.float32]:
    """Skin with a dark thing, and light that falls off."""
    rgb = np.full((SIZE, SIZE, 3), (0.7, 0.5, 0.4), np.float32)
    rgb *= np.linspace(1.0, 0.6, SIZE, dtype=np.float32)[None, :, None]
    rgb[20:44, 28:36] = 0.1
    return rgb


def example() -> Example:
    cover = np.zeros((SIZE, SIZE), np.float32)
    cover[20:44, 28:36] = 1.0
    return Example(crop(), 1.0 - cover, cover, np.ones((SIZE, SIZE), np.float32))


@pytest.mark.parametrize("part", ["_LIT", "_GLEAM", "_HAZE", "_DYED", "_SMALL", "_CODED"])
def test_each_part_of_a_camera_changes_the_picture(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    for name in ("_LIT", "_GLEAM", "_HAZE", "_DYED", "_SMALL", "_CODED"):
        monkeypatch.setattr(filming, name, float(name == part))
    with_it = filmed(crop(), np.random.default_rng(4))
    monkeypatch.setattr(filming, part, 0.0)
    without = filmed(crop(), np.random.default_rng(4))
    level = (with_it.mean(axis=(0, 1)) / without.mean(axis=(0, 1))).astype(np.float32)
    assert np.abs(with_it - level * without).max() > 0.02, "more than another balance of colours"


@pytest.mark.parametrize("seed", range(12))
def test_a_filmed_crop_is_a_picture_and_the_same_by_the_same_chance(seed: int) -> None:
    shown = crop()
    first, again = (filmed(shown, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(shown, crop())
    assert first.shape == shown.shape
    assert first.dtype == np.float32
    assert first.min() >= 0.0
    assert first.max() <= 1.0


def test_few_pixels_lose_detail_and_keep_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming, "_SMALL", 1.0)
    monkeypatch.setattr(filming, "_CODED", 0.0)
    noise = np.random.default_rng(1).uniform(0.3, 0.7, (SIZE, SIZE, 3)).astype(np.float32)
    small = [filming._seen_small(noise, np.random.default_rng(seed)) for seed in range(20)]
    assert np.mean([each.std() for each in small]) < 0.7 * noise.std()
    assert max(abs(float(each.mean() - noise.mean())) for each in small) < 0.02


def test_a_gleam_is_brightest_where_the_face_is() -> None:
    for seed in range(8):
        more = filming._gleaming(crop(), np.random.default_rng(seed)) - crop()
        assert more.min() > -0.05
        light = cv2.cvtColor(crop(), cv2.COLOR_RGB2GRAY)
        brightest, darkest = light > np.quantile(light, 0.9), light < np.quantile(light, 0.2)
        assert more[brightest].mean() > more[darkest].mean()


def test_creases_are_faint() -> None:
    for seed in range(20):
        change = creased(crop(), np.random.default_rng(seed)) / crop()
        assert np.abs(change - 1.0).max() > 0.01
        assert np.median(np.abs(change - 1.0)) < 0.15
        assert change.min() > 0.3


def test_another_face_takes_its_masks_along() -> None:
    moved = other_face(example(), np.random.default_rng(2))
    dark = moved.rgb.mean(axis=-1) < 0.25
    assert (dark != (example().rgb.mean(axis=-1) < 0.25)).any()
    assert (dark & (moved.cover > 0.5)).sum() / (dark | (moved.cover > 0.5)).sum() > 0.8
    inside = slice(8, -8)
    np.testing.assert_allclose((moved.face + moved.cover)[inside, inside], 1.0, atol=1e-5)
