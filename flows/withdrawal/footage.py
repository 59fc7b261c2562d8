"""What was handed over of a person, clips and reference pictures: not made here, so it goes only if asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.lineage.records import Step, overlap
from flows.withdrawal.recorded import Recorded, tracked
from stages.settings import Params


@dataclass(frozen=True)
class Footage:
    """Clips and pictures.

    Attributes:
        places: those that lie here.
        removable: of these, what git does not keep and nobody else's clip is, holds or lies in.
        hashes: hash of each, of any time -> "footage".
        others: the same of other people's clips.
    """

    places: list[Path]
    removable: list[Path]
    hashes: dict[str, str]
    others: dict[str, str]

    @classmethod
    def of(cls, identity: str, recorded: Recorded, params: Params, root: Path) -> Footage:
        """Find it in the settings as they are and as they were."""
        own = {str(clip.path) for clip in params.clips.values() if clip.identity == identity}
        others = {str(clip.path) for clip in params.clips.values() if clip.identity != identity}
        hashes: dict[str, str] = {}
        others_hashes: dict[str, str] = {}
        for step in recorded.steps:
            for clip in _clips(step):
                known, paths = (hashes, own) if clip.get("identity") == identity else (others_hashes, others)
                paths.add(str(clip.get("path")))
                known |= {item.md5: "footage" for item in step.inputs if item.path == clip.get("path") and item.md5}
        if identity in params.identities:
            own |= {str(picture) for picture in params.identities[identity].reference}
        places = sorted(Path(path) for path in own if (root / path).exists())
        beside = [_whole(root, other) for other in others]
        removable = [
            place
            for place in places
            if not any(overlap(_whole(root, place), other) for other in beside) and not tracked(root, [str(place)])
        ]
        return cls(places, removable, hashes, others_hashes)


def _whole(root: Path, place: str | Path) -> str:
    """A path as it is compared: the same file has one, however it is written."""
    return os.path.normpath(root / place)


def _clips(step: Step) -> Iterator[dict[str, Any]]:
    """The clips of params.yaml that a step depends on."""
    for values in step.settings.values():
        yield from (value for key, value in values.items() if key.startswith("clips.") and isinstance(value, dict))
