"""A credential: read back by the C2PA project's own reader, the same bytes each time, by keys of every kind."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from stages.canonical import hash_of
from stages.consent.record import MINING_USES, Consent
from stages.credentials import signer as signers
from stages.credentials.development import development_certificates
from stages.credentials.manifest import COMPOSITE
from stages.credentials.origin import VERSION, Origin
from stages.credentials.provenance import Provenance
from stages.credentials.reading import read_credential
from stages.credentials.settings import CredentialSettings, SignerSettings
from stages.credentials.signer import Signer
from stages.problems import Outage, Problem
from tests.authorities import EMAIL, SERVER, Authority, Key, pem_of, put, self_signed
from tests.conftest import REPOSITORY, write_clip
from tests.records import content

DEVELOPMENT = CredentialSettings()


def official(path: Path, anchors: bytes | None = None, kind: str = "video/mp4") -> dict[str, Any]:
    """What the C2PA project's reader says, by its own defaults."""
    trust = {"trust": {"trust_anchors": anchors.decode()}} if anchors else {}
    with path.open("rb") as stream, c2pa.Reader(kind, stream, context=c2pa.Context.from_dict(trust)) as reader:
        told: dict[str, Any] = json.loads(reader.json())
    return told


def assertions(told: dict[str, Any]) -> dict[str, Any]:
    """Of the active manifest, by label."""
    return {each["label"]: each["data"] for each in told["manifests"][told["active_manifest"]]["assertions"]}


def test_a_signed_deliverable_says_who_made_it_from_what(
    video: Path, origin: Origin, own: CredentialSettings, authority: Authority
) -> None:
    facts = Provenance.of(origin, own).sign(video)
    assert facts["credential"] == {"in": "deliverable.mp4", "signer": "Eve Studio", "development": False}
    told = official(video, authority.pem)
    assert told["validation_state"] == "Trusted"
    manifest, said = told["manifests"][told["active_manifest"]], assertions(told)
    assert (
        manifest["claim_generator_info"][0] | {"name": "Likeness", "version": VERSION}
        == (manifest["claim_generator_info"][0])
    )
    actions = said["c2pa.actions.v2"]["actions"]
    assert [each["action"] for each in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"] == COMPOSITE
    assert [(each["relationship"], each["instance_id"]) for each in manifest["ingredients"]] == [
        ("parentOf", f"sha256:{'11' * 32}"),
        ("inputTo", f"sha256:{'22' * 32}"),
    ]
    assert manifest["ingredients"][0]["title"] == "take-3.mov"
    assert {each["use"] for each in said["cawg.training-mining"]["entries"].values()} == {"notAllowed"}
    records = said["likeness.consent"]["records"]
    assert [(each["role"], each["record_id"]) for each in records] == [("source", "ada-1"), ("target", "ben-1")]
    assert facts["lineage"] == said["likeness.lineage"]["root"] == hash_of(said["likeness.lineage"]["parts"])


ALLOWED: dict[str, Any] = dict.fromkeys(MINING_USES, "allowed")


@pytest.mark.parametrize(
    ("source", "target", "companion", "expected"),
    [
        (ALLOWED, ALLOWED, ALLOWED, dict.fromkeys(MINING_USES, ("allowed", None))),
        (ALLOWED, ALLOWED, None, dict.fromkeys(MINING_USES, ("notAllowed", None))),
        (ALLOWED, {}, ALLOWED, dict.fromkeys(MINING_USES, ("notAllowed", None))),
        (
            ALLOWED | {"ai_training": "constrained", "data_mining": "constrained", "constraints": "research"},
            ALLOWED | {"ai_training": "constrained", "ai_inference": "notAllowed", "constraints": "after 2030"},
            ALLOWED | {"ai_generative_training": "notAllowed", "data_mining": "notAllowed"},
            {
                "ai_generative_training": ("notAllowed", None),
                "ai_training": ("constrained", "after 2030; research"),
                "ai_inference": ("notAllowed", None),
                "data_mining": ("notAllowed", None),
            },
        ),
    ],
    ids=["all allow", "a companion says nothing", "the target says nothing", "each is strict about something"],
)
def test_the_strictest_record_says_what_may_be_trained_and_mined(
    video: Path,
    origin: Origin,
    source: dict[str, Any] | None,
    target: dict[str, Any] | None,
    companion: dict[str, Any] | None,
    expected: dict[str, tuple[str, str | None]],
) -> None:
    terms = {"source": ("ada", source), "target": ("ben", target), "companion cyd": ("cyd", companion)}
    said = {
        role: Consent.model_validate(content(name) | ({} if uses is None else {"training_and_mining": uses}))
        for role, (name, uses) in terms.items()
    }
    Provenance.of(replace(origin, consents=said), DEVELOPMENT).sign(video)
    entries = assertions(official(video))["cawg.training-mining"]["entries"]
    assert {use: (each["use"], each.get("constraint_info")) for use, each in entries.items()} == {
        f"cawg.{use}": each for use, each in expected.items()
    }


def test_a_credential_holds_no_name_of_a_person(video: Path, origin: Origin) -> None:
    Provenance.of(origin, DEVELOPMENT).sign(video)
    told = json.dumps(official(video)).replace("ada-1", "").replace("ben-1", "")  # the ids of their records
    assert not re.search(r"\b(performer|ada|ben|cyd|eve)\b", told)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_the_same_deliverable_gets_the_same_bytes(
    tmp_path: Path, origin: Origin, own: CredentialSettings, name: str
) -> None:
    found = set()
    write_clip(tmp_path / name)
    for number, settings in enumerate((DEVELOPMENT, own)):
        for again in range(2):
            copy = tmp_path / f"{number}-{again}" / name
            copy.parent.mkdir(parents=True)
            shutil.copy(tmp_path / name, copy)
            Provenance.of(origin, settings).sign(copy)
            found.add(tuple(hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(copy.parent.iterdir())))
    assert len(found) == 2  # one for each signer


def test_the_development_certificate_is_the_same_on_every_machine() -> None:
    pem = development_certificates()
    assert hashlib.sha256(pem).hexdigest() == "719fcb936b661f602d4d6e2f9497dffa68397f4a7b2ddd2a8576193044dc1740"
    signer = Signer.of(DEVELOPMENT)
    assert signer.development
    assert "development" in signer.name


def test_the_version_is_the_projects_own() -> None:
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == VERSION


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["ed25519", "es256", "es384", "es512", "ps256"],
)
@pytest.mark.parametrize("source", ["file", "variable", "command"])
def test_every_kind_of_key_signs_from_everywhere(
    tmp_path: Path,
    video: Path,
    origin: Origin,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    key: Key,
    source: str,
) -> None:
    private = put(tmp_path / "keys", "key.pem", pem_of(key))
    monkeypatch.setenv("STUDIO_KEY", pem_of(key).decode())
    where: dict[str, Any] = {
        "file": {"key": private},
        "variable": {"key_variable": "STUDIO_KEY"},
        "command": {"key_command": (sys.executable, "-c", SIGNS, str(private))},
    }[source]
    chosen = SignerSettings(certificates=put(tmp_path / "keys", "chain.pem", authority.issue(key)), **where)
    Provenance.of(origin, CredentialSettings(signer=chosen)).sign(video)
    found = read_credential(video, authority.pem)
    assert found is not None
    assert (found.valid, found.trust, found.signer) == (True, "trusted", "Eve Studio")


SIGNS = """
import sys
import threading
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
how = ()
if isinstance(key, ec.EllipticCurvePrivateKey):
    how = (ec.ECDSA({256: hashes.SHA256(), 384: hashes.SHA384()}.get(key.curve.key_size, hashes.SHA512())),)
elif isinstance(key, rsa.RSAPrivateKey):
    how = (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), *how))
"""
"""A program that signs; like most, it gives ECDSA signatures as DER."""


def test_a_local_file_names_the_signer(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, origin: Origin, video: Path
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    chain, private = put(tmp_path, "chain.pem", authority.issue(key)), put(tmp_path, "key.pem", pem_of(key))
    put(tmp_path, "signer.yaml", f"certificates: {chain}\nkey: {private}\n".encode())
    monkeypatch.setattr(signers, "LOCAL", tmp_path / "signer.yaml")
    facts = Provenance.of(origin, CredentialSettings(signer="local")).sign(video)
    assert facts["credential"]["signer"] == "Eve Studio"


def _broken(folder: Path, authority: Authority, fault: str) -> SignerSettings:
    key, other = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    chain = {
        "expired": authority.issue(key, days=(-30, -1)),
        "not begun": authority.issue(key, days=(1, 30)),
        "other use": authority.issue(key, usages=(SERVER,)),
        "any use": authority.issue(key, usages=(EMAIL, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)),
        "no use": authority.issue(key, usages=()),
        "authority": authority.issue(key, authority=True),
        "self-signed": self_signed(key),
        "other issuer": authority.issue(key).split(b"-----END")[0]
        + b"-----END CERTIFICATE-----\n"
        + Authority.make("another root").pem,
        "small": authority.issue(rsa.generate_private_key(65537, 1024)),
    }.get(fault, authority.issue(key))
    place = folder / "repository" if fault == "in a repository" else folder
    if fault == "in a repository":
        (place / ".git").mkdir(parents=True)
    content = b"nothing" if fault == "no key" else pem_of(key)
    private = put(place, "key.pem", content, 0o644 if fault == "readable" else 0o600)
    certificates = put(folder, "chain.pem", b"nothing" if fault == "no certificate" else chain)
    if fault == "no variable":
        return SignerSettings(certificates=certificates, key_variable="LIKENESS_NO_SUCH_KEY")
    if fault == "failing program":
        return SignerSettings(
            certificates=certificates, key_command=(sys.executable, "-c", "exit('the token is gone')")
        )
    if fault == "no program":
        return SignerSettings(certificates=certificates, key_command=(str(folder / "nowhere"),))
    if fault == "no time stamp":
        return SignerSettings(certificates=certificates, key=private, timestamps="http://127.0.0.1:9/")
    if fault == "another key":
        put(folder, "key.pem", pem_of(other))
    return SignerSettings(certificates=certificates, key=folder / "nowhere" if fault == "no file" else private)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("expired", "which is not now"),
        ("not begun", "which is not now"),
        ("other use", "may not sign credentials"),
        ("any use", "allows anything besides"),
        ("no use", "may not sign credentials"),
        ("authority", "an authority's"),
        ("self-signed", "nobody vouches"),
        ("other issuer", "not issued by the one after it"),
        ("small", "keys of this kind"),
        ("no certificate", "no certificate"),
        ("no key", "no private key"),
        ("no file", "can not be read"),
        ("no variable", "does not hold the private key"),
        ("readable", "others may read"),
        ("in a repository", "must not lie in a repository"),
        ("another key", "do not belong to each other"),
        ("failing program", "the token is gone"),
        ("no program", "the program that signs did not"),
    ],
)
def test_a_signer_that_can_not_sign_is_refused(
    tmp_path: Path, video: Path, origin: Origin, authority: Authority, fault: str, told: str
) -> None:
    settings = CredentialSettings(signer=_broken(tmp_path, authority, fault))
    with pytest.raises(Problem, match=told):
        provenance = Provenance.of(origin, settings)
        assert fault in ("failing program", "no program"), "this is told before anything is encoded"
        provenance.sign(video)


@pytest.fixture
def busy() -> Iterator[str]:
    """The address of a server that answers everything, and stamps nothing."""

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>try again later</html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("answers", [False, True], ids=["nobody there", "rubbish"])
def test_a_time_stamp_authority_that_gives_no_stamp_is_an_outage(
    tmp_path: Path, video: Path, origin: Origin, authority: Authority, busy: str, answers: bool
) -> None:
    """A flow tries again what ends so; the message names the authority, not the file."""
    before, address = video.read_bytes(), busy if answers else "http://127.0.0.1:9/"
    signer = _broken(tmp_path, authority, "no time stamp").model_copy(update={"timestamps": address})
    with pytest.raises(Outage, match=f"the time-stamp authority {re.escape(address)} gives no stamp") as caught:
        Provenance.of(origin, CredentialSettings(signer=signer)).sign(video)
    assert "timestamps" in caught.value.where
    assert video.read_bytes() == before
    assert list(tmp_path.glob(".*.signed")) == []


@pytest.mark.parametrize(
    "wrong",
    [{}, {"key": "a", "key_variable": "B"}, {"key_command": ["a"], "passphrase_variable": "B"}, {"timestamps": "a"}],
    ids=["no key", "two keys", "passphrase of a program", "no address"],
)
def test_settings_of_a_signer_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"key|timestamps"):
        SignerSettings.model_validate({"certificates": "chain.pem"} | wrong)


def test_an_encrypted_key_takes_its_passphrase_from_the_environment(
    tmp_path: Path, video: Path, origin: Origin, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a word"))
    chosen = SignerSettings(
        certificates=put(tmp_path, "chain.pem", authority.issue(key)),
        key=put(tmp_path, "key.pem", locked),
        passphrase_variable="STUDIO_WORD",
    )
    with pytest.raises(Problem, match="passphrase"):
        Provenance.of(origin, CredentialSettings(signer=chosen))
    monkeypatch.setenv("STUDIO_WORD", "a word")
    assert Provenance.of(origin, CredentialSettings(signer=chosen)).sign(video)["credential"]["signer"] == "Eve Studio"
