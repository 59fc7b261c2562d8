"""One head basis and one identity for all tests of a run: both take seconds to make."""

from __future__ import annotations

import pytest

from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.mesh import Head


@pytest.fixture(scope="session")
def basis() -> HeadBasis:
    return HeadBasis.load()


@pytest.fixture(scope="session")
def identity() -> Identity:
    return Identity.from_settings(5, {"hair_style": "bald", "beard_style": "none"})


@pytest.fixture(scope="session")
def head(basis: HeadBasis, identity: Identity) -> Head:
    return basis.build(identity)
