"""Takes one file in: looked at first, then copied, filed, versioned by DVC and entered in params.yaml, in this order.

The entry comes last, and every step before it finds its own result when it is done again. So a run that was killed
anywhere is finished by the next.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from flows.children import Children
from flows.command.settings_file import add_entry
from flows.ingestion.agreement import Agreement, file_record, find_agreement
from flows.ingestion.inbox import Content, Found, Inbox
from flows.stage import environment
from stages.atomic import whole_file
from stages.extraction.reading import ClipReader
from stages.extraction.storable import each_storable
from stages.problems import Problem, told_as_problem
from stages.settings import Params, load_params
from stages.video import open_clip

FILE: Final = Path("params.yaml")
FOOTAGE: Final = Path("data/footage")
SCRATCH: Final = Path(".scratch/ingest")
PARTS: Final = ".*.part*"
"""Names beside the footage, of what is copied from another disk: neither DVC nor git takes one for its own."""

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")

State = Literal["new", "there already", "still arriving", "refused"]


@dataclass(frozen=True)
class Arrival:
    """What became of a file of the inbox.

    Attributes:
        file: its address.
        clip: its name in params.yaml.
        state: ``new`` if it came in now; what is ``refused`` was left where it is.
        reason: why, if it did not come in.
        mend: what to do about that.
    """

    file: str
    clip: str
    state: State
    reason: str = ""
    mend: str = ""


def take_in(found: Found, inbox: Inbox, settled_seconds: float, tell: Callable[[str], None]) -> Arrival:
    """Take a file in, unless it is in already, still arrives, or must not.

    The working directory is the repository's folder.

    Args:
        found: the file.
        inbox: where it lies.
        settled_seconds: how long nobody must have written to it.
        tell: gets what DVC says, line by line.

    Raises:
        OSError: the inbox or the disk failed; that may pass.
    """
    clip = found.stem
    try:
        if not NAME.fullmatch(clip):
            raise Problem(
                f"'{clip}' can be no clip's name",
                where=found.url,
                mend="name the file with small letters, digits, '-' and '_'",
            )
        if [each.stem for each in inbox.footage].count(clip) > 1:
            raise Problem(f"several files are named '{clip}'", where=found.url, mend="name all but one otherwise")
        params = load_params(FILE)
        if clip in params.clips:
            return _known(found, inbox, clip, params)
        if not inbox.has_settled(found, settled_seconds):
            return Arrival(found.url, clip, "still arriving", "somebody wrote to it a moment ago")
        twin = _twin(found, inbox, params)
        if twin is not None:
            return Arrival(found.url, twin, "there already", f"the clip '{twin}' is the same, byte for byte")
        agreement = find_agreement(found, clip, inbox)
        place = FOOTAGE / f"{clip}{found.suffix}"
        agreement.require(clip, place, params)
        return _copied_in(found, inbox, agreement, clip, place, params, tell)
    except Problem as problem:
        reason = problem.what if problem.where == found.url else f"{problem.where}: {problem.what}"
        return Arrival(found.url, clip, "refused", reason, problem.mend)


def _copied_in(
    found: Found,
    inbox: Inbox,
    agreement: Agreement,
    clip: str,
    place: Path,
    params: Params,
    tell: Callable[[str], None],
) -> Arrival:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    scratch = SCRATCH / place.name
    try:
        content = inbox.fetch(found, scratch)
        if inbox.has_changed(found):
            return Arrival(found.url, clip, "still arriving", "somebody wrote to it while it was copied")
        agreement.require(clip, place, params, content)
        require_whole(scratch, found.url)
        if place.exists() and _content_of(place) != content:
            raise Problem(
                "another file lies where the footage would",
                where=place,
                mend="remove that file if nothing needs it, or name the arriving one otherwise",
            )
        # From here on something is written.
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            _moved(scratch, place)
        file_record(agreement.record)
        _version(place, found, content, tell)
        if agreement.record.identity not in params.identities:
            add_entry(FILE, "identities", agreement.record.identity, {})
        add_entry(FILE, "clips", clip, {"identity": agreement.record.identity, "path": place.as_posix()})
    finally:
        scratch.unlink(missing_ok=True)
    return Arrival(found.url, clip, "new")


def require_whole(path: Path, told: str) -> None:
    """Make sure that all of a film can be decoded, and be kept without loss.

    Raises:
        Problem: it is no film, is damaged, breaks off, or has pictures that can not be kept.
    """
    try:
        with open_clip(path) as container:
            reader = ClipReader(container, path)
            frames = sum(1 for _ in each_storable(iter(reader), path))
            if not frames:
                raise Problem("it has no picture that can be decoded", where=path, mend="copy it there once more")
            if reader.broken is not None:
                raise Problem(
                    f"its end is missing: {reader.broken.why}",
                    where=path,
                    mend="copy it there once more; if it was shot so, `likeness add clip` takes the whole frames",
                )
    except Problem as problem:
        raise Problem(problem.what.replace(str(path), path.name), where=told, mend=problem.mend) from problem


def _known(found: Found, inbox: Inbox, clip: str, params: Params) -> Arrival:
    """A file whose name is a clip's: the same content, or another that must not take its place."""
    path = params.clips[clip].path
    noted = _dvc_file(path).get("meta") or {}
    if noted.get("from") == found.url and noted.get("mark") == found.mark:
        return Arrival(found.url, clip, "there already")
    if path.is_file() and path.stat().st_size == found.size and inbox.fetch(found) == _content_of(path):
        return Arrival(found.url, clip, "there already")
    outs = _dvc_file(path).get("outs") or [{}]
    if not path.exists() and outs[0].get("size") == found.size and inbox.fetch(found).md5 == outs[0].get("md5"):
        return Arrival(found.url, clip, "there already")
    raise Problem(
        f"there is a clip '{clip}' of other content already ({path})",
        where=found.url,
        mend="name the file otherwise: what was made of a clip stays what it was made of",
    )


def _twin(found: Found, inbox: Inbox, params: Params) -> str | None:
    """The clip that has the same content under another name, as far as DVC has its hash."""
    outs = {name: (_dvc_file(clip.path).get("outs") or [{}])[0] for name, clip in params.clips.items()}
    alike = {name: out.get("md5") for name, out in outs.items() if out.get("size") == found.size}
    content = inbox.fetch(found) if alike else None  # all of it is read only where that can tell something
    return next((name for name, md5 in alike.items() if content is not None and md5 == content.md5), None)


def _version(place: Path, found: Found, content: Content, tell: Callable[[str], None]) -> None:
    """Have DVC keep the footage, with a note of where it came from."""
    said: list[str] = []

    def on_line(line: str) -> None:
        said.append(line)
        tell(line)

    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "add", "--quiet", place.as_posix()]
    status = Children().run(command, cwd=Path.cwd(), on_line=on_line, env=environment())
    if status != 0:
        raise Problem(
            f"DVC did not take it: {' '.join(said[-4:]) or f'status {status}'}",
            where=place,
            mend="mend what it names, run again",
        )
    # DVC keeps what stands under `meta`. By the mark the next run knows the file without reading all of it again.
    noted = {"from": found.url, "mark": found.mark, "sha256": content.sha256}
    # Written elsewhere, and not beside: DVC would take what a kill leaves there for a file of its own.
    scratch = SCRATCH / f"{place.name}.yaml"
    scratch.write_text(yaml.safe_dump(_dvc_file(place) | {"meta": noted}, sort_keys=False), encoding="utf-8")
    _moved(scratch, _beside(place))


def _moved(scratch: Path, place: Path) -> None:
    """Give a finished file its place; where that is on another disk it is there whole or not at all, too.

    Raises:
        Problem: that disk is full, or may not be written.
    """
    with told_as_problem(place):
        try:
            scratch.replace(place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with whole_file(place) as part, scratch.open("rb") as source, part.open("wb") as target:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())
            scratch.unlink()


def remove_left(root: Path) -> None:
    """Remove what a run that was killed left half-written; no other may take footage in meanwhile.

    Raises:
        Problem: it can not be removed.
    """
    shutil.rmtree(root / SCRATCH, ignore_errors=True)
    for left in (root / FOOTAGE).glob(PARTS):
        with told_as_problem(left):
            left.unlink()


def _beside(place: Path) -> Path:
    return place.with_name(f"{place.name}.dvc")


def _dvc_file(place: Path) -> dict[str, Any]:
    """What DVC's file about a piece of footage says; nothing where there is none."""
    file = _beside(place)
    read = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    return read if isinstance(read, dict) else {}


def _content_of(path: Path) -> Content:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return Content(md5.hexdigest(), sha256.hexdigest())
