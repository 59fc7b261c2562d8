"""The same credential for the same content: the salts in a manifest store, made from what they stand with.

The C2PA project's library puts 16 random bytes into each assertion (JUMBF, ISO 19566-5, box ``c2sh``), and no setting
of it fixes them. They serve to hide an assertion that is taken out later, whose hash stays. Nothing is taken out of
ours, so a salt may be known; random ones would be all that differs between two runs. Sizes stay as they are, and the
signature is made after this: what the boxes hold is written and read by the library alone.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple


class _Salted(NamedTuple):
    """A box with a salt: where its content begins and ends, which is what is hashed, and where its salt does."""

    begin: int
    end: int
    salt: int
    salt_end: int


def settle_salts(store: bytes, message: bytes) -> tuple[bytes, bytes]:
    """A manifest store, and what is to be signed of it, with salts that follow from the content.

    Args:
        store: JUMBF, as the library made it; its signature does not count yet.
        message: the COSE ``Sig_structure`` (RFC 9052) that goes with it: it holds the claim, which holds the hashes.

    Returns:
        both, as long as they were.
    """
    settled = store
    for box in _salted(store, 0, len(store)):
        before = hashlib.sha256(store[box.begin : box.end]).digest()
        made = hashlib.sha256(settled[box.begin : box.salt] + settled[box.salt_end : box.end]).digest()
        settled = settled[: box.salt] + made[: box.salt_end - box.salt] + settled[box.salt_end :]
        after = hashlib.sha256(settled[box.begin : box.end]).digest()
        # a later assertion may name an earlier one by its hash, too; the library puts ingredients first
        settled, message = settled.replace(before, after), message.replace(before, after)
    return settled, message


def _salted(store: bytes, begin: int, end: int) -> Iterator[_Salted]:
    """The boxes that have a salt, in order."""
    for at, size, kind in _boxes(store, begin, end):
        if kind != b"jumb":
            continue
        described = next(_boxes(store, at + 8, at + size), None)
        if described is None or described[2] != b"jumd":
            continue
        salt = store.find(b"c2sh", described[0] + 8, described[0] + described[1])
        if salt < 0:
            yield from _salted(store, at + 8, at + size)
        else:
            yield _Salted(at + 8, at + size, salt + 4, described[0] + described[1])


def _boxes(store: bytes, begin: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """(place, size, kind) of each box."""
    while begin + 8 <= end:
        size, kind = struct.unpack(">I4s", store[begin : begin + 8])
        if not 8 <= size <= end - begin:
            return
        yield begin, size, kind
        begin += size
