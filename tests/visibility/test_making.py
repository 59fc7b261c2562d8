"""The whole way from crops to a network with its facts, and the figures that stand in them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.artifacts.files import sha256_of
from stages.training.checkpoint import save_tensors
from stages.visibility import footage
from stages.visibility.__main__ import make
from stages.visibility.measure import Tally
from stages.visibility.recipe import Recipe
from stages.visible_face import NETWORK, VisibleFace

RECIPE = Recipe(
    performers=1, held_out=1, poses=1, grimaces=1, kinds=("glasses",), unseen=("cup",), stored_size=80, input_size=64,
    channels=(8, 8, 16), iterations=(3,), outside=(1.0,), before=(1.0,), overlap=(0.5,), batch=2,
)  # fmt: skip


def draw(recipe: Recipe, folder: Path, processes: int) -> None:
    """In place of renders: faces of one colour behind squares of another."""
    folder.mkdir(parents=True)
    for number in range(recipe.people):
        looks = 2 + (number >= recipe.performers)
        rgb = np.full((1, looks, 80, 80, 3), (200, 120, 100), np.uint8)
        face = np.full((1, looks, 80, 80), 255, np.uint8)
        rgb[0, 1:, 20:60, 30:50], face[0, 1:, 20:60, 30:50] = (20, 200, 40), 0
        tensors = {"rgb": rgb, "face": face, "cover": 255 - face, "hull": np.full((1, 80, 80), 255, np.uint8)}
        for path, few in zip(footage.shards(recipe, folder, number), (looks, 1), strict=False):
            some = {name: values if name == "hull" else values[:, :few] for name, values in tensors.items()}
            save_tensors({name: torch.from_numpy(values.copy()) for name, values in some.items()}, path)


def test_a_network_comes_with_its_recipe_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "render", draw)
    make(RECIPE, tmp_path / "made", tmp_path / "scratch", processes=1, threads=1)
    facts = json.loads((tmp_path / "made" / "facts.json").read_text())
    assert facts["sha256"] == sha256_of(tmp_path / "made" / NETWORK)
    assert Recipe.model_validate(facts["recipe"]) == RECIPE
    assert set(facts["figures"]) == {"bare", "glasses", "cup", "grimace"}
    assert facts["figures"]["glasses"]["pictures"] == 1
    visible = VisibleFace.open(tmp_path / "made").look(np.zeros((3, 64, 64, 3), np.uint8))
    assert visible.shape == (3, 64, 64)
    assert ((visible > 0) & (visible < 1)).all()


def test_the_tally_counts_what_is_kept_against_what_is_there() -> None:
    face, cover, hull = np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32), np.ones((8, 8), np.float32)
    cover[:, :4], face[:, :4] = 1.0, 0.0
    free = np.ones((8, 8), np.float32)
    free[:, :2] = 0.0  # half of what is there is kept
    free[0, 4:] = 0.0  # and four pixels of the face
    tally = Tally()
    tally.add(free, face, cover, hull)
    figures = tally.figures()
    assert figures["iou"] == pytest.approx(16 / 36, abs=1e-4)
    assert figures["face_lost"] == pytest.approx(4 / 32)
    hull[:] = 0.0
    tally.add(free, face, cover, hull)
    assert tally.figures()["iou"] == figures["iou"]
