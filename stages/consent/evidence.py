"""What proves a consent, and whether it is still what the record says: document, footage, enrolled face."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Sequence
from pathlib import Path

from stages.artifacts.files import sha256_of
from stages.canonical import canonical
from stages.consent.keys import PRIVATE, face_key
from stages.consent.record import Consent, FaceCommitment
from stages.pictures import PictureSequence, sha256_of_pictures
from stages.problems import Problem
from stages.settings import Clip

log = logging.getLogger(__name__)


def require_document(record: Consent, where: Path) -> None:
    """The document, if the record says that it lies here.

    Raises:
        Problem: it is missing or is another one.
    """
    document = record.evidence.document
    if document is None or document.path is None:
        return
    path = Path(document.path)
    if not path.is_file():
        raise Problem(
            f"evidence.document: '{path}' is not there",
            where=where,
            mend="put the signed document back there; it is what proves the consent",
        )
    if sha256_of(path) != document.sha256:
        raise Problem(
            f"evidence.document: '{path}' is not the document that was signed for; its SHA-256 is another",
            where=where,
            mend="put the original back; a changed document needs a new record",
        )


def clip_sha256(clip: Clip) -> str:
    """SHA-256 of a clip's file, or of its pictures.

    Raises:
        Problem: it is missing, or its folder does not hold one sequence of pictures.
    """
    if clip.path.is_dir():
        return sha256_of_pictures(PictureSequence.find(clip.path, clip.rate, clip.pictures).files)
    if not clip.path.is_file():
        raise Problem(
            "the clip is not there", where=clip.path, mend="put the file there or correct its path in params.yaml"
        )
    return sha256_of(clip.path)


def require_agreed_footage(record: Consent, name: str, clip: Clip, where: Path) -> None:
    """A clip's file, if the record says which footage it is about.

    Raises:
        Problem: it is not among the footage, or another file lies there, or none.
    """
    footage = record.evidence.footage
    if footage is None:
        return
    agreed = footage.clips.get(name)
    if agreed is None:
        raise Problem(
            f"evidence.footage: clip '{name}' is not part of the footage under its Merkle root",
            where=where,
            mend=f"have a record signed that covers it: python -m stages.consent new {record.identity}",
        )
    if clip_sha256(clip) != agreed:
        raise Problem(
            f"evidence.footage: clip '{name}' ({clip.path}) is not the footage that was agreed on; the Merkle root "
            "differs",
            where=where,
            mend="put the agreed file back, or have a record signed for the new one",
        )


def face_commitment(pictures: Sequence[Path], secret: bytes) -> FaceCommitment:
    """Commit to the face that an identity's reference pictures show.

    A plain hash or embedding of a face tells anyone who has a picture whether it is this person; with the secret only
    its holder can. The pictures are committed to rather than the embedding: they are the same bytes on every machine.

    Raises:
        Problem: a picture is missing.
    """
    for picture in pictures:
        if not picture.is_file():
            raise Problem(
                "the reference picture is not there",
                where=picture,
                mend="put it there, or correct identities.<name>.reference in params.yaml",
            )
    content = canonical(sorted(sha256_of(picture) for picture in pictures))
    return FaceCommitment(
        hmac_sha256=hmac.new(secret, content, hashlib.sha256).hexdigest(), key_id=hashlib.sha256(secret).hexdigest()
    )


def require_enrolled_face(record: Consent, pictures: Sequence[Path], where: Path, *, private: Path = PRIVATE) -> None:
    """The reference pictures, if the record commits to a face.

    Raises:
        Problem: they are others than those that were enrolled.
    """
    agreed = record.evidence.face
    if agreed is None:
        return
    secret = face_key(private=private)
    if secret is None or hashlib.sha256(secret).hexdigest() != agreed.key_id:
        log.warning("%s: the key of the face commitment is not on this machine, so it was not checked", where)
        return
    if not pictures or face_commitment(pictures, secret) != agreed:
        raise Problem(
            f"evidence.face: the reference pictures of '{record.identity}' are not those that were enrolled",
            where=where,
            mend=f"put the enrolled pictures back at identities.{record.identity}.reference of params.yaml",
        )
