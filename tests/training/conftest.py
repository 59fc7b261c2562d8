"""Face sets of two drawn people, and one thread for all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.faces import write_face_set


@pytest.fixture(autouse=True)
def _exact() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


@pytest.fixture(scope="session")
def face_sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each identity's face sets."""
    root = tmp_path_factory.mktemp("dataset")
    for seed, identity in enumerate(("ada", "ben")):
        write_face_set(root / identity / f"{identity}-clip", identity, seed=seed)
    return {identity: root / identity for identity in ("ada", "ben")}
