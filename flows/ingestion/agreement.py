"""Which consent record lets a file of footage in. It is tried on a copy of the project's records before it is filed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.ingestion.inbox import Content, Found, Inbox
from stages.atomic import whole_files
from stages.consent import FOLDER, Consent, Use, consent_path, read_consent, require_use
from stages.consent.filing import DRAFTS, present, put_in_force
from stages.consent.reading import HISTORY, hashes_in, is_version_1, parse_record
from stages.consent.text import read_yaml
from stages.problems import Problem
from stages.settings import Clip, Params

LARGEST: Final = 1 << 20
"""Bytes of the largest file that is read as a record."""


@dataclass(frozen=True)
class Agreement:
    """Who agreed that a clip may be used.

    Attributes:
        record: as it lies beside the footage, or as it is in force here.
        where: which of the two.
    """

    record: Consent
    where: str

    def require(self, clip: str, path: Path, params: Params, content: Content | None = None) -> None:
        """Make sure that the record lets a clip in today, with all that the project knows of it.

        Args:
            clip: its name.
            path: where the footage will lie.
            params: the settings, without the clip.
            content: what the footage holds, if that is known yet.

        Raises:
            Problem: the record does not hold, or does not cover this clip or this footage.
        """
        with _copied() as folder, self._told(folder):
            if self.record.status == "revoked":
                raise Problem("status: the consent was withdrawn", where=self.where, mend="leave the footage out")
            entry = Clip.model_validate({"identity": self.record.identity, "path": path})
            wanted = params.model_copy(update={"clips": params.clips | {clip: entry}})
            file_record(self.record, folder)
            held = require_use(self.record.identity, Use("training", clips=(clip,)), wanted, folder=folder)
            if content is not None:
                self._require_footage(held, clip, content)

    def _require_footage(self, held: Consent, clip: str, content: Content) -> None:
        footage = held.evidence.footage
        if footage is None or footage.clips.get(clip) == content.sha256:
            return
        known = clip in footage.clips
        what = "is not the footage that was agreed on" if known else "is not part of the footage that it lists"
        raise Problem(
            f"evidence.footage: '{clip}' {what}; its SHA-256 is {content.sha256}",
            where=self.where,
            mend="put the agreed file there, or have a record signed for this one",
        )

    @contextmanager
    def _told(self, folder: Path) -> Iterator[None]:
        """Faults of the copy are those of the record beside the footage."""
        try:
            yield
        except Problem as problem:
            what, mend = (text.replace(str(folder), str(FOLDER)) for text in (problem.what, problem.mend))
            raise Problem(what, where=self.where, mend=mend) from problem


def find_agreement(found: Found, clip: str, inbox: Inbox) -> Agreement:
    """The record in the footage's folder that names the clip, or else the one in force here that does.

    Raises:
        Problem: there is none, or one that can not be read; or there are several people's.
    """
    beside: dict[str, Agreement] = {}
    unread: list[Problem] = []
    for each in inbox.records:
        if each.folder != found.folder or each.size > LARGEST:
            continue
        try:
            record = _parsed(inbox.text_of(each), each.url)
        except Problem as problem:
            unread.append(problem)
            continue
        if clip in record.clips:
            beside.setdefault(record.identity, Agreement(record, each.url))
    agreed = beside or {each.record.identity: each for each in _in_force(clip)}
    if not agreed and unread:
        raise unread[0]
    if not agreed:
        raise Problem(
            f"there is no consent record beside it that names the clip '{clip}'",
            where=found.url,
            mend=f"lay the signed record beside it ({found.stem}.yaml, `likeness consent new` drafts one), "
            f"with '{clip}' among its clips",
        )
    if len(agreed) > 1:
        raise Problem(
            f"records of several people name the clip '{clip}': {', '.join(sorted(agreed))}",
            where=found.url,
            mend="leave the record of the one who is seen in it, or name the file otherwise",
        )
    return next(iter(agreed.values()))


def file_record(record: Consent, folder: Path = FOLDER) -> Consent:
    """Put a record in force, if it is newer than what is; gives what is in force then.

    Raises:
        Problem: another record than the one that it replaces is in force.
    """
    now = present(record.identity, folder)
    if now is not None and not is_version_1(now):
        current = parse_record(now, consent_path(record.identity, folder))
        if record.hash == current.hash or record.hash in hashes_in(folder / HISTORY):
            return current
    put_in_force(record, folder)
    return record


def _in_force(clip: str) -> Iterator[Agreement]:
    for path in whole_files(FOLDER, "*.yaml"):
        try:
            record = read_consent(path.stem)
        except Problem:
            continue
        if clip in record.clips:
            yield Agreement(record, str(path))


def _parsed(text: bytes, url: str) -> Consent:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "record.yaml"
        copy.write_bytes(text)
        try:
            return parse_record(read_yaml(copy), copy)
        except Problem as problem:
            # a field may follow the file's name
            raise Problem(problem.what, where=problem.where.replace(str(copy), url), mend=problem.mend) from problem


@contextmanager
def _copied() -> Iterator[Path]:
    """A copy of the project's records and trusted keys, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / FOLDER.name
        if FOLDER.is_dir():
            shutil.copytree(FOLDER, folder, ignore=_without_drafts)
        else:
            folder.mkdir()
        yield folder


def _without_drafts(_: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name == DRAFTS]
