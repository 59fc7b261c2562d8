"""Where results of a person lie in the working tree: outputs, what a killed stage left beside them, scratch, layers,
previews, what was decided by hand."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from flows.lineage.records import Step
from stages import disclosure

DATA: Final = Path("data")
LAYERS: Final = DATA / "layers"
DECISIONS: Final = DATA / "decisions"
SCRATCH: Final = Path(".scratch")
"""Where stages that were killed left what was whole of their work (``stages/resuming.py``), trainings a checkpoint."""
FINGERPRINT: Final = r"-[0-9a-f]+"
"""How the name of a training's scratch folder goes on after the pair's."""

_NAMELESS: Final = "landmarks.png"
"""What the chart of landmarks was called before its name told the clip: whose face it shows, nobody can say."""

_OF_A_SWAP: Final = ("conversion", "compositing", "encoding", "evaluation")
"""Stages by which a swap is known to have been there, whose preview shows both people."""


def places_of(root: Path, own: Iterable[Step], present: Iterable[Step]) -> list[Path]:
    """All files and folders that lie there, from the repository's folder, none within another.

    Args:
        root: the repository's folder.
        own: the person's steps, of any time.
        present: the other people's steps as they are now: what they write is theirs, whoever's lay there before.
    """
    theirs = {output.path for step in present for output in step.outputs}
    going_on = {step.stage for step in present}
    theirs_and_above = theirs | {str(parent) for path in theirs for parent in Path(path).parents}
    found: set[Path] = set()
    for step in own:
        stage, _, item = step.stage.partition("@")
        for output in step.outputs:
            if not _is_theirs(output.path, theirs, theirs_and_above):
                found |= set(_with_leftovers(root, Path(output.path)))
        if stage == "training" and item:
            found |= set(_named(root / SCRATCH / stage, re.escape(item) + FINGERPRINT))
        elif item and step.stage not in going_on:
            found |= set(_named(root / SCRATCH / stage, re.escape(item)))
        if stage == "compositing" and item:
            found |= set(_with_leftovers(root, LAYERS / item))
        if stage == "decisions" and item and step.stage not in going_on:
            name = re.escape(item)
            found |= set(_named(root / DECISIONS, rf"{name}\.yaml")) | set(
                _named(root / SCRATCH / "landmarks", rf"{name}\.png")
            )
            found |= set(_named(root / SCRATCH, re.escape(_NAMELESS)))
        if stage in _OF_A_SWAP and item:
            found |= set(_named(root / SCRATCH / "preview", re.escape(item) + r"\.png"))
    return outermost(path.relative_to(root) for path in found)


def outermost(places: Iterable[Path]) -> list[Path]:
    """Those that lie in none of the others, each once, sorted."""
    each = set(places)
    return sorted(place for place in each if not any(parent in each for parent in place.parents))


def files_in(place: Path) -> Iterator[Path]:
    """The file, or those in the folder; links are not followed."""
    if place.is_dir() and not place.is_symlink():
        for folder, _, names in os.walk(place):
            yield from (Path(folder) / name for name in names)
    else:
        yield place


def remove(root: Path, place: Path) -> None:
    """Remove a file or folder, and the folders that are empty then, below ``data``.

    Of layers, the file that tells whose they are goes last: by it the next run finds what one that was killed left.
    """
    path = root / place
    if path.is_dir() and not path.is_symlink():
        for each in path.iterdir():
            if each.name != disclosure.LAYERS:
                _remove(each)
    _remove(path)
    for parent in path.parents:
        if not parent.is_relative_to(root / DATA) or parent == root / DATA or any(parent.iterdir()):
            break
        parent.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def halves_of(place: Path) -> Iterator[Path]:
    """What was written by a process that was killed, and lies beside the place that it was for (``stages/atomic.py``).

    Raises:
        OSError: the folder can not be looked into.
    """
    yield from _named(place.parent, rf"\.{re.escape(place.name)}\..*\.part.*")


def _is_theirs(path: str, theirs: set[str], theirs_and_above: set[str]) -> bool:
    return path in theirs_and_above or any(str(parent) in theirs for parent in Path(path).parents)


def _with_leftovers(root: Path, output: Path) -> Iterator[Path]:
    """An output, and what a stage that was killed left of it beside it."""
    place = root / output
    if place.exists() or place.is_symlink():
        yield place
    for each in (place, place.parent):  # a training writes several outputs of one folder at once
        if each != root and DATA.name in each.relative_to(root).parts[:-1]:
            yield from halves_of(each)


def _named(folder: Path, pattern: str) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if re.fullmatch(pattern, path.name))
