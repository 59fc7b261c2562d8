"""Keys of the mark, and the identifiers that it carries."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

from stages.problems import Problem
from stages.watermark.code import IDENTIFIER_BITS

PUBLIC_KEY: Final = b"Likeness: the mark that everybody can read"
"""The key in use unless another is set. It is public, since a mark that tells people the truth must be readable by
everybody; so it proves that something says it was made here, not who made it: that is for credentials. Whoever knows a
key can also forge and disturb its mark."""

_SHORTEST: Final = 16


def key_in(path: Path | None) -> bytes:
    """The key that a file holds, or the public one if there is none.

    Raises:
        Problem: the file can not be read, or holds too little to be a key.
    """
    if path is None:
        return PUBLIC_KEY
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise Problem(
            f"the watermark's key can not be read ({error.strerror})",
            where=path,
            mend="name its file: encoding.watermark_key, or --watermark-key of verify",
        ) from error
    if len(key) < _SHORTEST:
        raise Problem(
            f"a watermark's key has {_SHORTEST} bytes at least, this one {len(key)}",
            where=path,
            mend="make one: openssl rand -hex 32 > FILE",
        )
    return key


def key_name(key: bytes) -> str:
    """What a key is called in facts: ``public``, or the beginning of its SHA-256."""
    return "public" if key == PUBLIC_KEY else hashlib.sha256(key).hexdigest()[:16]


def identifier_of(key: bytes, *made_from: str) -> int:
    """An identifier that says nothing by itself, and is the same whenever the same thing is made again.

    HMAC-SHA256 of what it is made from, cut to the identifier's bits.
    """
    said = hmac.new(key, "\0".join(made_from).encode(), hashlib.sha256).digest()
    return int.from_bytes(said[: IDENTIFIER_BITS // 8], "big")
