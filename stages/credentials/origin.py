"""What a deliverable was made from, and the one hash over all of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from stages.artifacts.frames import Frames
from stages.canonical import hash_of
from stages.consent.record import Consent

SOFTWARE: Final = "Likeness"

VERSION: Final = "0.1.0"
"""As pyproject.toml has it. The installed packages can not be asked: a checkout runs without being one of them."""

Delivery = Literal["deliverable", "layers"]
"""What is handed over: the finished film, or layers that somebody else lays over the clip."""


@dataclass(frozen=True)
class Origin:
    """What a deliverable was made from.

    Attributes:
        clip_title: file name of the target's clip.
        clip_sha256: of its file.
        model_sha256: of the swap model's ``model.json``, which names its data and settings by their hashes.
        frames_sha256: of the hashes of all finished frames.
        settings_sha256: of the encoding's settings, but for who signs; of layers, of the compositing's.
        consents: the records that allow it, by what they allow: ``source``, ``target``, ``companion ...``.
        delivery: what is handed over.
    """

    clip_title: str
    clip_sha256: str
    model_sha256: str
    frames_sha256: str
    settings_sha256: str
    consents: Mapping[str, Consent]
    delivery: Delivery = "deliverable"

    @classmethod
    def of(
        cls,
        clip: Frames,
        finished: Frames,
        model_sha256: str,
        settings: Mapping[str, Any],
        consents: Mapping[str, Consent],
        delivery: Delivery = "deliverable",
    ) -> Self:
        """As the artifacts tell it.

        Args:
            clip: the target's frames, which name its file.
            finished: frames, whose hashes are in their index.
            model_sha256: of the swap model's ``model.json``.
            settings: by which they are delivered, as plain data.
            consents: the records that allow it.
            delivery: what is handed over.
        """
        said = clip.facts.model_extra or {}
        return cls(
            clip_title=Path(str(said["source"])).name,
            clip_sha256=str(said["source_sha256"]),
            model_sha256=model_sha256,
            frames_sha256=hash_of(finished.index["hash"].tolist()),
            settings_sha256=hash_of(settings),
            consents=consents,
            delivery=delivery,
        )

    @property
    def parts(self) -> dict[str, Any]:
        """All that the root hash is over, as plain data. A companion is named by its number only.

        Only layers say what is handed over, so that the root of a deliverable is what it always was.
        """
        layers = {} if self.delivery == "deliverable" else {"delivery": self.delivery}
        return {
            **layers,
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
