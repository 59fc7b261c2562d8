"""The JSON schema of a record, for editors and other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from stages.consent.record import Consent

PLACE: Final = Path("data/consent/schema.json")


def schema() -> str:
    """JSON Schema (draft 2020-12) of ``data/consent/<identity>.yaml``."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Consent.model_json_schema()}
    return json.dumps(made, indent=2) + "\n"
