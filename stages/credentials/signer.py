"""Who signs: certificates, and something that makes signatures without showing the private key to anyone else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from stages.consent.text import read_yaml
from stages.credentials.certificates import read_chain, require_signing_chain
from stages.credentials.development import development_certificates, development_key
from stages.credentials.settings import CredentialSettings, SignerSettings
from stages.problems import Problem
from stages.settings import parse

LOCAL: Final = Path(typer.get_app_dir("likeness")) / "signer.yaml"
"""Describes this machine's signer, where the settings say ``local``."""

COMMAND_SECONDS: Final = 120.0
"""How long a program may take to sign: somebody may have to touch a token."""

_DEVELOPMENT: Final = Path("encoding.credential.signer")
_PSS: Final = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


@dataclass(frozen=True)
class Signer:
    """A signer.

    Attributes:
        certificates: PEM, the signing certificate first.
        algorithm: by C2PA's name.
        signature_bytes: the length of each signature.
        name: of the signing certificate.
        development: whether it is the one that everybody has.
        timestamps: address of a time-stamp authority, None without.
    """

    certificates: bytes
    algorithm: str
    signature_bytes: int
    name: str
    development: bool
    timestamps: str | None
    _make: Callable[[bytes], bytes]

    @classmethod
    def of(cls, settings: CredentialSettings) -> Signer:
        """The signer that the settings name. It is looked at before there is anything to sign.

        Raises:
            Problem: its certificates or its key are missing, can not be used, or do not belong to each other.
        """
        if settings.signer == "development":
            chain = x509.load_pem_x509_certificates(development_certificates())
            return _signer(chain, _DEVELOPMENT, _signing_with(development_key()), development=True)
        chosen = _local() if settings.signer == "local" else settings.signer
        chain = read_chain(chosen.certificates)
        key = None
        if chosen.key_command:
            make = _by_command(chosen.key_command)
        else:
            key = _private_key(chosen)
            make = _signing_with(key)
        signer = _signer(chain, chosen.certificates, make, timestamps=chosen.timestamps)
        if key is not None and key.public_key() != chain[0].public_key():
            raise _not_each_others()
        return signer

    def sign(self, message: bytes) -> bytes:
        """The signature of a message: of ECDSA both numbers beside each other (IEEE P1363), as COSE has them.

        Raises:
            Problem: it could not be made, or is not by the certificate's key.
        """
        signature = self._make(message)
        key = x509.load_pem_x509_certificate(self.certificates).public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            signature = _as_numbers(signature, self.signature_bytes // 2)
        try:
            _verify(key, signature, message)
        except (InvalidSignature, ValueError) as error:
            raise Problem(
                f"the signature is none by the certificate's key, as {self.algorithm} makes them",
                where=_DEVELOPMENT,
                mend="name the key that the certificate was issued for; of a program: es256 takes SHA-256, es384 "
                "SHA-384, es512 SHA-512, and ps256 PSS with SHA-256 and a salt of 32 bytes",
            ) from error
        return signature


def _not_each_others() -> Problem:
    return Problem(
        "the private key and the certificate do not belong to each other",
        where=_DEVELOPMENT,
        mend="name the key that the certificate was issued for",
    )


def _signer(
    chain: list[x509.Certificate],
    where: Path,
    make: Callable[[bytes], bytes],
    *,
    development: bool = False,
    timestamps: str | None = None,
) -> Signer:
    algorithm = require_signing_chain(chain, where)
    key = chain[0].public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = 2 * ((key.curve.key_size + 7) // 8)
    else:
        size = key.key_size // 8 if isinstance(key, rsa.RSAPublicKey) else 64
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    return Signer(pem, algorithm, size, _common_name(chain[0]), development, timestamps, make)


def _local() -> SignerSettings:
    try:
        return parse(SignerSettings, read_yaml(LOCAL), where=str(LOCAL), described="docs/credentials.md")
    except FileNotFoundError:
        raise Problem(
            "this machine's signer is not described",
            where=LOCAL,
            mend="write it as docs/credentials.md shows, or set encoding.credential.signer: development",
        ) from None


def _private_key(settings: SignerSettings) -> PrivateKeyTypes:
    if settings.key is not None:
        where: str | Path = settings.key
        content = _read_private(settings.key)
    else:
        where = f"${settings.key_variable}"
        content = os.environ.get(settings.key_variable or "", "").encode()
        if not content:
            raise Problem("this environment variable does not hold the private key", where=where, mend="set it, as PEM")
    phrase = os.environ.get(settings.passphrase_variable or "", "").encode() or None
    try:
        return load_pem_private_key(content, phrase)
    except (ValueError, TypeError) as error:
        raise Problem(
            "it holds no private key in PEM, or its passphrase is missing or wrong",
            where=where,
            mend="name a PEM file; put the passphrase into the variable that passphrase_variable names",
        ) from error


def _read_private(path: Path) -> bytes:
    """A private key's file, which nobody else may read."""
    place = path.absolute()
    # by the name that is given and by where a link leads
    if any((parent / ".git").exists() for parent in (*place.parents, *place.resolve().parents)):
        raise Problem("a private key must not lie in a repository", where=path, mend="keep it elsewhere")
    try:
        mode, content = place.stat().st_mode, place.read_bytes()
    except OSError:
        raise Problem("the private key can not be read", where=path, mend="name its file") from None
    if os.name == "posix" and mode & 0o077:
        raise Problem("others may read this private key", where=path, mend=f"chmod 600 {path}")
    return content


def _signing_with(key: PrivateKeyTypes) -> Callable[[bytes], bytes]:
    """Signs with a key in memory; with ECDSA as RFC 6979 says, so that equal messages get equal signatures."""

    def sign(message: bytes) -> bytes:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(message)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(_hash_of(key.curve), deterministic_signing=True))
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(message, _PSS, hashes.SHA256())
        raise Problem(
            "C2PA does not know keys of this kind", where=_DEVELOPMENT, mend="use Ed25519, P-256, P-384, P-521 or RSA"
        )

    return sign


def _by_command(command: tuple[str, ...]) -> Callable[[bytes], bytes]:
    """Signs by a program: the message on its standard input, the signature on its standard output."""

    def sign(message: bytes) -> bytes:
        said = "it was not found"
        try:
            done = subprocess.run(command, input=message, capture_output=True, timeout=COMMAND_SECONDS, check=False)
            if done.returncode == 0 and done.stdout:
                return done.stdout
            said = done.stderr.decode(errors="replace").strip()[-500:] or f"exit status {done.returncode}"
        except subprocess.TimeoutExpired:
            said = f"it took longer than {COMMAND_SECONDS:g} s"
        except OSError as error:
            said = str(error)
        raise Problem(
            f"the program that signs did not: {said}",
            where=" ".join(command),
            mend="try it by hand: it takes the message on its standard input and writes the bare signature",
        )

    return sign


def _as_numbers(signature: bytes, size: int) -> bytes:
    """An ECDSA signature as two numbers of ``size`` bytes; programs often give DER."""
    if len(signature) == 2 * size:
        return signature
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError) as error:
        raise Problem(
            "what the key gave is no ECDSA signature", where=_DEVELOPMENT, mend="let it write DER or r and s"
        ) from error


def _verify(key: object, signature: bytes, message: bytes) -> None:
    match key:
        case ed25519.Ed25519PublicKey():
            key.verify(signature, message)
        case ec.EllipticCurvePublicKey():
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), message, ec.ECDSA(_hash_of(key.curve)))
        case rsa.RSAPublicKey():
            key.verify(signature, message, _PSS, hashes.SHA256())


def _hash_of(curve: ec.EllipticCurve) -> hashes.HashAlgorithm:
    """The hash that COSE (RFC 9053) puts with a curve."""
    return {256: hashes.SHA256(), 384: hashes.SHA384()}.get(curve.key_size, hashes.SHA512())


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME) or list(certificate.subject)
    return str(names[0].value) if names else "without a name"
