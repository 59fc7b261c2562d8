"""A signed deliverable, and one made from something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from stages.consent import Consent
from stages.credentials.origin import Origin
from stages.credentials.settings import CredentialSettings, SignerSettings
from tests.authorities import Authority, pem_of, put
from tests.conftest import write_clip
from tests.records import content


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The one that readers of the tests trust."""
    return Authority.make()


@pytest.fixture(scope="session")
def own(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> CredentialSettings:
    """A signer of one's own, whom the authority vouches for."""
    folder, key = tmp_path_factory.mktemp("signer"), ec.generate_private_key(ec.SECP256R1())
    chain = put(folder, "chain.pem", authority.issue(key))
    return CredentialSettings(signer=SignerSettings(certificates=chain, key=put(folder, "key.pem", pem_of(key))))


@pytest.fixture
def origin() -> Origin:
    """What the deliverable of the tests was made from."""
    return origin_of("11")


def origin_of(clip: str) -> Origin:
    """Origins that differ in their clip."""
    consents = {role: Consent.model_validate(content(name)) for role, name in (("source", "ada"), ("target", "ben"))}
    return Origin("take-3.mov", clip * 32, "22" * 32, "33" * 32, "44" * 32, consents)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A finished file, not signed yet."""
    path = tmp_path / "deliverable.mp4"
    write_clip(path, sound=True)
    return path
