"""What a credential says, in the words of the C2PA specification 2.x and of CAWG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from stages.canonical import canonical
from stages.consent.record import MINING_USES, Consent, Mining
from stages.credentials.origin import SOFTWARE, VERSION, Delivery, Origin

COMPOSITE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's digital source type: footage, a part of which a trained algorithm has made."""

CONSENT: Final = "likeness.consent"
LINEAGE: Final = "likeness.lineage"
"""Labels of the two assertions of our own. The project has no internet domain whose name they could bear."""

MARK: Final = "likeness.watermark.1"
"""Names the mark's method, for readers of ``c2pa.soft-binding``; it is not on C2PA's list of methods."""

STRICTER: Final[tuple[Mining, ...]] = ("allowed", "constrained", "notAllowed")
"""Each is stricter than those before."""

_FORMATS: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".mxf": "application/mxf",
    ".ts": "video/mp2t",
    ".mts": "video/mp2t",
    ".m2ts": "video/mp2t",
}
"""Media types of clips. A machine's own list of types differs from the next one's, and the bytes are signed."""

_DONE: Final[dict[Delivery, str]] = {
    "deliverable": "a face was replaced by another person's likeness, with the consent of both",
    "layers": "layers were made that replace a face in the clip by another person's likeness, with the consent of both",
}


def manifest_of(origin: Origin, title: str, media_type: str, mark: str | None = None) -> dict[str, Any]:
    """The manifest's definition, as the C2PA project's library takes it: equal for equal origins.

    Args:
        origin: what the deliverable was made from.
        title: what the deliverable is called.
        media_type: of its file.
        mark: the number in the invisible mark of its pictures, in hexadecimal; None if they have none.
    """
    software = {"name": SOFTWARE, "version": VERSION}
    actions: list[dict[str, Any]] = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["target"]}},
        {
            "action": "c2pa.edited",
            "description": _DONE[origin.delivery],
            "softwareAgent": software,
            "digitalSourceType": COMPOSITE,
            "parameters": {"ingredientIds": ["model"]},
        },
    ]
    assertions: list[dict[str, Any]] = [
        {"label": "cawg.training-mining", "data": _training_and_mining([record for _, record in origin.records])},
        {"label": CONSENT, "data": {"records": [_scope(role, record) for role, record in origin.records]}},
        {"label": LINEAGE, "data": {"alg": "sha256", "root": origin.root, "parts": origin.parts}},
    ]
    if mark is not None:
        binding = {"alg": MARK, "blocks": [{"scope": {}, "value": mark}]}
        actions.append({"action": "c2pa.watermarked.bound", "softwareAgent": software})
        assertions.append({"label": "c2pa.soft-binding", "data": binding})
    assertions.insert(0, {"label": "c2pa.actions.v2", "data": {"actions": actions}})
    return {
        "claim_generator_info": [software],
        "title": title,
        "format": media_type,
        "label": f"urn:c2pa:{origin.identifier('manifest')}",
        "instance_id": f"xmp:iid:{origin.identifier('deliverable')}",
        "assertions": [each | {"created": True} for each in assertions],
        "ingredients": [
            {
                "label": "target",
                "title": origin.clip_title,
                "format": _FORMATS.get(Path(origin.clip_title).suffix.lower(), "application/octet-stream"),
                "relationship": "parentOf",
                "instance_id": f"sha256:{origin.clip_sha256}",
                "description": "the target's clip",
            },
            {
                "label": "model",
                "title": "swap model",
                "format": "application/octet-stream",
                "relationship": "inputTo",
                "instance_id": f"sha256:{origin.model_sha256}",
                "description": "the trained networks that drew the face",
                "data_types": [{"type": "c2pa.types.model.onnx"}],
            },
        ],
    }


def canonical_definition(definition: dict[str, Any]) -> str:
    """The definition as JSON, in one order."""
    return canonical(definition).decode("utf-8")


def _scope(role: str, record: Consent) -> dict[str, Any]:
    """What a record allows, without what tells who: no pseudonym, no purpose, no names of clips or partners."""
    scope = {
        "role": role,
        "record_id": record.record_id,
        "sha256": record.hash,
        "kind": record.kind,
        "roles": list(record.roles),
        "media": list(record.media),
        "geographic_restrictions": record.geographic_restrictions,
        "prohibited_content": list(record.prohibited_content),
        "expires": record.term.expires.isoformat() if record.term.expires else None,
    }
    return {name: value for name, value in scope.items() if value is not None}


def _training_and_mining(records: Sequence[Consent]) -> dict[str, Any]:
    """What others may do with the deliverable: of each use what the strictest of all its records says.

    A record that says nothing allows nothing: a consent covers what it names.
    """
    entries = {}
    for use in MINING_USES:
        said = [(_said(record, use), record.training_and_mining) for record in records]
        strictest = max((answer for answer, _ in said), key=STRICTER.index, default="notAllowed")
        entry = {"use": strictest}
        if strictest == "constrained":
            bound = {terms.constraints for answer, terms in said if terms and terms.constraints and answer == strictest}
            entry["constraint_info"] = "; ".join(sorted(bound))
        entries[f"cawg.{use}"] = entry
    return {"entries": entries}


def _said(record: Consent, use: str) -> Mining:
    answer: Mining | None = getattr(record.training_and_mining, use, None)
    return answer or "notAllowed"
