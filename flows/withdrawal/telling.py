"""What was found of a person, and what no command can reach, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from flows.withdrawal.findings import Findings

BEYOND: Final = (
    "copies elsewhere: other machines (run it there, too), backups, old versions that a bucket keeps, and whatever was "
    "handed over: deliverables, layers; previews and charts that were written elsewhere by `--out`",
    "other people's clips in which this person walks through the picture",
    "a shared base (data/base), if you have trained one yourself on this person's footage: what networks have learnt "
    "of one person can not be taken out of them; train it anew without",
)
"""What no command here reaches, in the order in which it is told."""


def told_of(found: Findings, *, removed: bool) -> Iterator[str]:
    """Line for line; nothing of what is not there."""
    done = "Removed" if removed else "There is"
    if found.is_empty:
        yield "Nothing that came from this person is left here."
    else:
        yield f"{done}, of what came from this person:"
        yield from _indented("in the working tree", [str(each) for each in found.places if each not in found.halves])
        yield from _indented("elsewhere, of layers whose delivery was cut off", [str(each) for each in found.halves])
        for store, oids in found.objects:
            if oids:
                yield f"  in {store.name}: {len(oids)} objects"
        for store, runs in found.runs:
            if runs:
                yield f"  of the run cache in {store.name}: {len(runs)} entries"
        yield "  by stage: " + ", ".join(
            f"{stage or 'unknown'} {count}" for stage, count in sorted(found.by_stage.items())
        )
    if found.shared:
        yield f"Kept: {len(found.shared)} objects that other people's results have, too, byte for byte."
    for name, why in found.unreached.items():
        yield f"NOT REACHED: {name} ({why}). What lies there is there still: run it again where it can be reached."
    yield "Not reached by this, ever:"
    for line in _beyond(found):
        yield f"  {line}"


def _beyond(found: Findings) -> Iterator[str]:
    kept = [place for place in found.footage.places if place not in found.places]
    if kept:
        yield f"what was handed over ({_some(kept)}): --footage removes what git does not keep"
    if found.elsewhere:
        folders = _some([Path(each) for each in found.elsewhere])
        yield f"layers that were written outside of the project ({folders}): remove them there, and wherever they went"
    if found.unknown:
        yield (
            f"{found.unknown} objects in DVC's cache that no dvc.lock and no run tells of any more, whose they are is "
            "not known: `dvc gc --all-commits` drops them"
        )
    if found.tracked:
        yield f"git's history of {_some([Path(path) for path in found.tracked])}: rewrite it if it must go"
    yield from BEYOND


def _indented(what: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"  {what}:"
        yield from (f"    {line}" for line in lines)


def _some(paths: Sequence[Path], most: int = 4) -> str:
    named = ", ".join(str(path) for path in paths[:most])
    return named if len(paths) <= most else f"{named} and {len(paths) - most} more"
