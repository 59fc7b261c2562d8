"""Consent as data: no stage touches a person's footage without a record that allows it."""

from stages.consent.gate import (
    Use,
    require_clip_consent,
    require_companion_consent,
    require_pair_consent,
    require_record,
    require_swap_consent,
    require_use,
)
from stages.consent.reading import FOLDER, consent_path, read_consent
from stages.consent.record import Consent, Role

__all__ = [
    "FOLDER",
    "Consent",
    "Role",
    "Use",
    "consent_path",
    "read_consent",
    "require_clip_consent",
    "require_companion_consent",
    "require_pair_consent",
    "require_record",
    "require_swap_consent",
    "require_use",
]
