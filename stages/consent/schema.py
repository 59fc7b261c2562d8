"""The JSON schema of a record, for editors and other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from stages.consent.record import ALWAYS_PROHIBITED, MINING_USES, Consent

PLACE: Final = Path("data/consent/schema.json")

READER_ALONE: Final = (
    "Refused by the reader, though this schema takes it, since a JSON schema compares no two values: a term that "
    "expires before it is given; a destroy_by before the end of the term; pairings that name the identity itself; a "
    "merkle_root that is not that of its clips; a day that no calendar has."
)


def schema() -> str:
    """JSON Schema (draft 2020-12) of ``data/consent/<identity>.yaml``."""
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": READER_ALONE}
    made = {**about, **Consent.model_json_schema(), "allOf": _rules()}
    return json.dumps(made, indent=2) + "\n"


def _rules() -> list[dict[str, Any]]:
    """What the reader asks of several fields together (:meth:`Consent._agrees_with_itself` and its parts)."""
    person = _with(kind={"const": "person"})
    proof = _with(
        evidence=_with(document={"type": "object"}),
        term=_with(expires={"type": "string"}),
        retention_period=_with(destroy_by={"type": "string"}),
    )
    destroyed = _with(retention_period=_with(destroy_by={"type": "string"}))
    ended = _with(withdrawal={"type": "object"})
    constrained = {"anyOf": [_with(**{use: {"const": "constrained"}}) for use in MINING_USES]}
    return [
        *({"properties": {"prohibited_content": {"contains": {"const": each}}}} for each in ALWAYS_PROHIBITED),
        {"if": person, "then": proof},
        {"if": destroyed, "then": _with(term=_with(expires={"type": "string"}))},
        {"if": ended, "then": _with(status={"const": "revoked"})},
        {
            "if": _with(training_and_mining={"type": "object", **constrained}),
            "then": _with(training_and_mining=_with(constraints={"type": "string"})),
        },
    ]


def _with(**fields: dict[str, Any]) -> dict[str, Any]:
    """An object that has these fields, each as it is said."""
    return {"properties": fields, "required": list(fields)}
