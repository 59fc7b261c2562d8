"""Puts a signed credential into a file, or beside it: the same bytes for the same file, manifest and key."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import c2pa

from stages.credentials.manifest import canonical_definition
from stages.credentials.salts import settle_salts
from stages.credentials.signer import Signer
from stages.problems import Outage, Problem

EMBEDDABLE: Final = {".mp4": "video/mp4", ".mov": "video/quicktime"}
"""Files that hold their credential themselves. Matroska has no place for one; the credential then lies beside it."""

SIDECAR: Final = ".c2pa"

OTHER: Final = "application/octet-stream"
"""What a file without a place for a credential is to the library, whatever it is."""

_NO_STAMP: Final = "Signature: internal error"
"""What the library says of an authority that can not be reached, refuses, or answers with something else: of the
signer's own faults it is not asked, they are raised as they are."""

_SETTINGS: Final = {
    # no thumbnail: it would show a face, and the file is at hand. The actions are ours; verification comes after.
    "builder": {
        "thumbnail": {"enabled": False},
        "actions": {"auto_opened_action": {"enabled": False}, "auto_created_action": {"enabled": False}},
        "bmff_hash_exclude_free_and_skip_boxes": False,
    },
    "core": {"backing_store_memory_threshold_in_mb": 32},  # what is larger waits in a file, not in memory
    "verify": {"verify_after_sign": False, "ocsp_fetch": False, "remote_manifest_fetch": False},
}


class Signed(NamedTuple):
    """The file that holds a credential, and the credential's manifest store."""

    holder: Path
    store: bytes


def sign(asset: Path, definition: dict[str, Any], signer: Signer) -> Signed:
    """Sign a file: ``.mp4`` and ``.mov`` get the credential into them, others beside them, as ``<name>.c2pa``.

    Args:
        asset: the file; it must change no more after this.
        definition: of the manifest, as :func:`~stages.credentials.manifest.manifest_of` gives it.
        signer: who signs.

    Raises:
        Outage: the time-stamp authority gives no stamp.
        Problem: it can not be signed. The file may be spoilt then, and must not be delivered.
    """
    media_type = EMBEDDABLE.get(asset.suffix.lower())
    scratch = asset.with_name(f".{asset.name}.signed")
    try:
        store = _sign(asset, scratch, canonical_definition(definition), media_type, signer)
        if media_type is not None:
            scratch.replace(asset)
            return Signed(asset, store)
        beside = sidecar_of(asset)
        beside.write_bytes(store)
        return Signed(beside, store)
    except c2pa.C2paError as error:
        if signer.timestamps is not None and str(error).startswith(_NO_STAMP):
            raise Outage(
                f"it could not be signed: the time-stamp authority {signer.timestamps} gives no stamp: {error}",
                where="encoding.credential.signer, timestamps",
                mend="check the address, and run again when it answers; without one a credential ends with its "
                "certificate",
            ) from error
        if "certificate" in str(error) and signer.timestamps is None:  # else it may be the authority's
            raise Problem(
                f"it could not be signed: {error}",
                where="encoding.credential.signer",
                mend="have a certificate issued as C2PA's profile asks",
            ) from error
        raise Problem(
            f"it could not be signed: {error}",
            where=asset,
            mend="set encoding.container to mov or mp4; encoding.credential says who signs",
        ) from error
    finally:
        scratch.unlink(missing_ok=True)


def sidecar_of(asset: Path) -> Path:
    """Where the credential of a file lies that can not hold it."""
    return asset.with_suffix(SIDECAR)


def _sign(asset: Path, signed: Path, definition: str, media_type: str | None, signer: Signer) -> bytes:
    """Write the signed file, unless it can not hold a credential; returns the manifest store."""
    messages: list[bytes] = []
    problems: list[Problem] = []
    # No signature yet: what is to be signed is known only when the salts are.
    blank = hashlib.shake_256(b"the signature goes here").digest(signer.signature_bytes)

    def give(message: bytes) -> bytes:
        messages.append(message)
        if signer.timestamps is None:
            return blank
        try:
            return signer.sign(message)
        except Problem as problem:
            problems.append(problem)  # the library would swallow it
            return b""

    algorithm = c2pa.C2paSigningAlg[signer.algorithm.upper()]
    context = c2pa.Context.from_dict(_SETTINGS)
    certificates = signer.certificates.decode("ascii")
    try:
        with (
            c2pa.Signer.from_callback(give, algorithm, certificates, signer.timestamps) as by,
            c2pa.Builder.from_json(definition, context=context) as builder,
            asset.open("rb") as source,
            tempfile.TemporaryFile(dir=asset.parent) if media_type is None else signed.open("w+b") as target,
        ):
            if media_type is None:
                builder.set_no_embed()
            store: bytes = builder.sign(by, media_type or OTHER, source, target)
    except c2pa.C2paError:
        if problems:
            raise problems[0] from None
        raise
    if signer.timestamps is not None:  # a time stamp is over the signature, so nothing can be put in its place
        return store
    (message,) = messages
    settled, message = settle_salts(store, message)
    settled = settled.replace(blank, signer.sign(message))
    if media_type is not None:
        _put(signed, store, settled)
    return settled


def _put(path: Path, before: bytes, after: bytes) -> None:
    """Write over the one place where a file holds some bytes."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        at = content.find(before)
        if at < 0 or len(before) != len(after):
            raise Problem("the credential is not where it should be", where=path, mend="report this as a fault")
        content[at : at + len(after)] = after
