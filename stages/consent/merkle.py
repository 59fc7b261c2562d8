"""A Merkle tree as in RFC 6962, section 2.1: one hash for many, of which one can be shown without the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from stages.canonical import canonical


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The tree's root, 32 bytes; leaves and nodes are told apart by a first byte, so that neither passes for the other.

    The permissively licensed packages have no RFC 6962 tree; its published test vectors are in the tests.
    """
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def footage_root(clips: Mapping[str, str]) -> str:
    """The root, in hexadecimal, over clips by name; a leaf is the canonical JSON of name and SHA-256."""
    return merkle_root([canonical({"clip": clip, "sha256": clips[clip]}) for clip in sorted(clips)]).hex()
