"""What a deliverable was made from, and the one hash over all of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stages.canonical import hash_of
from stages.consent.record import Consent

SOFTWARE: Final = "Likeness"

VERSION: Final = "0.1.0"
"""As pyproject.toml has it. The installed packages can not be asked: a checkout runs without being one of them."""


@dataclass(frozen=True)
class Origin:
    """What a deliverable was made from.

    Attributes:
        clip_title: file name of the target's clip.
        clip_sha256: of its file.
        model_sha256: of the swap model's ``model.json``, which names its data and settings by their hashes.
        frames_sha256: of the hashes of all finished frames.
        settings_sha256: of the encoding's settings, but for who signs.
        consents: the records that allow it, by what they allow: ``source``, ``target``, ``companion ...``.
    """

    clip_title: str
    clip_sha256: str
    model_sha256: str
    frames_sha256: str
    settings_sha256: str
    consents: Mapping[str, Consent]

    @property
    def parts(self) -> dict[str, Any]:
        """All that the root hash is over, as plain data. A companion is named by its number only."""
        return {
            "software": {"name": SOFTWARE, "version": VERSION},
            "clip": {"sha256": self.clip_sha256},
            "model": {"sha256": self.model_sha256},
            "frames": {"sha256": self.frames_sha256},
            "settings": {"sha256": self.settings_sha256},
            "consents": [
                {"role": role, "record_id": record.record_id, "sha256": record.hash} for role, record in self.records
            ],
        }

    @property
    def records(self) -> list[tuple[str, Consent]]:
        """(role, record), the roles without names."""
        return [(role.split()[0], record) for role, record in self.consents.items()]

    @property
    def root(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785) of :attr:`parts`, in hexadecimal: the lineage's root hash."""
        return hash_of(self.parts)

    def identifier(self, what: str) -> uuid.UUID:
        """An identifier that follows from the root; marked as of version 4, since C2PA's library takes no other."""
        return uuid.UUID(bytes=hashlib.sha256(f"{what} {self.root}".encode()).digest()[:16], version=4)
