"""Time stamps: a deliverable carries when it was signed, and readers are told, by a stamping authority of the test."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from stages.credentials.origin import Origin
from stages.credentials.provenance import Provenance
from stages.credentials.reading import Credential, read_credential
from stages.credentials.settings import CredentialSettings, SignerSettings
from stages.problems import Problem
from stages.verify.__main__ import app
from tests.authorities import Authority, pem_of, put
from tests.timestamps import OPENSSL, time_stamping

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no program openssl, which stamps here")


@pytest.fixture(scope="module")
def clocks() -> Authority:
    """Vouches for who stamps, and for nobody else."""
    return Authority.make("root of clocks")


def stamped_by(address: str, authority: Authority, folder: Path) -> CredentialSettings:
    """A signer whom ``authority`` vouches for and whose signatures are stamped at an address."""
    key = ec.generate_private_key(ec.SECP256R1())
    chain, private = put(folder, "chain.pem", authority.issue(key)), put(folder, "key.pem", pem_of(key))
    return CredentialSettings(signer=SignerSettings(certificates=chain, key=private, timestamps=address))


@pytest.fixture
def stamped(video: Path, origin: Origin, authority: Authority, clocks: Authority, tmp_path: Path) -> Path:
    """A file that was signed with a time stamp just now."""
    with time_stamping(clocks, tmp_path / "clock") as address:
        Provenance.of(origin, stamped_by(address, authority, tmp_path / "signer")).sign(video)
    return video


def read(path: Path, anchors: bytes = b"") -> Credential:
    found = read_credential(path, anchors)
    assert found is not None
    return found


def test_a_stamped_deliverable_says_when_it_was_signed(stamped: Path, authority: Authority, clocks: Authority) -> None:
    found = read(stamped, authority.pem + clocks.pem)
    assert (found.valid, found.trust) == (True, "trusted")
    assert found.stamp is not None
    assert (found.stamp.by, found.stamp.trusted) == ("a clock", True)
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(found.stamp.time) < timedelta(minutes=5)


def test_who_does_not_know_the_clock_is_told_so(stamped: Path, authority: Authority) -> None:
    found = read(stamped, authority.pem)
    assert found.trust == "trusted", "of who signed: that is another question"
    assert found.stamp is not None
    assert not found.stamp.trusted


def test_verify_shows_the_time_in_text_and_to_machines(stamped: Path, clocks: Authority) -> None:
    put(stamped.parent / "anchors", "clocks.pem", clocks.pem)
    arguments = [str(stamped), "--credential-only", "--anchors", str(stamped.parent / "anchors")]
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["credential"]["signed_at"]
    assert set(told) == {"time", "by", "trusted"}
    assert (told["by"], told["trusted"]) == ("a clock", True)
    said = CliRunner().invoke(app, arguments).stdout
    assert (
        f"signed at: {told['time']}, as the time stamp of a clock says; an authority on your list vouches for it"
        in said
    )


def test_without_a_stamp_no_time_is_shown(video: Path, origin: Origin, own: CredentialSettings) -> None:
    Provenance.of(origin, own).sign(video)
    assert read(video).stamp is None
    arguments = [str(video), "--credential-only"]
    assert json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["credential"]["signed_at"] is None
    assert "signed at" not in CliRunner().invoke(app, arguments).stdout


def test_a_clock_that_does_not_answer_leaves_nothing_signed(
    video: Path, origin: Origin, authority: Authority, tmp_path: Path
) -> None:
    signer = stamped_by("http://127.0.0.1:9/", authority, tmp_path / "signer")
    with pytest.raises(Problem, match="could not be signed"):
        Provenance.of(origin, signer).sign(video)
    assert read_credential(video) is None
