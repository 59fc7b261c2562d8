"""One text for one content: what is hashed and signed does not depend on how a file is laid out (RFC 8785)."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785
from pydantic_core import to_jsonable_python


def canonical(content: Any) -> bytes:
    """The canonical JSON of plain data; dates become text as in ISO 8601.

    Raises:
        ValueError: it has something that JSON can not say.
    """
    return rfc8785.dumps(to_jsonable_python(content))


def hash_of(content: Any) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()
