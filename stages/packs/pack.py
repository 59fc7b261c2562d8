"""What a pack consists of, and the check that its files are the ones that were licensed."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stages.artifacts.files import sha256_of
from stages.problems import Problem

log = logging.getLogger(__name__)

OPEN: Final = "open"
FOLDER: Final = Path("data/packs")
RESEARCH_LICENCE: Final = (
    "the weights of InsightFace's pack '%s' may be used for non-commercial research only; "
    "set detection.pack to 'open' for any other use"
)

INSIGHTFACE_SAME_PERSON: Final = 0.35
"""Cosine similarity from which ArcFace embeddings are usually taken for one person's."""

Role = Literal["detection", "recognition", "landmarks", "canonical_face"]


class PackFile(BaseModel):
    """One file of a pack: what it does, what it is, where it came from and what allows its use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    file: str
    sha256: str
    origin: str
    version: str
    licence: str
    licence_file: str


class Manifest(BaseModel):
    """``pack.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    same_person: float
    """from this cosine similarity on, two embeddings are taken for one person's"""
    files: tuple[PackFile, ...]


@dataclass(frozen=True)
class Pack:
    """A pack whose files were checked.

    Attributes:
        name: "open", or that of an InsightFace pack.
        folder: where its detector and recogniser lie.
        same_person: from this cosine similarity on, two embeddings are taken for one person's.
        files: by role; an InsightFace pack names only what it borrows from the open one, the landmarks.
        licence: of the detector and the recogniser.
    """

    name: str
    folder: Path
    same_person: float
    files: dict[str, Path]
    licence: str

    @property
    def is_open(self) -> bool:
        """Whether it is the project's own pack."""
        return self.name == OPEN


def open_pack(name: str = OPEN, *, folder: Path = FOLDER) -> Pack:
    """Find a pack and check its files.

    Args:
        name: "open", or an InsightFace pack such as "buffalo_l".
        folder: holds ``open/`` and, for InsightFace's packs, ``insightface/models/<name>/``.

    Raises:
        Problem: a file is missing, or is not the one that the manifest describes; the InsightFace pack is not there.
    """
    own = folder / OPEN
    manifest = _read_manifest(own / "pack.json")
    files: dict[str, Path] = {}
    for entry in manifest.files:
        if name == OPEN or entry.role not in ("detection", "recognition"):
            files[entry.role] = _checked(own / entry.file, entry.sha256)
    if name == OPEN:
        licences = sorted({entry.licence for entry in manifest.files})
        return Pack(OPEN, own, manifest.same_person, files, ", ".join(licences))
    theirs = folder / "insightface" / "models" / name
    if not any(theirs.glob("*.onnx")):
        raise Problem(
            f"there is no pack '{name}'",
            where=theirs,
            mend=f"set detection.pack to 'open', or fetch it: `python -m stages.packs.fetch {name}`",
        )
    log.warning(RESEARCH_LICENCE, name)
    return Pack(name, theirs, INSIGHTFACE_SAME_PERSON, files, "InsightFace: non-commercial research only")


def _read_manifest(path: Path) -> Manifest:
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Problem("the pack is not there", where=path, mend="restore it: `git checkout data/packs`") from None
    except (ValueError, ValidationError) as error:
        raise Problem(f"it describes no pack: {error}", where=path, mend="`git checkout data/packs`") from error


def _checked(path: Path, sha256: str) -> Path:
    """The path, after its content was found to be the one described."""
    if not path.is_file():
        raise Problem("the network is not there", where=path, mend="restore it: `git checkout data/packs`")
    if sha256_of(path) != sha256:
        raise Problem(
            "its SHA-256 is not the one in pack.json: it is damaged or was exchanged",
            where=path,
            mend="restore it: `git checkout data/packs`",
        )
    return path
