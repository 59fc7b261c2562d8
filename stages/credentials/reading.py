"""Reads a credential, ours or any other C2PA tool's, and says what holds of it."""

from __future__ import annotations

import json
import mmap
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import c2pa

from stages.credentials.development import development_root
from stages.credentials.manifest import LINEAGE, MARK
from stages.credentials.signing import EMBEDDABLE, OTHER, sidecar_of

Trust = Literal["trusted", "development", "self-signed", "unknown"]
"""Whether somebody on the reader's list vouches for the signer; ``development``: anybody can have signed."""

Where = Literal["file", "sidecar", "registry"]


@dataclass(frozen=True)
class Stamp:
    """A time stamp (RFC 3161) over a signature, which holds: it was there at that time.

    Attributes:
        time: in ISO 8601, as whoever stamped says.
        by: name of the certificate that stamped.
        trusted: whether somebody on the reader's list vouches for it. If not, anybody can have stamped any time.
    """

    time: str
    by: str
    trusted: bool


_STORE: Final = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
"""How the description of a manifest store begins (JUMBF)."""

_NUMBER: Final = re.compile(r"[0-9a-f]{12}")
_UNTRUSTED: Final = "signingCredential.untrusted"
_LISTS: Final[dict[str, Trust]] = {"system_anchors": "trusted", "user_anchors": "development"}
"""What the library calls its two lists of authorities: ours go into the one, the development root into the other."""


@dataclass(frozen=True)
class Credential:
    """What a credential says, and what holds of it.

    Attributes:
        where: it was found.
        valid: whether the signature holds and nothing was altered since. It says nothing about who signed.
        trust: in who signed.
        failures: why it is not valid, each as the specification's code and a sentence.
        signer, issuer: names of the signing certificate and of who issued it.
        algorithm, expires: of that certificate.
        manifest: the active manifest, as the library's JSON has it.
        ingredients: the manifests of what it was made from, and of what that was, as far as they came along.
        stamp: when it was signed; None if nobody stamped it, or the stamp is of something else.
    """

    where: Where
    valid: bool
    trust: Trust
    failures: tuple[tuple[str, str], ...] = ()
    signer: str = ""
    issuer: str = ""
    algorithm: str = ""
    expires: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)
    ingredients: tuple[dict[str, Any], ...] = ()
    stamp: Stamp | None = None

    def assertion(self, label: str) -> dict[str, Any] | None:
        """The content of the first assertion of a label, None if there is none."""
        return _assertion(self.manifest, label)

    def handed_on(self, label: str) -> dict[str, Any] | None:
        """The content of the first assertion of a label, or that of an ingredient: another program that exports a
        film signs it anew, and keeps what it was made from."""
        found = (_assertion(each, label) for each in (self.manifest, *self.ingredients))
        return next((each for each in found if each is not None), None)

    @property
    def marks(self) -> tuple[str, ...]:
        """The numbers of our invisible marks that it says are in the pictures, or in what they were made from."""
        numbers: list[str] = []
        for manifest in (self.manifest, *self.ingredients):
            for binding in _assertions(manifest, "c2pa.soft-binding"):
                values = (
                    [each.get("value") for each in mappings(binding.get("blocks"))]
                    if binding.get("alg") == MARK
                    else []
                )
                numbers += [value for value in values if isinstance(value, str) and _NUMBER.fullmatch(value)]
        return tuple(dict.fromkeys(numbers))

    @property
    def delivery(self) -> str | None:
        """What was handed over with it, ``deliverable`` or ``layers``; None if it is none of ours."""
        lineage = self.assertion(LINEAGE)
        if lineage is None:
            return None
        parts = lineage.get("parts")
        return str(parts.get("delivery", "deliverable")) if isinstance(parts, dict) else "deliverable"

    @property
    def actions(self) -> list[dict[str, Any]]:
        """What was done, in order."""
        return _actions(self.manifest)

    @property
    def all_actions(self) -> list[dict[str, Any]]:
        """The same, and what was done to what it was made from."""
        return [action for manifest in (self.manifest, *self.ingredients) for action in _actions(manifest)]


def _assertion(manifest: dict[str, Any], label: str) -> dict[str, Any] | None:
    return next(iter(_assertions(manifest, label)), None)


def _assertions(manifest: dict[str, Any], label: str) -> list[dict[str, Any]]:
    """The contents of all assertions of a label; a second one of a label has a number after it."""
    named = [
        each for each in mappings(manifest.get("assertions")) if str(each.get("label", "")).split("__")[0] == label
    ]
    return mappings([each.get("data") for each in named])


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    content = _assertion(manifest, "c2pa.actions.v2") or _assertion(manifest, "c2pa.actions") or {}
    return mappings(content.get("actions"))


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; what others sign may have another shape."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def read_credential(asset: Path, anchors: bytes = b"") -> Credential | None:
    """The credential of a file: the one in it, else the one that lies beside it as ``<name>.c2pa``.

    Nothing is fetched from the network: neither a manifest that lies elsewhere nor a certificate's state.

    Args:
        asset: a file of any kind.
        anchors: authorities that are trusted, as PEM.

    Returns:
        None if it has none.

    Raises:
        OSError: the file can not be read.
    """
    with asset.open("rb") as stream:
        found = _read(None, stream, None, anchors, "file")
    if found is not None and not found.manifest and not _has_traces(asset):
        found = None  # a file that is broken, or of a kind that is read otherwise, but there is no credential in it
    beside = sidecar_of(asset)
    if found is not None or asset.suffix.lower() in EMBEDDABLE or not beside.is_file() or beside == asset:
        return found
    with asset.open("rb") as stream:
        return _read(OTHER, stream, beside.read_bytes(), anchors, "sidecar")


def read_kept(store: bytes, asset: Path, anchors: bytes = b"") -> Credential | None:
    """The credential that was kept for a file which has lost its own; it is not valid if the file was changed since.

    Raises:
        OSError: the file can not be read.
    """
    with asset.open("rb") as stream:
        return _read(EMBEDDABLE.get(asset.suffix.lower(), OTHER), stream, store, anchors, "registry")


def _read(media_type: str | None, stream: Any, store: bytes | None, anchors: bytes, where: Where) -> Credential | None:
    lists = {"user_anchors": development_root().decode("ascii")}
    if anchors:
        lists["trust_anchors"] = anchors.decode("ascii")
    verify = {"verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False}
    context = c2pa.Context.from_dict({"trust": lists, "verify": verify})
    try:
        with c2pa.Reader(media_type, stream, store, context=context) as reader:
            return _told(json.loads(reader.json()), json.loads(reader.crjson()), where)
    except (c2pa.C2paError, ValueError) as error:
        if _says_none(error):
            return None
        return Credential(where, False, "unknown", (("general.error", str(error)),))


def _has_traces(asset: Path) -> bool:
    """Whether a manifest store begins somewhere in a file."""
    if not asset.stat().st_size:
        return False
    with asset.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_STORE) >= 0


def _says_none(error: Exception) -> bool:
    """Whether the library says that there is no credential, or that the file is of no kind that could hold one."""
    return isinstance(error, (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported))


def _told(plain: dict[str, Any], certified: dict[str, Any], where: Where) -> Credential:
    results = plain.get("validation_results", {})
    said = results.get("activeManifest", {}).get("failure", [])
    for delta in results.get("ingredientDeltas", []):
        said = said + delta.get("validationDeltas", {}).get("failure", [])
    failures = [(each.get("code", ""), each.get("explanation", "")) for each in said]
    state = plain.get("validation_state")
    held = {
        each.get("code"): each.get("explanation", "") for each in results.get("activeManifest", {}).get("success", [])
    }
    active = plain.get("active_manifest", "")
    manifests = plain.get("manifests", {})
    manifest = manifests.get(active, {})
    signature = manifest.get("signature_info") or {}
    papers = _signature(certified, active).get("certificateInfo") or {}
    subject, issuer = papers.get("subject", {}), papers.get("issuer", {})
    return Credential(
        where,
        valid=state in ("Valid", "Trusted"),
        trust=_trust(held, subject, issuer),
        failures=tuple(each for each in failures if each[0] != _UNTRUSTED),
        signer=subject.get("CN") or subject.get("O") or signature.get("common_name") or "",
        issuer=issuer.get("CN") or issuer.get("O") or signature.get("issuer") or "",
        algorithm=signature.get("alg") or "",
        expires=str(papers.get("validity", {}).get("notAfter", "")),
        manifest=manifest,
        ingredients=tuple(each for label, each in manifests.items() if label != active),
        stamp=_stamp(_signature(certified, active).get("timeStampInfo"), held),
    )


def _trust(held: dict[str, str], subject: dict[str, Any], issuer: dict[str, Any]) -> Trust:
    """In who signed the active manifest, if the signature holds: the media may have been altered since.

    Told by what holds of that manifest alone: the library's word on the whole store is that of any ingredient's signer,
    and whoever forges may take a film of somebody trusted for one.
    """
    said = held.get("signingCredential.trusted", "") if "claimSignature.validated" in held else ""
    for name, trust in _LISTS.items():
        if f"[{name}]" in said:
            return trust
    return "self-signed" if subject and subject == issuer else "unknown"


def _stamp(told: Any, held: dict[str, str]) -> Stamp | None:
    """The time stamp, by what the library found to hold of it; the development root's list vouches for no clock."""
    if not isinstance(told, dict) or "timeStamp.validated" not in held:
        return None
    subject = (told.get("certificateInfo") or {}).get("subject", {})
    trusted = "timeStamp.trusted" in held and "user_anchors" not in held["timeStamp.trusted"]
    return Stamp(str(told.get("timestamp", "")), str(subject.get("CN") or subject.get("O") or ""), trusted)


def _signature(certified: dict[str, Any], active: str) -> dict[str, Any]:
    """What is told of the signature of the active manifest: who signed, and who stamped it."""
    for manifest in certified.get("manifests", []):
        if manifest.get("label") == active:
            told = manifest.get("signature")
            return told if isinstance(told, dict) else {}
    return {}
