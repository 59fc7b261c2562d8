"""One tiny troupe, rendered once for all tests of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stages.base import footage
from stages.base.recipe import Recipe
from stages.training.settings import NetworkSettings, OptimiserSettings


@pytest.fixture(autouse=True)
def _exact() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Two performers in four scenes, at 32 pixels."""
    return Recipe(
        troupes=1,
        cast=2,
        scenes=4,
        frame_size=160,
        stored_size=64,
        yaw=15.0,
        network=NetworkSettings(
            input_size=32,
            output_size=32,
            encoder_channels=(8, 16),
            latent=16,
            decoder_channels=(16, 8),
            mask_channels=4,
            texture=2,
            texture_size=32,
        ),
        iterations=8,
        batch=4,
        optimiser=OptimiserSettings(learning_rate=0.002, warm_up=2),
    )


@pytest.fixture(scope="session")
def renders(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the troupe's scenes."""
    folder = tmp_path_factory.mktemp("renders")
    footage.render(recipe, folder, processes=1)
    return folder
