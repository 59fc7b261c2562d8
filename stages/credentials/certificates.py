"""Whether a certificate can sign credentials: the profile of the C2PA specification 2.x, section 14.5."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from stages.problems import Problem

SIGNS_CREDENTIALS: Final = {
    ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string: "emailProtection",
    "1.3.6.1.5.5.7.3.36": "documentSigning",
    "1.3.6.1.4.1.62558.2.1": "c2pa-kp-claimSigning",
}
"""Extended key usages that readers accept."""

_NOT_BESIDE: Final = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string: "anything",
    ExtendedKeyUsageOID.TIME_STAMPING.dotted_string: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string: "answers of OCSP",
}
"""Extended key usages that no certificate has which signs credentials."""

_CURVES: Final = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_SMALLEST_RSA: Final = 2048


def read_chain(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, as they stand in it.

    Raises:
        Problem: it can not be read, or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError:
        raise Problem("the certificates can not be read", where=path, mend="name the PEM file with the chain") from None
    except ValueError:
        raise Problem("it holds no certificate", where=path, mend="name a PEM file with the chain") from None


def require_signing_chain(chain: list[x509.Certificate], where: Path, *, now: datetime | None = None) -> str:
    """Make sure that readers will accept what the first certificate of a chain signs.

    Returns:
        its algorithm by C2PA's name: ``es256``, ``es384``, ``es512``, ``ps256`` or ``ed25519``.

    Raises:
        Problem: it is over or not begun, signs itself, may not sign credentials or may do more than that, the next one
            did not issue it, or its key is of a kind that C2PA does not know.
    """
    leaf, moment = chain[0], now or datetime.now(UTC)
    if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
        held = f"from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
        raise Problem(f"the certificate holds {held}, which is not now", where=where, mend="have it renewed")
    if leaf.issuer == leaf.subject:
        raise Problem(
            "the certificate signs itself: nobody vouches for it",
            where=where,
            mend="have one issued by a certificate authority, or by one of your own whose root you give to readers",
        )
    if is_authority(leaf):
        raise Problem("the first certificate is an authority's", where=where, mend="put the signing certificate first")
    usages = {usage.dotted_string for usage in _extended_usages(leaf)}
    if not usages & SIGNS_CREDENTIALS.keys():
        accepted = ", ".join(SIGNS_CREDENTIALS.values())
        raise Problem(
            f"the certificate may not sign credentials: its extended key usage has none of {accepted}",
            where=where,
            mend="have one issued for this use",
        )
    _require_profile(leaf, usages, where)
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except Exception as error:  # of many kinds; all say that the one did not issue the other
            raise Problem(
                "a certificate was not issued by the one after it",
                where=where,
                mend="put the signing certificate first, then each one's issuer",
            ) from error
    return algorithm_of(leaf, where)


def _require_profile(leaf: x509.Certificate, usages: set[str], where: Path) -> None:
    """What else readers refuse a certificate for, told before a film is encoded for it."""
    said = None
    if other := sorted(_NOT_BESIDE[usage] for usage in usages & _NOT_BESIDE.keys()):
        said = f"its extended key usage allows {' and '.join(other)} besides"
    elif not _signs(leaf):
        said = "its key usage is not digitalSignature without keyCertSign"
    elif not _has(leaf, x509.AuthorityKeyIdentifier):
        said = "it has no authority key identifier"
    if said is not None:
        raise Problem(
            f"readers refuse this certificate: {said}", where=where, mend="have one issued as C2PA's profile asks"
        )


def _signs(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and not usage.key_cert_sign


def _has(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> bool:
    return any(isinstance(each.value, kind) for each in certificate.extensions)


def algorithm_of(certificate: x509.Certificate, where: Path) -> str:
    """C2PA's name of the algorithm that goes with a certificate's key.

    Raises:
        Problem: there is none.
    """
    key = certificate.public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA:
        return "ps256"
    raise Problem(
        "C2PA does not know keys of this kind",
        where=where,
        mend="have a certificate issued for a key on P-256, P-384 or P-521, for Ed25519, or for RSA of 2048 bits",
    )


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _extended_usages(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return []
