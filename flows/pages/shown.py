"""What stages made, to look at: sheets as image artifacts, reports and deliverables as links."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prefect.artifacts import create_image_artifact, create_link_artifact

from flows.pages import files
from flows.pages.keys import key_of
from flows.pipeline import Pipeline
from flows.remote import entries

if TYPE_CHECKING:
    from flows.reproduction import Row

SHEETS: Final = {
    "preview.png": "Faces as the training makes them",
    "contact-sheet.png": "The face set",
    "dropped.png": "Faces that were left out of the face set, and why",
    "hidden.png": "What was taken for things before the faces, which stay as they are in the clip",
    "tracks.png": "The people in the clip, and who of them was taken",
}
LINKED: Final = {
    "encoding": files.FILMS,
    "evaluation": frozenset({".html"}),
}
"""Kinds of stages -> ends of the names of files that a browser can open."""

MADE: Final = frozenset({"made", "taken from the cache"})

Outputs = Iterable[tuple[str, str | None]]


def show_sheets(root: Path, address: str) -> None:
    """Make an image artifact of each sheet that a stage has just made."""
    if not files.are_served():
        return
    entry, cache = entries.read(root, [address]).get(address, {}), files.cache_of(root)
    item = address.partition("@")[2]
    for path, md5 in _files(cache, [(out["path"], out.get("md5")) for out in entry.get("outs", [])]):
        if path.name in SHEETS and files.kept_at(cache, md5).is_file():
            about = f"{SHEETS[path.name]} ({path})"
            create_image_artifact(files.link(md5, path.name), key=key_of(path.stem, item), description=about)


def link_results(pipeline: Pipeline, rows: Iterable[Row]) -> None:
    """Make a link artifact of each report and deliverable that a run made.

    Args:
        pipeline: as it is after the run.
        rows: how its stages ended.
    """
    made = [row.address for row in rows if row.ending in MADE and row.address.partition("@")[0] in LINKED]
    if not made or not files.are_served():
        return
    cache = files.cache_of(pipeline.root)
    for address in made:
        kind, _, item = address.partition("@")
        for path, md5 in _files(cache, pipeline.outputs(address)):
            if path.suffix in LINKED[kind] and files.kept_at(cache, md5).is_file():
                create_link_artifact(
                    files.link(md5, path.name),
                    f"{path.stem} of {item}",
                    key=key_of(path.stem, item),
                    description=f"{path}, md5 {md5}",
                )


def _files(cache: Path, outputs: Outputs) -> Iterator[tuple[Path, str]]:
    """(path, md5) of files that are outputs or lie in folders that are."""
    for output, md5 in outputs:
        if md5 is None:
            continue
        if not md5.endswith(".dir"):
            yield Path(output), md5
            continue
        listing = files.kept_at(cache, md5)
        if listing.is_file():
            yield from ((Path(output) / each["relpath"], each["md5"]) for each in json.loads(listing.read_text()))
