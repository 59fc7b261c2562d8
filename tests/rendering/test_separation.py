"""The figure that says whether embedders tell performers apart."""

from __future__ import annotations

import numpy as np
import pytest

from stages.rendering.separation import area_under_curve, compare


def test_auc_is_one_when_all_same_pairs_are_nearer_and_a_half_when_nothing_differs() -> None:
    same = np.array([True, True, False, False])
    assert area_under_curve(np.array([0.9, 0.8, 0.2, 0.1], np.float32), same) == 1.0
    assert area_under_curve(np.array([0.1, 0.2, 0.8, 0.9], np.float32), same) == 0.0
    assert area_under_curve(np.full(4, 0.5, np.float32), same) == 0.5


def test_auc_counts_the_pairs_in_order() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    similarity, same = rng.integers(0, 5, 40).astype(np.float32), rng.random(40) < 0.4
    wins = [(a > b) + 0.5 * (a == b) for a in similarity[same] for b in similarity[~same]]
    assert area_under_curve(similarity, same) == pytest.approx(np.mean(wins))


def test_identities_that_cluster_are_told_apart() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    centres = rng.normal(size=(4, 16))
    who = np.repeat(np.arange(4), 6)
    vectors = centres[who] + 0.1 * rng.normal(size=(24, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    figures = compare(vectors.astype(np.float32), who)
    assert figures["auc"] > 0.99
    assert figures["same_5%"] > figures["different_95%"]
