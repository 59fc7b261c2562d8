"""Reads what ``likeness lineage PATH --json`` has written, as far as it takes to make the result again."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import TypeAdapter, ValidationError

from flows.lineage.rebuild import Rebuild
from flows.lineage.records import Artifact
from stages.problems import Problem

REVISION: Final = re.compile(r"[0-9a-f]{40,64}")
STAGE: Final = re.compile(r"[\w./-]+(?::[\w-]+)?(?:@[\w.-]+)?")


@dataclass(frozen=True)
class ToldStep:
    """What the document says of a step that is compared."""

    stage: str
    outputs: tuple[Artifact, ...]


@dataclass(frozen=True)
class Told:
    """What of the document is needed to make its result again; its ``steps`` have the last one first."""

    path: str
    md5: str | None
    steps: tuple[ToldStep, ...]
    rebuild: Rebuild


def read_document(file: Path) -> Told:
    """The document of ``likeness lineage PATH --json``; ``-`` is standard input.

    Raises:
        Problem: it is none, it names something outside of the project, or no revision has all that it takes.
    """
    text = sys.stdin.read() if str(file) == "-" else _text(file)
    try:
        told = TypeAdapter(Told).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the document"
        raise Problem(
            f"it is no lineage of a result: {field}: {first['msg']}",
            where=file,
            mend="`likeness lineage PATH --json` writes it",
        ) from error
    _require_harmless(told, file)
    if told.rebuild.revision is None or told.rebuild.why_not:
        why = "".join(f"\n  {reason}" for reason in told.rebuild.why_not)
        raise Problem(
            f"no revision in git has all that the result was made of:{why}",
            where=file,
            mend="commit what the result was made of (params.yaml, dvc.lock, code, records), ask for its lineage again",
        )
    return told


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"it can not be read: {error}", where=file, mend="name a file of `likeness lineage`") from error


def _require_harmless(told: Told, file: Path) -> None:
    """A document comes from anywhere: nothing in it may be an option of git or DVC, or lead out of the clone."""
    rebuild = told.rebuild
    paths = [told.path, rebuild.folder or ".", *(item.artifact.path for item in rebuild.needed)]
    bad = [path for path in paths if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts]
    bad += [path for path in paths if path.startswith("-")]
    bad += [stage for stage in rebuild.stages if not STAGE.fullmatch(stage) or stage.startswith("-")]
    bad += [address for address in rebuild.repository if address.startswith("-") or "::" in address]
    if rebuild.revision is not None and not REVISION.fullmatch(rebuild.revision):
        bad.append(rebuild.revision)
    if bad or not rebuild.stages:
        raise Problem(
            f"it names what no lineage names: {', '.join(map(repr, bad)) or 'no stage'}",
            where=file,
            mend="take a document that `likeness lineage PATH --json` has written",
        )
