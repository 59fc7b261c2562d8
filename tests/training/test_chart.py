"""Where on the skin a place of the picture is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator

from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.topology import CHIN, FOREHEAD, NOSE_TIP
from stages.training.chart import PLACES, chart_distance, chart_of, gathered, mirrored_places, sampled

FACE = read_canonical(open_pack().files["canonical_face"])
RIGHT_TEMPLE, LEFT_TEMPLE = 127, 356


def turned(yaw: float) -> torch.Tensor:
    """The canonical face from afar, turned by degrees about the upright axis, (1, PLACES, 2) in the unit crop."""
    cosine, sine = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    x = FACE[:, 0] * cosine + FACE[:, 2] * sine
    return torch.from_numpy(np.stack([x, FACE[:, 1]], axis=1) / 24.0 + 0.5).float()[None]


def right_chart(places: torch.Tensor, side: int = 96) -> torch.Tensor:
    """What the chart should be, between landmarks by triangles, (1, 2, side, side)."""
    at, goal = places[0].numpy(), chart_of(FACE)
    x, y = np.meshgrid((np.arange(side) + 0.5) / side, (np.arange(side) + 0.5) / side)
    found = LinearNDInterpolator(at, goal)(x, y)
    found = np.where(np.isnan(found), NearestNDInterpolator(at, goal)(x, y), found)
    return torch.from_numpy(found).float().permute(2, 0, 1)[None]


def test_a_face_from_the_front_lies_on_the_chart_upright_and_even_on_both_sides() -> None:
    chart = chart_of(FACE)
    assert chart.shape == (PLACES, 2)
    assert np.abs(chart).max() <= 1
    np.testing.assert_allclose(chart[mirrored_places().numpy()], chart * [-1, 1], atol=1e-6)
    assert chart[RIGHT_TEMPLE, 0] < chart[NOSE_TIP, 0] < chart[LEFT_TEMPLE, 0]
    assert chart[FOREHEAD, 1] < chart[NOSE_TIP, 1] < chart[CHIN, 1]


def test_a_right_chart_is_near_and_one_that_is_off_is_off_by_that() -> None:
    places = turned(0)
    chart = right_chart(places)
    assert chart_distance(chart, places) < 0.02
    aside = chart + torch.tensor([0.3, 0.0])[None, :, None, None]
    assert chart_distance(aside, places) == pytest.approx(0.3, abs=0.02)


def test_a_landmark_that_the_face_hides_does_not_count() -> None:
    """Turned far, the far temple lies behind the nose's side: no chart can be right for both."""
    for yaw, near, far in ((60, LEFT_TEMPLE, RIGHT_TEMPLE), (-60, RIGHT_TEMPLE, LEFT_TEMPLE)):
        places = turned(yaw).requires_grad_()
        chart_distance(torch.rand(1, 2, 32, 32), places).backward()
        assert places.grad is not None
        counted = places.grad.abs().sum(dim=2)[0] > 0
        assert counted[near] != counted[far]
        assert 0.3 < counted.float().mean() < 0.9


@given(side=st.integers(2, 9), seed=st.integers(0, 2**31), reach=st.floats(0.5, 2.0))
@hypothesis_settings(max_examples=40, deadline=None)
def test_what_a_gpu_computes_is_the_same_in_value_and_gradient(side: int, seed: int, reach: float) -> None:
    chance = torch.Generator().manual_seed(seed)
    places = 0.5 + reach * (torch.rand(2, 11, 2, generator=chance, dtype=torch.float64) - 0.5)
    chart = torch.rand(2, 2, side, side + 1, generator=chance, dtype=torch.float64)
    weight = torch.rand(2, 2, 11, generator=chance, dtype=torch.float64)
    ends = []
    for way in (sampled, gathered):
        asked = chart.clone().requires_grad_()
        found = way(asked, places)
        (weight * found).sum().backward()
        ends.append((found.detach(), asked.grad))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-9, atol=1e-9)


def test_without_landmarks_there_is_nothing_to_be_far_from() -> None:
    assert chart_distance(torch.rand(2, 2, 8, 8), torch.zeros(0, 0, 2)) == 0
