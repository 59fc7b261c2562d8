"""Whom a reader trusts: the certificate authorities of a folder, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from stages.atomic import whole_files
from stages.credentials.certificates import is_authority, read_chain
from stages.credentials.development import development_root
from stages.problems import Problem

FOLDER: Final = Path("data/credentials/anchors")
"""Of a project's trusted authorities, one or several to a PEM file. In git: every machine trusts the same."""


def read_anchors(folder: Path) -> bytes:
    """The authorities of a folder as PEM, empty if there is none.

    Raises:
        Problem: a file holds something else: no certificate, one that is no authority, the development root.
    """
    development = x509.load_pem_x509_certificate(development_root())
    trusted: list[x509.Certificate] = []
    for path in whole_files(folder, "*.pem"):
        for certificate in read_chain(path):
            if not is_authority(certificate):
                raise Problem(
                    "it is no authority's certificate, and who signs can not vouch for themselves",
                    where=path,
                    mend="put the root there that issued it",
                )
            if certificate.public_key() == development.public_key():
                raise Problem(
                    "anybody can sign with the development certificate: it is never trusted",
                    where=path,
                    mend="remove it",
                )
            trusted.append(certificate)
    return b"".join(each.public_bytes(Encoding.PEM) for each in trusted)
