"""Certificate authorities for tests: a root, and signing certificates of every kind that it may issue."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

EMAIL: Final = ExtendedKeyUsageOID.EMAIL_PROTECTION
SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH


def pem_of(key: Key) -> bytes:
    """The private key, PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Authority:
    """Issues certificates."""

    name: str
    key: Key
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str = "root of a studio") -> Authority:
        """A root. Its certificates for keys of a kind, names of a length and the same uses are equally long."""
        key = ed25519.Ed25519PrivateKey.generate()
        return cls(name, key, _issued(name, key, name, key, authority=True, usages=(), days=(-30, 3000)))

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issue(
        self,
        key: Key,
        name: str = "Eve Studio",
        *,
        usages: Sequence[x509.ObjectIdentifier] = (EMAIL,),
        days: tuple[int, int] = (-1, 300),
        authority: bool = False,
    ) -> bytes:
        """A chain for a key, as PEM: its certificate, then the authority's. ``days`` from now: from when to when."""
        made = _issued(name, key, self.name, self.key, authority=authority, usages=usages, days=days)
        return made.public_bytes(Encoding.PEM) + self.pem


def self_signed(key: Key, name: str = "Eve herself") -> bytes:
    """A signing certificate that nobody but itself vouches for."""
    return _issued(name, key, name, key, authority=False, usages=(EMAIL,), days=(-1, 300)).public_bytes(Encoding.PEM)


def put(folder: Path, name: str, content: bytes, mode: int = 0o600) -> Path:
    """Write a file that nobody else may read."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return path


def _issued(
    name: str,
    key: Key,
    issuer: str,
    by: Key,
    *,
    authority: bool,
    usages: Sequence[x509.ObjectIdentifier],
    days: tuple[int, int],
) -> x509.Certificate:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(_named(name)).issuer_name(_named(issuer)).public_key(key.public_key())
    made = made.serial_number(1 << 100 | secrets.randbits(64))
    made = made.not_valid_before(now + timedelta(days[0])).not_valid_after(now + timedelta(days[1]))
    made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    usage |= {"decipher_only": False, "digital_signature": not authority}
    usage |= {"key_cert_sign": authority, "crl_sign": authority}
    made = made.add_extension(x509.KeyUsage(**usage), critical=True)
    if usages:
        stamps = ExtendedKeyUsageOID.TIME_STAMPING in usages  # of which RFC 3161 asks that it be critical
        made = made.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=stamps)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
    return made.sign(by, None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _named(name: str) -> x509.Name:
    attributes = {NameOID.ORGANIZATION_NAME: "a studio", NameOID.COMMON_NAME: name}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes.items()])
