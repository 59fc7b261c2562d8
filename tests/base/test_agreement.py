"""How alike codes of one scene are, and faces that are nobody's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.base.agreement import blend, disagreement, disagreement_of
from stages.training.networks.encoder import Encoder


def test_codes_that_tell_only_the_scene_do_not_disagree() -> None:
    scenes = torch.randn(6, 1, 16, generator=torch.Generator().manual_seed(0))
    assert float(disagreement(scenes.expand(-1, 3, -1))) == pytest.approx(0.0, abs=1e-6)


def test_codes_that_tell_only_the_performer_disagree_without_bound() -> None:
    performers = torch.randn(1, 3, 16, generator=torch.Generator().manual_seed(0))
    assert float(disagreement(performers.expand(6, -1, -1))) > 1e5


@settings(max_examples=20)
@given(st.integers(0, 2**31 - 1), st.floats(0.05, 1.0), st.floats(0.1, 10.0))
def test_it_is_the_share_of_squared_distance_and_has_no_unit(seed: int, spread: float, unit: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(5, 1, 32, generator=generator) + spread * torch.randn(5, 2, 32, generator=generator)
    within = (codes[:, 0] - codes[:, 1]).square().sum(-1).mean()
    means = codes.mean(dim=1)
    between = torch.cdist(means, means).square().sum() / 20  # ordered pairs of five different scenes
    assert float(disagreement(unit * codes)) == pytest.approx(float(within / between), rel=1e-3)


def test_a_blend_lies_between_both_faces_everywhere_and_is_neither() -> None:
    faces = torch.full((8, 6, 32, 32), 40, dtype=torch.uint8)
    others = torch.full((8, 6, 32, 32), 200, dtype=torch.uint8)
    mixed = blend(faces, others, 1.0, torch.Generator().manual_seed(0))
    assert mixed.dtype == torch.uint8
    assert mixed.min() == 40
    assert mixed.max() == 200
    shares = (mixed[:, 0].float() - 40).mean(dim=(1, 2)) / 160
    assert ((shares > 0.05) & (shares < 0.95)).all()
    assert torch.equal(mixed[:, 0], mixed[:, 3])  # the mask goes with the picture
    assert torch.equal(blend(faces, others, 0.0, torch.Generator().manual_seed(0)), faces)


def test_an_encoder_that_sees_one_and_the_same_picture_twice_agrees_with_itself() -> None:
    torch.manual_seed(0)
    encoder = Encoder(32, (8, 16), 16, 8, 16)
    scenes = torch.randint(0, 256, (4, 1, 6, 64, 64), dtype=torch.uint8)
    assert disagreement_of(encoder, scenes.expand(-1, 2, -1, -1, -1), 32) == pytest.approx(0.0, abs=1e-6)
    strangers = torch.randint(0, 256, (4, 2, 6, 64, 64), dtype=torch.uint8)
    assert disagreement_of(encoder, strangers, 32) > 0.5
