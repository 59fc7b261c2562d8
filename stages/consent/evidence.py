"""What proves a consent, and whether it is still what the record says: document, footage, enrolled face."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Sequence
from pathlib import Path

from stages.artifacts.files import sha256_of
from stages.canonical import canonical
from stages.consent.keys import FACE_KEY, face_key, private_folder
from stages.consent.reading import FOLDER, consent_path, read_consent
from stages.consent.record import Consent, FaceCommitment
from stages.detection.settings import Unenrolled
from stages.pictures import PictureSequence, sha256_of_pictures
from stages.problems import Problem
from stages.settings import Clip, Params

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
    _require_there(pictures)
    content = canonical(sorted(sha256_of(picture) for picture in pictures))
    return FaceCommitment(
        hmac_sha256=hmac.new(secret, content, hashlib.sha256).hexdigest(), key_id=hashlib.sha256(secret).hexdigest()
    )


def _require_there(pictures: Sequence[Path]) -> None:
    for picture in pictures:
        if not picture.is_file():
            raise Problem(
                "the reference picture is not there",
                where=picture,
                mend="put it there, or correct identities.<name>.reference in params.yaml",
            )


def require_pictures(identity: str, params: Params) -> None:
    """The pictures that a person's face is enrolled by, before a record is made that must commit to them.

    Raises:
        Problem: there are none, and people whose face is not enrolled are refused; or one is missing.
    """
    pictures = params.identities[identity].reference
    if not pictures and params.detection.unenrolled == "refuse":
        raise Problem(
            f"no picture of '{identity}' is named, so the record could not say whose face is meant",
            where=f"params.yaml, identities.{identity}.reference",
            mend=f"name one or more of the face from the front, {identity}: {{reference: [photo.png]}}; or, to do "
            "without, set detection.unenrolled to warn",
        )
    _require_there(pictures)


def require_enrolled_face(
    record: Consent,
    pictures: Sequence[Path],
    where: Path,
    *,
    unenrolled: Unenrolled = "refuse",
    private: Path | None = None,
) -> None:
    """The face that the record commits to, by which the person is told from others in their clips.

    Args:
        record: of the identity.
        pictures: of the identity, from params.yaml.
        where: the record's file.
        unenrolled: what happens where a person's record commits to no face, or nobody can check the commitment here.
        private: folder of the key of commitments; the user's own if left out.

    Raises:
        Problem: the pictures are others than those that were enrolled; or, unless that is only warned of, the record of
            a person commits to none, or the commitment's key is not on this machine.
    """
    folder = private_folder() if private is None else private
    lacking = _unchecked(record, pictures, where, folder)
    if lacking is None:
        if record.evidence.face is not None:
            _require_the_enrolled(record, record.evidence.face, pictures, where, folder)
    elif unenrolled == "refuse":
        raise lacking
    else:
        log.warning("%s: %s; it was not checked whose face is taken", where, lacking.what)


def require_enrolment(identity: str, params: Params, *, folder: Path = FOLDER) -> None:
    """The enrolled face of an identity as detection asks for it, without looking at footage.

    Raises:
        Problem: as :func:`require_enrolled_face`, or there is no record that can be read.
    """
    record, pictures = read_consent(identity, folder), params.identities[identity].reference
    require_enrolled_face(record, pictures, consent_path(identity, folder), unenrolled=params.detection.unenrolled)


def _unchecked(record: Consent, pictures: Sequence[Path], where: Path, private: Path) -> Problem | None:
    """Why nobody can tell whose face is meant; None if it can be told, or nobody's is: a performer is rendered."""
    name, agreed = record.identity, record.evidence.face
    warn = "or, to do without, set detection.unenrolled to warn"
    if agreed is None and record.kind == "synthetic":
        return None
    if agreed is None:
        first = "" if pictures else f"name pictures of the face at identities.{name}.reference of params.yaml; "
        return Problem(
            f"evidence.face: the record of '{name}' commits to no face, so anybody's would pass for theirs",
            where=where,
            mend=f"{first}`python -m stages.consent new {name}` enrols the face, then both sign the record; {warn}",
        )
    secret = face_key(private=private)
    if secret is None or hashlib.sha256(secret).hexdigest() != agreed.key_id:
        return Problem(
            "evidence.face: the key of this commitment is not on this machine",
            where=where,
            mend=f"copy {FACE_KEY} from the machine where the face was enrolled into {private} (LIKENESS_KEYS names "
            f"another folder); if it is lost, `python -m stages.consent new {name}` enrols the face anew; {warn}",
        )
    return None


def _require_the_enrolled(
    record: Consent, agreed: FaceCommitment, pictures: Sequence[Path], where: Path, private: Path
) -> None:
    secret = face_key(private=private)
    if secret is None or not pictures or face_commitment(pictures, secret) != agreed:
        raise Problem(
            f"evidence.face: the reference pictures of '{record.identity}' are not those that were enrolled",
            where=where,
            mend=f"put the enrolled pictures back at identities.{record.identity}.reference of params.yaml",
        )
