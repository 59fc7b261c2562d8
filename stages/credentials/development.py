"""Certificates for development: the same on every machine, and worth nothing as proof of who signed.

They are made from a text that everybody can read, with fixed numbers and dates, so that the samples are signed to the
same bytes everywhere and a fresh clone goes the way of real ones. Nothing that they sign is ever called trusted.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME: Final = "Likeness development certificate"
"""Common name of the certificate that signs."""

_ORGANISATION: Final = "Likeness development: anybody can sign with this"
_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TO: Final = datetime(2100, 1, 1, tzinfo=UTC)


def development_key() -> Ed25519PrivateKey:
    """The key that everybody has."""
    return _key("a key for samples")


@cache
def development_root() -> bytes:
    """The root that vouches for the signing certificate, as PEM. It belongs on nobody's list of trusted ones."""
    key, name = _key("a root for samples"), _name("Likeness development root")
    made = _begun(name, name, key, 1)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = made.add_extension(_usage(signs=False), critical=True)
    return made.sign(key, None).public_bytes(Encoding.PEM)


@cache
def development_certificates() -> bytes:
    """The signing certificate and its root, as PEM."""
    key, root = development_key(), _key("a root for samples")
    made = _begun(_name(NAME), _name("Likeness development root"), key, 2)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(signs=True), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key())
    made = made.add_extension(issuer, critical=False)
    return made.sign(root, None).public_bytes(Encoding.PEM) + development_root()


def _key(what: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"Likeness: {what}".encode()).digest())


def _name(common: str) -> x509.Name:
    attributes = {NameOID.ORGANIZATION_NAME: _ORGANISATION, NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes.items()])


def _begun(subject: x509.Name, issuer: x509.Name, key: Ed25519PrivateKey, number: int) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(number).not_valid_before(_FROM).not_valid_after(_TO)
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )
