"""Ed25519 keys (RFC 8032): private ones outside of the repository, trusted public ones in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from stages.atomic import whole_files
from stages.consent.record import Party, Words
from stages.consent.text import read_yaml, write_yaml
from stages.problems import Problem, nearest
from stages.settings import NAME, Name, parse

FOLDER: Final = Path("data/consent/keys")
"""Of the trusted public keys. They are in the repository, so that every machine trusts the same ones, and the history
says who added one and when."""

PRIVATE: Final = Path(typer.get_app_dir("likeness")) / "keys"
"""Of the private keys, unless another folder is named: the user's own, never in the repository."""

PRIVATE_KEYS: Final = "LIKENESS_KEYS"
"""Name of the variable that names another folder."""

FACE_KEY: Final = "faces.key"
"""File name of the secret for commitments to faces. Git ignores it wherever it lies, in case a copy strays."""

DEVELOPMENT: Final = "development"
"""Name of the key that signs the project's own samples."""

_DEVELOPMENT_KEY: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"Likeness: a key for samples").digest())
"""Made from a text that everybody can read, so it proves nothing about who signed. It lets a fresh clone run through
the same checks as real records, and is accepted for rendered performers only."""


class PublicKey(BaseModel):
    """Whose key it is, as ``data/consent/keys/<name>.yaml`` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holder: Words = Field(description="pii_principal_id or one of pii_controllers of the records that it signs")
    party: Party
    public_key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Ed25519, raw, hexadecimal"
    )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw key, in hexadecimal."""
        return hashlib.sha256(bytes.fromhex(self.public_key)).hexdigest()

    @property
    def is_development(self) -> bool:
        """Whether it is the openly kept key, whatever its file says."""
        return self.public_key == _DEVELOPMENT_PUBLIC.public_key

    @property
    def key(self) -> Ed25519PublicKey:
        """To verify with."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))


def _hex(secret: Ed25519PrivateKey) -> str:
    """A key's public half, raw, in hexadecimal."""
    return secret.public_key().public_bytes_raw().hex()


_DEVELOPMENT_PUBLIC: Final = PublicKey(
    holder="the Likeness project", party="controller", public_key=_hex(_DEVELOPMENT_KEY)
)


@dataclass(frozen=True)
class TrustedKeys:
    """The public keys that signatures are checked with.

    Attributes:
        named: by name, the development key among them.
        folder: where they lie.
    """

    named: Mapping[str, PublicKey]
    folder: Path

    @classmethod
    def read(cls, folder: Path = FOLDER) -> TrustedKeys:
        """All of a folder.

        Raises:
            Problem: a file in it is not well formed, or takes the development key's name.
        """
        named = {DEVELOPMENT: _DEVELOPMENT_PUBLIC}
        for path in whole_files(folder, "*.yaml"):
            if path.stem == DEVELOPMENT:
                raise Problem("this name is taken by the key for samples", where=path, mend="name the file otherwise")
            named[path.stem] = parse(PublicKey, read_yaml(path), where=str(path), described="docs/consent.md")
        return cls(named, folder)

    def find(self, fingerprint: str) -> tuple[str, PublicKey] | None:
        """(name, key) with that fingerprint, None if it is not trusted."""
        return next(((name, key) for name, key in self.named.items() if key.fingerprint == fingerprint), None)


def make_key(
    name: Name, holder: str, party: Party, passphrase: str | None, *, private: Path = PRIVATE, folder: Path = FOLDER
) -> tuple[Path, Path]:
    """Make a pair of keys; returns where the private and the public one lie.

    The private one is PKCS #8 in a PEM file that only the user may read, encrypted if there is a passphrase.

    Raises:
        Problem: a key of that name exists, name or holder is none, the private folder lies in the repository, or it can
            not be written.
    """
    if not re.fullmatch(NAME, name):
        raise Problem(
            f"'{name}' is no name for a key", where="consent keygen", mend="use small letters, digits, - and _ only"
        )
    secret_path, public_path = private / f"{name}.pem", folder / f"{name}.yaml"
    for path in (secret_path, public_path):
        if path.exists() or name == DEVELOPMENT:
            raise Problem(f"there is a key '{name}' already", where=path, mend="choose another name; never replace one")
    _require_outside_repositories(private)
    made = Ed25519PrivateKey.generate()
    told = {"holder": holder, "party": party, "public_key": _hex(made)}
    public = parse(PublicKey, told, where="consent keygen", described="docs/consent.md")  # before anything is written
    shown = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(secret_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, shown))
    write_yaml(public_path, public.model_dump())
    return secret_path, public_path


def private_key(name: str, passphrase: str | None = None, *, private: Path = PRIVATE) -> Ed25519PrivateKey:
    """The private key of a name.

    Raises:
        Problem: there is none here, others may read it, or the passphrase is missing or wrong.
    """
    if name == DEVELOPMENT:
        return _DEVELOPMENT_KEY
    path = private / f"{name}.pem"
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        known = [each.stem for each in whole_files(private, "*.pem")]
        raise Problem(
            f"there is no private key '{name}' here",
            where=path,
            mend=f"sign on the machine that holds it, or make one with `python -m stages.consent keygen {name}`; "
            + nearest(name, known),
        ) from None
    if os.name == "posix" and mode & 0o077:
        raise Problem("others may read this private key", where=path, mend=f"chmod 600 {path}")
    try:
        key = load_pem_private_key(content, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError) as error:
        raise Problem(
            "the passphrase is missing or wrong", where=path, mend="run it again with the right one"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Problem("it is no Ed25519 key", where=path, mend="make one with `python -m stages.consent keygen`")
    return key


def private_folder() -> Path:
    """Of this machine's private keys, for stages, which are not told it: where the commands have put them."""
    return Path(os.environ.get(PRIVATE_KEYS) or PRIVATE)


def needs_passphrase(name: str, *, private: Path = PRIVATE) -> bool:
    """Whether a private key is encrypted."""
    path = private / f"{name}.pem"
    return path.is_file() and b"ENCRYPTED" in path.read_bytes()


def _require_outside_repositories(private: Path, mend: str = "") -> None:
    """A folder of private keys must not be one that git could take in, ignored or not: what is ignored can be added."""
    place = private.absolute()
    for here in {place, place.resolve()}:
        if any((parent / ".git").exists() for parent in (here, *here.parents)):
            known = "leave --private-keys and LIKENESS_KEYS out, or name a folder outside"
            raise Problem(
                "a private key must not lie in a repository",
                where=private,
                mend=f"{known}; {mend}" if mend else known,
            )


def face_key(*, private: Path = PRIVATE, make: bool = False) -> bytes | None:
    """The secret for commitments to faces, 32 bytes; None if there is none here and it is not to be made.

    Raises:
        Problem: it lies in a repository, or would: whoever gets it can try out whose face a record commits to.
    """
    path = private / FACE_KEY
    if path.is_file():
        _require_outside_repositories(
            private, "move it there, and make it and the commitments anew if it was committed"
        )
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    if not make:
        return None
    _require_outside_repositories(private)
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = os.urandom(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret.hex() + "\n")
    return secret
